# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say how a run went, for one node and for the whole, from the outcomes alone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    NodeUnreachable,
    NotAttempted,
    ServiceHeld,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    OK,
    PING,
    PUSH,
    SKIPPED,
    Outcome,
    is_only_a_look,
)

MOST_MESSAGES = 5
MOST_NAMES = 20
ALL_NODES, FAILED_NODES = "all", "failed"
# A run of so many nodes shows a result for each.
READ_AT_A_GLANCE = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went: `failed` and `unreachable` are never both true."""

    msg: str
    changed: bool = False
    failed: bool = False
    unreachable: bool = False

    def to_result(self) -> dict[str, t.Any]:
        """Give the keys of an Ansible result."""
        result: dict[str, t.Any] = {"changed": self.changed, "msg": self.msg}
        if self.failed:
            result["failed"] = True
        if self.unreachable:
            result["unreachable"] = True
        return result


def of_node(node: str, outcomes: t.Sequence[Outcome]) -> Verdict:
    """Judge a node by the push outcomes of its (service, node) pairs.

    It is unreachable when nothing but that kept every pair from being served, failed when any pair was not served for
    another reason.
    """
    if not outcomes:
        return Verdict(f"No service of this run has a token for {node}.")
    bad = [outcome for outcome in outcomes if outcome.status in (FAILED, SKIPPED)]
    changed = any(outcome.status == CHANGED for outcome in outcomes)
    if not bad:
        served = ", ".join(sorted(outcome.config_service for outcome in outcomes))
        return Verdict(f"{'Updated' if changed else 'Up to date'}: {served}.", changed=changed)
    silent = [outcome for outcome in bad if outcome.kind == NodeUnreachable.kind]
    # Pairs that were never tried say nothing about the node.
    if silent and all(outcome in silent or outcome.kind == NotAttempted.kind for outcome in outcomes):
        return Verdict(_listed([silent[0].message], _advice(silent)), unreachable=True)
    return Verdict(_listed([outcome.message for outcome in bad], _advice(bad)), changed=changed, failed=True)


def nodes_to_show(outcomes: t.Sequence[Outcome], which: str | None = None) -> list[str] | None:
    """Give the nodes that are to have a result of their own, None for all of them: C(all), C(failed), or without
    `which` what can be read at a glance.

    Of C(failed) it is those that C(of_node) would not call well, after one that is, so that the verdict on the run has
    a place.
    """
    nodes = dict.fromkeys(outcome.node for outcome in outcomes)
    if which == ALL_NODES or (which is None and len(nodes) <= READ_AT_A_GLANCE):
        return None
    bad = dict.fromkeys(outcome.node for outcome in outcomes if outcome.status in (FAILED, SKIPPED))
    return [*[node for node in nodes if node not in bad][:1], *bad]


def of_run(outcomes: t.Sequence[Outcome], *, check_mode: bool = False, nodes_are_told: bool = True) -> Verdict:
    """Judge the whole run; what the nodes' own results already say (`nodes_are_told`) does not fail it a second time.

    A ping that was not answered is no failure: the push to that node has its own outcome.
    """
    if is_only_a_look(outcomes):
        return Verdict(_of_pings([outcome for outcome in outcomes if outcome.stage == PING]))
    failures = [outcome for outcome in outcomes if outcome.is_failure and outcome.stage != PING]
    elsewhere = left_to_others(outcomes)
    services = {outcome.config_service for outcome in outcomes if outcome.config_service} - elsewhere.keys()
    failed = {outcome.config_service for outcome in failures if outcome.config_service}
    pushes = [outcome for outcome in outcomes if outcome.stage == PUSH]
    served = sum(outcome.status in (OK, CHANGED) for outcome in pushes)
    would = "would be " if check_mode else ""
    summary = f"{len(services) - len(failed)} of {len(services)} services well"
    if pushes:
        renewed = sum(outcome.status == CHANGED for outcome in pushes)
        summary += (
            f", {served} of {len(pushes)} (service, node) pairs {would}in place, {renewed} of them {would}renewed"
        )
    if elsewhere:
        names = sorted(elsewhere)
        more = f" and {len(names) - MOST_MESSAGES} more" if len(names) > MOST_MESSAGES else ""
        summary += f", {len(names)} left to another run that serves them now: {', '.join(names[:MOST_MESSAGES])}{more}"
    shown_by_nodes = (
        {outcome.config_service for outcome in pushes if outcome.status in (FAILED, SKIPPED)}
        if nodes_are_told
        else set()
    )
    untold = [outcome for outcome in failures if outcome.stage != PUSH and outcome.config_service not in shown_by_nodes]
    if not nodes_are_told:
        untold = failures
    if not untold:
        return Verdict(f"{summary}. {_listed(list(elsewhere.values())[:1])}".rstrip())
    return Verdict(f"{summary}. {_listed([advise(outcome) for outcome in untold])}", failed=True)


def _of_pings(pings: t.Sequence[Outcome]) -> str:
    silent = sorted({outcome.node for outcome in pings if outcome.is_failure})
    nodes = {outcome.node for outcome in pings}
    told = f"{len(nodes) - len(silent)} of {len(nodes)} nodes answer"
    if not silent:
        return f"{told}."
    more = f" and {len(silent) - MOST_NAMES} more" if len(silent) > MOST_NAMES else ""
    return f"{told}. No answer from {', '.join(silent[:MOST_NAMES])}{more}."


def left_to_others(outcomes: t.Sequence[Outcome]) -> dict[str, str]:
    """Give the services of which nothing was done because another run serves them, with the message that says so."""
    held = {outcome.config_service: outcome.message for outcome in outcomes if outcome.kind == ServiceHeld.kind}
    begun = {outcome.config_service for outcome in outcomes if outcome.kind != ServiceHeld.kind}
    return {name: message for name, message in held.items() if name not in begun}


def advise(outcome: Outcome) -> str:
    """Give an outcome's message with what to do about it."""
    return f"{outcome.message.rstrip('.')}. {explain(outcome.kind).advice}"


def _advice(outcomes: t.Sequence[Outcome]) -> list[str]:
    """Give what to do, once for each kind of failure; what was never tried says it of the failure before it."""
    return [explain(outcome.kind).advice for outcome in outcomes if outcome.kind != NotAttempted.kind]


def _listed(messages: t.Sequence[str], advice: t.Sequence[str] = ()) -> str:
    shown = list(dict.fromkeys(messages))
    sentences = shown[:MOST_MESSAGES]
    if len(shown) > MOST_MESSAGES:
        sentences.append(f"And {len(shown) - MOST_MESSAGES} more.")
    sentences += list(dict.fromkeys(advice))
    return " ".join(text if text.endswith((".", "!", "?")) else text + "." for text in sentences)
