# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say a run in lines of JSON: one for the run, one for each outcome that is not plainly well, one for each message."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    OK,
    PING,
    SKIPPED,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import (
    LAST_SECOND,
    MESSAGE_LIMIT,
    clean,
    number,
    stamp,
    text,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._last_run_record import verdict_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Delivery
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

INFO, WARNING, ERROR = "info", "warning", "error"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `time` in seconds since the epoch, its level, and the JSON (without the end of line)."""

    time: float
    level: str
    text: str


def lines_of(collected: Collected, settings: ReportSettings, deliveries: t.Sequence[Delivery]) -> list[Line]:
    """Give all lines of the run, in the order of their times."""
    common = {
        "program": text(collected.program),
        "run": text(collected.run),
        "environment": text(settings.environment),
    }
    lines = [
        _line(collected.ended, ERROR, {"event": "refusal", **common, "task": text(refusal.task),
              "kind": text(refusal.kind), "message": text(refusal.message, MESSAGE_LIMIT)})
        for refusal in collected.refusals
    ]  # fmt: skip
    lines += [
        _of_outcome(clean(outcome), common)
        for outcome in collected.outcomes
        if outcome.status not in (OK, CHANGED) or outcome.kind or outcome.message
    ]
    lines += [_of_delivery(delivery, common) for delivery in deliveries]
    lines.append(_of_run(collected, common))
    return sorted(lines, key=lambda line: line.time)


def _of_run(collected: Collected, common: t.Mapping[str, str]) -> Line:
    fields: dict[str, t.Any] = {
        "event": "run",
        **common,
        "verdict": verdict_of(collected),
        "check_mode": collected.check_mode,
        "started": stamp(collected.started),
        "seconds": round(number(collected.seconds), 3),
        **collected.summary(),
        "unreachable": len(collected.unreachable),
        "message": text(collected.msg, MESSAGE_LIMIT),
    }
    return _line(collected.ended, INFO if collected.is_well else ERROR, fields)


def _of_outcome(outcome: Outcome, common: t.Mapping[str, str]) -> Line:
    level = INFO
    if outcome.status == FAILED:
        # A ping that was not answered is no failure: the push to that node tells.
        level = WARNING if outcome.stage == PING else ERROR
    elif outcome.status == SKIPPED and outcome.kind:
        level = WARNING
    fields: dict[str, t.Any] = {"event": "outcome", **common, **outcome.to_dict()}
    # The line has the time of the end; the beginning stands in the same form.
    fields["started"] = stamp(outcome.started)
    return _line(outcome.started + outcome.seconds, level, fields)


def _of_delivery(delivery: Delivery, common: t.Mapping[str, str]) -> Line:
    fields: dict[str, t.Any] = {
        "event": "message",
        **common,
        "channel": text(delivery.channel),
        "target": text(delivery.target),
        "accepted": delivery.is_accepted,
        "troubles": len(delivery.keys),
        "seconds": round(number(delivery.seconds), 3),
        "message": text(delivery.problem, MESSAGE_LIMIT),
    }
    when = number(delivery.started, LAST_SECOND) + number(delivery.seconds)
    return _line(when, INFO if delivery.is_accepted else WARNING, fields)


def _line(when: float, level: str, fields: t.Mapping[str, t.Any]) -> Line:
    when = number(when, LAST_SECOND)
    plain = {"time": stamp(when), "level": level, **fields}
    return Line(when, level, json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
