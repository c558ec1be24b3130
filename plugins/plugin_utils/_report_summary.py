# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Show on a terminal of 80 columns how a run went: services and stages, what failed and what to do, who was told."""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CREDD_REMOVAL,
    FAILED,
    NODE_REMOVAL,
    OK,
    PUSH,
    SKIPPED,
    STORE,
    TICKETS,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._failures_by_kind import failures_by_kind
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    SERVICE_EMAIL,
    SLACK,
    Delivery,
    Untold,
)

WIDTH = 78
MOST_SERVICES = 25
MOST_FAILURES = 12
MOST_DELIVERIES = 12
MESSAGE_LIMIT = 300
_CHANNELS = {EMAIL: "mail", SLACK: "Slack", SERVICE_EMAIL: "mail"}


def table(collected: Collected, told: t.Sequence[str], *, now: float) -> list[str]:
    """Give the summary's lines; `told` says who was (in check mode: would be) told of what."""
    lines = [
        "",
        (
            f"Managed tokens: {collected.program}{f', run {collected.run}' if collected.run else ''}, "
            f"{in_words(collected.seconds)}{', check mode' if collected.check_mode else ''}"
        ),
    ]
    lines += _services(collected, now)
    lines += _troubles(collected)
    if told:
        lines += ["", "Told" if not collected.check_mode else "Would be told", *_wrapped(told)]
    return lines


def deliveries_in_words(
    deliveries: t.Sequence[Delivery], untold: Untold, threshold: int, *, is_test: bool = False
) -> list[str]:
    """Say in one line each who was told, and of how much nobody was and why."""
    administrators = "test addresses" if is_test else "administrators"
    lines = [
        f"{delivery.target or administrators} by {_CHANNELS[delivery.channel]}: "
        + ("" if delivery.is_accepted else "NOT told of " if delivery.keys else "did NOT take ")
        + (_count(len(delivery.keys), "trouble") if delivery.keys else "a test message")
        for delivery in sorted(deliveries, key=lambda delivery: delivery.is_accepted)
    ]
    if len(lines) > MOST_DELIVERIES:
        lines = [*lines[:MOST_DELIVERIES], f"and {len(lines) - MOST_DELIVERIES} more"]
    reasons = (
        (untold.below_threshold, f"held back: not yet {threshold} runs in a row"),
        (untold.reminder_not_due, "told of before: the next reminder is not due yet"),
        (untold.notify_off, "told to nobody: managed_tokens_notify is off"),
    )
    return [*lines, *(f"{_count(number, 'trouble')} {reason}" for number, reason in reasons if number)]


def _services(collected: Collected, now: float) -> list[str]:
    rows = _rows(collected, now)
    if not rows:
        return _accounts(collected)
    bad = [row for row in rows if row[-1]]
    shown = rows if len(rows) <= MOST_SERVICES else bad[:MOST_SERVICES]
    lines = []
    if shown:
        width = min(34, max(len("service"), *(len(row[0]) for row in shown)))
        lines = ["", f"  {'service':<{width}}  {'ticket':<8}{'credds':>8}{'nodes':>9}  token lives"]
        lines += [
            f"  {one_line(name, width):<{width}}  {ticket:<8}{credds:>8}{nodes:>9}  {life:<9}{mark}".rstrip()
            for name, ticket, credds, nodes, life, mark in shown
        ]
    if len(rows) > len(shown):
        well = sum(not row[-1] for row in rows)
        lines += [
            "",
            f"  {well} of {len(rows)} services are well"
            + (f"; {len(bad) - len(shown)} more are not" if len(bad) > len(shown) else ""),
        ]
    return lines


def _rows(collected: Collected, now: float) -> list[tuple[str, str, str, str, str, str]]:
    by_service: dict[str, list[Outcome]] = {}
    for outcome in collected.outcomes:
        if outcome.config_service:
            by_service.setdefault(outcome.config_service, []).append(outcome)
    rows = []
    for name, outcomes in sorted(by_service.items()):
        of_stage: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            of_stage.setdefault(outcome.stage, []).append(outcome)
        lives = [outcome.life for outcome in of_stage.get(STORE, ()) if outcome.life]
        is_bad = any(
            outcome.status == FAILED or (outcome.stage == PUSH and outcome.status == SKIPPED) for outcome in outcomes
        )
        is_left = any(outcome.kind == "service_held" for outcome in outcomes)
        rows.append(
            (
                name,
                _word(of_stage.get(TICKETS, ())),
                _good_of(of_stage.get(STORE, ()) or of_stage.get(CREDD_REMOVAL, ())),
                _good_of(of_stage.get(PUSH, ()) or of_stage.get(NODE_REMOVAL, ())),
                in_words(min(lives)) if lives else "",
                "FAILED" if is_bad else "left to another run" if is_left else "",
            )
        )
    return rows


def _accounts(collected: Collected) -> list[str]:
    asked = [outcome for outcome in collected.outcomes if outcome.account]
    if not asked:
        return []
    good = sum(not outcome.is_failure for outcome in asked)
    changed = sum(outcome.status == CHANGED for outcome in asked)
    return ["", f"  {good} of {len(asked)} accounts have a good UID, {changed} of them new or changed"]


def _word(outcomes: t.Sequence[Outcome]) -> str:
    if not outcomes:
        return "-"
    return "failed" if any(outcome.is_failure for outcome in outcomes) else "ok"


def _good_of(outcomes: t.Sequence[Outcome]) -> str:
    if not outcomes:
        return "-"
    good = sum(
        outcome.status in (OK, CHANGED) or (outcome.stage == STORE and outcome.status == SKIPPED)
        for outcome in outcomes
    )
    return f"{good}/{len(outcomes)}"


def _troubles(collected: Collected) -> list[str]:
    found = failures_by_kind(collected, MESSAGE_LIMIT)
    if not found:
        return []
    lines = ["", "What failed, and what to do"]
    left = MOST_FAILURES
    for kind, texts in sorted(found.items()):
        explained = explain(kind)
        shown = texts[: max(1, min(3, left))]
        left -= len(shown)
        lines += _wrapped(shown)
        if len(texts) > len(shown):
            lines.append(f"  (and {len(texts) - len(shown)} more of the kind {kind})")
        lines += _wrapped([f"-> {explained.advice} ({explained.who})"], indent="     ")
    return lines


def _wrapped(texts: t.Sequence[str], indent: str = "  ") -> list[str]:
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
        )
    ]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
