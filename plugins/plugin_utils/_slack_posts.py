# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Write a message as posts for Slack, each within Slack's limits. Pure.

Source: https://docs.slack.dev/reference/block-kit/blocks and
https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import itertools
import re
import typing as t

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._effect_on_users import effect_of, lasts
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, Message, Notice
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_headline import (
    SUBJECT_MARK,
    counted,
    headline,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_text import (
    advice_for,
    error_of,
    history_of,
    moment,
    page_of,
)

# Slack's own limits are 50 blocks, 150 characters in a header, 3,000 in a section, and 4,000 advised in `text`; a post
# with more than about 13,000 in all its blocks is refused too. What is left to them is for what is added at the end.
MOST_POSTS = 5
MOST_SECTIONS = 4
SECTION_LIMIT = 2650
HEADER_LIMIT = 150
# What says which of the posts it is.
PART_LIMIT = 9
TEXT_LIMIT = 3800
MOST_ENDS = 20
MOST_ADVICE = 8
# Escaped, a line is at most five times as long, and still fits into a section.
_NAME_LIMIT = 80
_ERROR_LIMIT = 240
_FOOT_LIMIT = 40
_CALLS = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)


def posts_of(message: Message, collected: Collected, settings: ReportSettings) -> list[dict[str, t.Any]]:
    """Give the posts, at most five; what does not fit is left out, and counted."""
    troubles = [item for item in message.notices if not item.is_recovery]
    last = _packed(iter(tail := _tail(message, troubles)), len(tail), MOST_SECTIONS)
    room = MOST_POSTS * MOST_SECTIONS - len(last)
    now = collected.ended
    effect = [f"*{escaped(found)}*"] if (found := effect_of(message, now)) else []
    lines = itertools.chain(effect, (_trouble(item, now) for item in troubles))
    sections = _packed(lines, len(effect) + len(troubles), room) + last
    bundles = [sections[start : start + MOST_SECTIONS] for start in range(0, len(sections), MOST_SECTIONS)]
    head = headline(message, settings, mark=SUBJECT_MARK, limit=HEADER_LIMIT - (PART_LIMIT if len(bundles) > 1 else 0))
    foot = _foot(message, collected, settings)
    return [
        _post(head + (f" ({number} of {len(bundles)})" if len(bundles) > 1 else ""), bundle, foot)
        for number, bundle in enumerate(bundles, start=1)
    ]


def escaped(value: str) -> str:
    """Give `value` so that Slack shows it as it is: no link, no mention of anybody, nobody called."""
    # The ampersand first: the others bring ampersands along.
    value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CALLS.sub("@\u2060", value)


def _post(head: str, sections: t.Sequence[str], foot: str) -> dict[str, t.Any]:
    # A header is never marked up; the characters that Slack wants escaped have no business in it.
    title = {"type": "plain_text", "text": re.sub("[<>&]", "_", head), "emoji": False}
    return {
        "text": _fallback(escaped(head), sections),
        "blocks": [
            {"type": "header", "text": title},
            *({"type": "section", "text": _marked(section)} for section in sections),
            {"type": "context", "elements": [_marked(foot)]},
        ],
    }


def _marked(value: str) -> dict[str, t.Any]:
    # Verbatim: Slack makes links and mentions of nothing by itself.
    return {"type": "mrkdwn", "text": value, "verbatim": True}


def _fallback(head: str, sections: t.Sequence[str]) -> str:
    """Give what notifications show, and programs that know no blocks."""
    lines, size = [head], _size(head)
    for line in "\n".join(sections).split("\n"):
        size += _size(line) + 1
        if size > TEXT_LIMIT:
            return "\n".join([*lines, "..."])
        lines.append(line)
    return "\n".join(lines)


def _packed(lines: t.Iterator[str], number: int, most: int) -> list[str]:
    """Put `number` lines into at most `most` sections; the last one counts what has no room."""
    sections: list[str] = []
    current: list[str] = []
    size = 0
    for shown, line in enumerate(lines):
        length = _size(line) + 1
        if current and size + length > SECTION_LIMIT:
            if len(sections) + 1 == most:
                current.append(f"... and {number - shown:,} more")
                break
            sections.append("\n".join(current))
            current, size = [], 0
        current.append(line)
        size += length
    return [*sections, "\n".join(current)] if current else sections


def _trouble(item: Notice, now: float) -> str:
    error = escaped(error_of(item, _ERROR_LIMIT)) or _name(item.kind) or "failed"
    history = history_of(item.count, moment(item.since))
    token = lasts(item.in_place, now)
    remark = "; ".join(part for part in (history, f"token {token}" if token else "") if part)
    return f"• {_place(item)}: {error}{f' ({remark})' if remark else ''}"


def _tail(message: Message, troubles: t.Sequence[Notice]) -> list[str]:
    """Give the lines after the list of troubles: what to do, what is well again, what is not yet told."""
    lines = []
    if advice := advice_for(troubles):
        lines.append("*What to do*")
        lines += [
            f"• {entry.kind} ({entry.number:,}): {escaped(entry.advice)} _{entry.who}_"
            for entry in advice[:MOST_ADVICE]
        ]
        if len(advice) > MOST_ADVICE:
            lines.append(f"... and {counted(len(advice) - MOST_ADVICE, 'more kind')} of errors")
    if ends := [item for item in message.notices if item.is_recovery]:
        lines.append("*Well again*")
        lines += [f"• {_place(item)}" for item in ends[:MOST_ENDS]]
        if len(ends) > MOST_ENDS:
            lines.append(f"... and {len(ends) - MOST_ENDS:,} more")
    if message.suppressed:
        verb = "has" if message.suppressed == 1 else "have"
        lines.append(f"{counted(message.suppressed, 'more error')} {verb} not happened often enough yet to be told.")
    return lines


def _place(item: Notice) -> str:
    on = f" on {_name(item.key.node)}" if item.key.sort == PUSH else ""
    return f"*{_name(item.key.service)}*{on}"


def _name(value: str) -> str:
    return escaped(text(value, _NAME_LIMIT))


def _foot(message: Message, collected: Collected, settings: ReportSettings) -> str:
    def short(value: str) -> str:
        return escaped(text(value, _FOOT_LIMIT))

    run = f"run {short(collected.run)}" if collected.run else ""
    page = f"status page {escaped(text(page_of(settings), 60))}" if page_of(settings) else ""
    parts = (short(collected.program) or "token-push", run, moment(collected.ended))
    origin = (escaped(collected.origin.in_words), page)
    command = escaped(collected.origin.command(item.key for item in message.notices))
    lines = [", ".join(part for part in found if part) for found in (parts, origin)]
    return "\n".join([*lines, f"Look further: `{command}`"])


def _size(value: str) -> int:
    """Count as Slack's programs may: in UTF-16 units, never fewer than characters."""
    return len(value.encode("utf-16-le")) // 2
