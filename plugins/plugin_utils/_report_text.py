# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Make of a message what its readers see: clean rows by service, what to do, what is well again. Pure."""

from __future__ import annotations

import textwrap
import typing as t
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS, OPERATOR, explain
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import LAST_SECOND, number, text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._effect_on_users import effect_of, lasts
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, SETUP, Message, Notice
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

WIDTH = 78
MOST_ROWS = 200
ERROR_LIMIT = 400
ADDRESS_LIMIT = 80
MOST_ADDRESSES = 3
# What the narrow column of a table may have of the width.
_MOST_NARROW = 34
_STAGES = {"setup": "set-up", "store": "token store"}


@dataclass(frozen=True, slots=True)
class Row:
    """One trouble, or with an empty `error` the end of one; `since` is in words, "" when it is not known, and so is
    `lasts`, until when the token in place does, "" when the trouble concerns none.

    `place` says where: the node for an experiment's people, the stage (and node) for administrators.
    """

    service: str
    place: str
    node: str
    kind: str
    error: str
    count: int
    since: str
    lasts: str = ""

    @property
    def history(self) -> str:
        return history_of(self.count, self.since)

    @property
    def was(self) -> str:
        """Say, for the end of a trouble, what it was and since when; "" when neither is known."""
        parts = (f"had {self.kind}" if self.kind else "", f"told {self.since}" if self.since else "")
        words = ", ".join(part for part in parts if part)
        return f" ({words})" if words else ""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one service."""

    service: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What one kind of error means, what to do, who does it, and how many rows have it."""

    kind: str
    sentence: str
    advice: str
    who: str
    number: int


@dataclass(frozen=True, slots=True)
class Content:
    """All that a template has; every text is on one line, without control characters or tokens.

    `left_out` and `ends_left_out` count what is not among the rows, `suppressed` what fails, but not often enough yet.
    `totals` is `Collected.summary()`, for administrators only: an experiment is not told of the others. `effect` says
    whether anything fails for users, `origin` where this was written, `page` where the status page is, and `command`
    how to look further.
    """

    experiment: str
    environment: str
    program: str
    run: str
    time: str
    groups: tuple[Group, ...]
    left_out: int
    ends: tuple[Row, ...]
    ends_left_out: int
    advice: tuple[Advice, ...]
    suppressed: int
    totals: t.Mapping[str, int]
    effect: str
    origin: str
    page: str
    command: str


def content_of(message: Message, collected: Collected, settings: ReportSettings, most: int = MOST_ROWS) -> Content:
    """Give what the message says, with at most `most` troubles and as many ends of troubles."""
    troubles = [item for item in message.notices if not item.is_recovery]
    ends = [item for item in message.notices if item.is_recovery]
    stages = {} if message.experiment else _stages_of(collected)
    now = collected.ended
    groups: dict[str, list[Row]] = {}
    for item in troubles[:most]:
        groups.setdefault(item.key.service, []).append(_row(item, message, stages, now))
    # Whoever is no administrator has to know who that is.
    operators = settings.admin_emails if message.experiment else ()
    return Content(
        experiment=text(message.experiment),
        environment=text(settings.environment),
        program=text(collected.program),
        run=text(collected.run),
        time=moment(collected.ended),
        groups=tuple(Group(rows[0].service, tuple(rows)) for rows in groups.values()),
        left_out=max(0, len(troubles) - most),
        ends=tuple(_row(item, message, stages, now) for item in ends[:most]),
        ends_left_out=max(0, len(ends) - most),
        advice=advice_for(troubles, operators),
        suppressed=message.suppressed,
        totals={} if message.experiment else collected.summary(),
        effect=effect_of(message, now),
        origin=collected.origin.in_words,
        page=page_of(settings),
        command=collected.origin.command(item.key for item in message.notices),
    )


def page_of(settings: ReportSettings) -> str:
    """Say where the status page is; "" when there is none."""
    return text(settings.status_page)


