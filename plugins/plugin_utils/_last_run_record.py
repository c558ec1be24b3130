# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say a whole run in one plain value for other programs: version 1 of docs/last_run.schema.json. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CREDD_REMOVAL,
    FAILED,
    LOGIN,
    NODE_REMOVAL,
    OK,
    PING,
    PUSH,
    REGISTRY,
    SKIPPED,
    STORE,
    TICKETS,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import (
    MESSAGE_LIMIT,
    clean_all,
    number,
    stamp,
    text,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Delivery, Untold

SCHEMA_VERSION = 1
PARTIAL = "partial"
REFUSED = "refused"
HELD = "service_held"
GOOD = frozenset({OK, CHANGED})
Plain = dict[str, t.Any]


def verdict_of(collected: Collected) -> str:
    """Give "ok", "refused" (nothing could begin), "partial" (something failed, and something that the run is for came
    about) or "failed"."""
    if collected.is_well:
        return OK
    if collected.refusals and not collected.outcomes:
        return REFUSED
    for stage in (NODE_REMOVAL, CREDD_REMOVAL, PUSH, STORE, LOGIN, TICKETS, REGISTRY):
        outcomes = [outcome for outcome in collected.outcomes if outcome.stage == stage]
        if outcomes:
            return PARTIAL if any(outcome.status in GOOD for outcome in outcomes) else FAILED
    return FAILED


def record_of(collected: Collected, deliveries: t.Sequence[Delivery], untold: Untold | None = None) -> Plain:
    """Give the record; times are RFC 3339 in UTC, durations seconds."""
    outcomes = clean_all(collected.outcomes)
    accounts = [outcome for outcome in outcomes if outcome.stage == REGISTRY and outcome.account]
    return {
        "schema": SCHEMA_VERSION,
        "program": text(collected.program),
        "run": text(collected.run),
        "started": stamp(collected.started),
        "ended": stamp(collected.ended),
        "seconds": _seconds(collected.seconds),
        "check_mode": bool(collected.check_mode),
        "verdict": verdict_of(collected),
        "message": text(collected.msg, MESSAGE_LIMIT),
        "counts": {
            **collected.summary(),
            "accounts": len(accounts),
            "accounts_failed": sum(outcome.is_failure for outcome in accounts),
            "hosts": len(collected.hosts),
            "hosts_failed": len(collected.failed),
            "hosts_unreachable": len(collected.unreachable),
        },
        "services": _services(outcomes, collected),
        "accounts": [
            {"name": outcome.account, **_result(outcome)}
            for outcome in sorted(accounts, key=lambda outcome: outcome.account)
        ],
        "refusals": [
            {"task": text(entry.task), "kind": text(entry.kind), "message": text(entry.message, MESSAGE_LIMIT)}
            for entry in collected.refusals
        ],
        "messages": [
            {
                "channel": text(delivery.channel),
                "target": text(delivery.target),
                "accepted": delivery.is_accepted,
                "troubles": len(delivery.keys),
                "problem": text(delivery.problem, MESSAGE_LIMIT),
            }
            for delivery in deliveries
        ],
        "untold": asdict(untold or Untold()),
        "problems": _problems(outcomes, collected),
    }


def _services(outcomes: t.Iterable[Outcome], collected: Collected) -> list[Plain]:
    by_service: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.config_service:
            by_service.setdefault(outcome.config_service, []).append(outcome)
    return [_service(name, found, collected) for name, found in sorted(by_service.items())]


def _service(name: str, outcomes: t.Sequence[Outcome], collected: Collected) -> Plain:
    by_stage: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_stage.setdefault(outcome.stage, []).append(outcome)
    stages = {stage: _together(found) for stage, found in by_stage.items()}
    failures = [outcome for outcome in outcomes if outcome.is_failure and outcome.stage != PING]
    account = next((outcome.account for outcome in outcomes if outcome.account), "")
    plain: Plain = {
        "service": name,
        "name": next((outcome.service for outcome in outcomes if outcome.service), name),
        "experiment": text(collected.experiment_of(name)),
        "status": _status(outcomes, failures, stages),
        "stages": stages,
        "credds": [
            {"name": outcome.credd, **_result(outcome), "expires": _expires(outcome)}
            for outcome in (by_stage.get(STORE, ()) or by_stage.get(CREDD_REMOVAL, ()))
            if outcome.credd
        ],
        "nodes": [
            {"name": outcome.node, **_result(outcome)}
            for outcome in (by_stage.get(PUSH, ()) or by_stage.get(NODE_REMOVAL, ()))
            if outcome.node
        ],
        "problem": _problem(failures[0]) if failures else None,
    }
    if account:
        plain["account"] = account
    return plain


def _status(outcomes: t.Sequence[Outcome], failures: t.Sequence[Outcome], stages: t.Mapping[str, str]) -> str:
    """Give "ok", "partial", "failed", or "elsewhere" for what another run serves now."""
    if all(outcome.kind == HELD for outcome in outcomes):
        return "elsewhere"
    unserved = [outcome for outcome in outcomes if outcome.stage == PUSH and outcome.status == SKIPPED]
    if not failures and not [outcome for outcome in unserved if outcome.kind != HELD]:
        return OK
    order = (NODE_REMOVAL, CREDD_REMOVAL, PUSH, STORE, LOGIN, TICKETS)
    last = next((stage for stage in order if stage in stages), "")
    return PARTIAL if last and any(o.status in GOOD for o in outcomes if o.stage == last) else FAILED


def _together(outcomes: t.Sequence[Outcome]) -> str:
    statuses = {outcome.status for outcome in outcomes}
    if FAILED in statuses:
        return FAILED if not statuses & GOOD else PARTIAL
    return next(status for status in (CHANGED, OK, SKIPPED) if status in statuses)


def _result(outcome: Outcome) -> Plain:
    return {
        "status": outcome.status,
        "kind": outcome.kind,
        "message": outcome.message,
        "seconds": _seconds(outcome.seconds),
    }


def _problem(outcome: Outcome) -> Plain:
    return {"stage": outcome.stage, "kind": outcome.kind or "failed", "message": outcome.message}


def _expires(outcome: Outcome) -> str | None:
    if not outcome.life:
        return None
    return stamp(outcome.started + outcome.seconds + outcome.life)


def _problems(outcomes: t.Iterable[Outcome], collected: Collected) -> list[Plain]:
    """Give the kinds of what failed, the most frequent first, each with an example."""
    found: dict[str, list[str]] = {}
    for refusal in collected.refusals:
        found.setdefault(text(refusal.kind) or "failed", []).append(text(refusal.message, MESSAGE_LIMIT))
    for outcome in outcomes:
        if outcome.is_failure and outcome.stage != PING:
            found.setdefault(outcome.kind or "failed", []).append(outcome.message)
    return [
        {
            "kind": kind,
            "count": len(messages),
            "meaning": explain(kind).sentence,
            "advice": explain(kind).advice,
            "who": explain(kind).who,
            "example": messages[0],
        }
        for kind, messages in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _seconds(value: float) -> float:
    return round(number(value), 3)