def advice_for(notices: t.Iterable[Notice], operators: t.Sequence[str] = ()) -> tuple[Advice, ...]:
    """Give the advice for each kind among the notices, the most frequent first; kinds that nobody knows count as
    `failed`. `operators` are the addresses of the operator."""
    numbers = Counter(item.kind if item.kind in KINDS else "failed" for item in notices)
    return tuple(
        Advice(kind, known.sentence, known.advice, _who(known.who, operators), count)
        for kind, count in numbers.most_common()
        for known in (explain(kind),)
    )


def _who(who: str, operators: t.Sequence[str]) -> str:
    addresses = ", ".join(text(address, ADDRESS_LIMIT) for address in operators[:MOST_ADDRESSES])
    return f"{who} ({addresses})" if addresses and who == OPERATOR else who


def error_of(item: Notice, limit: int) -> str:
    """Give a notice's message without the service and node that it may begin with: they stand beside it."""
    service, node = item.key.service, item.key.node
    message = item.message.removeprefix(f"{service} on {node}: ") if node else item.message
    return text(message.removeprefix(f"{service}: "), limit)


def history_of(count: int, since: str) -> str:
    """Say how many runs in a row and since when; "" when neither is known."""
    runs = f"{count} runs in a row" if count > 1 else ""
    return ", ".join(part for part in (runs, f"since {since}" if since else "") if part)


def moment(seconds: float) -> str:
    """Say a time, in seconds since the epoch, in UTC; "" for 0 and for what is no time."""
    found = number(seconds, LAST_SECOND)
    return datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M UTC") if found else ""


def wrapped(value: str, indent: int = 0, hanging: int | None = None) -> str:
    """Give `value` in lines of at most 78 columns, the first indented by `indent`, the others by `hanging`."""
    following = indent if hanging is None else hanging
    lines = textwrap.wrap(
        value, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * following, break_on_hyphens=False
    )
    return "\n".join(lines)


def table(rows: t.Sequence[Row], head: str, wide_head: str = "ERROR") -> str:
    """Give the rows as a table of two columns, 78 columns wide: the place of each, and its error with its history and
    until when the token lasts that is in place."""
    narrow = min(_MOST_NARROW, max(len(head), *(len(row.place) for row in rows)))
    wide = WIDTH - narrow - 3
    lines = [f"{head:<{narrow}} | {wide_head}", f"{'-' * narrow}-+-{'-' * wide}"]
    for row in rows:
        error = row.error + (f" ({row.history})" if row.history else "")
        error += f"; token in place: {row.lasts}" if row.lasts else ""
        left = textwrap.wrap(row.place, narrow, break_on_hyphens=False) or [""]
        right = textwrap.wrap(error, wide, break_on_hyphens=False) or [""]
        for number_of_line in range(max(len(left), len(right))):
            first = left[number_of_line] if number_of_line < len(left) else ""
            second = right[number_of_line] if number_of_line < len(right) else ""
            lines.append(f"{first:<{narrow}} | {second}".rstrip())
    return "\n".join(lines)


def _row(item: Notice, message: Message, stages: t.Mapping[tuple[str, str], str], now: float) -> Row:
    node = text(item.key.node)
    stage = ""
    if item.key.sort == PUSH:
        stage = f"push to {node}"
    elif item.key.sort == SETUP:
        found = stages.get((item.key.service, item.message), "setup")
        stage = _STAGES.get(found, found)
    return Row(
        service=text(item.key.service),
        place=node if message.experiment else text(stage) or "run",
        node=node,
        kind=text(item.kind),
        error="" if item.is_recovery else error_of(item, ERROR_LIMIT) or explain(item.kind).sentence,
        count=item.count,
        since=moment(item.since),
        lasts="" if item.is_recovery else lasts(item.in_place, now),
    )


def _stages_of(collected: Collected) -> dict[tuple[str, str], str]:
    """Say in which stage a service failed with a message: a notice knows the message only."""
    return {
        (outcome.config_service, outcome.message): outcome.stage
        for outcome in collected.outcomes
        if outcome.is_failure and not outcome.node
    }
