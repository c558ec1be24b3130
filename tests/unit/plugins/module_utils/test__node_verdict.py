# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run went, for a node and for the whole."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS, explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import (
    MOST_MESSAGES,
    MOST_NAMES,
    READ_AT_A_GLANCE,
    Verdict,
    advise,
    left_to_others,
    nodes_to_show,
    of_node,
    of_run,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

OK = outcome("push", "ok", config_service="dune_production")
CHANGED = outcome("push", "changed", config_service="dune_analysis")
SILENT = outcome("push", "failed", kind="node_unreachable", message="no answer")
REFUSED = outcome("push", "failed", kind="account_refused", message="refused", config_service="dune_test")
UNTRIED = outcome("push", "skipped", kind="not_attempted", message="not tried: no ticket", config_service="dune_x")
LATE = outcome("push", "failed", kind="deadline", message="late.")

DO = {kind: entry.advice for kind, entry in KINDS.items()}

NODES: tuple[tuple[list[Outcome], Verdict], ...] = (
    ([], Verdict("No service of this run has a token for n1.")),
    ([OK], Verdict("Up to date: dune_production.")),
    ([OK, CHANGED], Verdict("Updated: dune_analysis, dune_production.", changed=True)),
    ([SILENT, SILENT], Verdict(f"no answer. {DO['node_unreachable']}", unreachable=True)),
    ([SILENT, UNTRIED], Verdict(f"no answer. {DO['node_unreachable']}", unreachable=True)),
    ([SILENT, OK], Verdict(f"no answer. {DO['node_unreachable']}", failed=True)),
    (
        [SILENT, REFUSED],
        Verdict(f"no answer. refused. {DO['node_unreachable']} {DO['account_refused']}", failed=True),
    ),
    ([REFUSED, CHANGED], Verdict(f"refused. {DO['account_refused']}", changed=True, failed=True)),
    ([UNTRIED], Verdict("not tried: no ticket.", failed=True)),
    ([UNTRIED, OK], Verdict("not tried: no ticket.", failed=True)),
    ([LATE, SILENT], Verdict(f"late. no answer. {DO['deadline']} {DO['node_unreachable']}", failed=True)),
)


@pytest.mark.parametrize(("outcomes", "verdict"), NODES)
def test_of_node_is_judged_by_its_pushes(outcomes: list[Outcome], verdict: Verdict) -> None:
    assert of_node("n1", outcomes) == verdict


@pytest.mark.parametrize(("outcomes", "verdict"), NODES)
def test_nodes_to_show_of_failed_are_those_that_are_not_well_after_one_that_is(
    outcomes: list[Outcome], verdict: Verdict
) -> None:
    every = [*(replace(item, node="n1") for item in outcomes), replace(OK, node="n2"), replace(OK, node="n3")]
    shown = nodes_to_show(every, "failed")
    is_well = not (verdict.failed or verdict.unreachable)
    assert shown == (["n1"] if is_well and outcomes else ["n2"] if is_well else ["n2", "n1"])
    assert nodes_to_show(every, "all") is None


def test_nodes_to_show_when_nothing_is_well_are_all_that_failed() -> None:
    assert nodes_to_show([replace(SILENT, node=name) for name in "abb"], "failed") == ["a", "b"]
    assert nodes_to_show([], "failed") == []


def test_nodes_to_show_are_by_themselves_as_many_as_can_be_read() -> None:
    few = [replace(OK, node=f"n{number}") for number in range(READ_AT_A_GLANCE)]
    assert nodes_to_show([*few, *few]) is None
    assert nodes_to_show([*few, replace(SILENT, node="one more")]) == ["n0", "one more"]


def test_of_node_many_messages_are_cut_with_a_count() -> None:
    failures = [outcome("push", "failed", kind="timed_out", message=f"late {number}") for number in range(9)]
    assert f"late {MOST_MESSAGES - 1}. And {9 - MOST_MESSAGES} more. " in of_node("n1", failures).msg
    assert of_node("n1", failures).msg.endswith(DO["timed_out"])


NO_TICKET = outcome("tickets", "failed", kind="keytab_missing", message="dune_production: no keytab.")
NO_CREDD = outcome(
    "store",
    "failed",
    kind="credd_unavailable",
    message="dune_analysis on credd c1: no answer",
    config_service="dune_analysis",
)
NO_PING = outcome("ping", "failed", kind="ping_unanswered", message="n2: silence", config_service="", node="n2")
PING = outcome("ping", "ok", node="n1", config_service="")
MANY_SILENT = [replace(NO_PING, node=f"n{number:02}") for number in range(MOST_NAMES + 3)]
SETUP = outcome("setup", "ok")

HELD = outcome(
    "setup",
    "skipped",
    config_service="nova_production",
    kind="service_held",
    message="nova_production: all its 2 nodes are being served.",
)
PARTLY_HELD = outcome("setup", "skipped", kind="service_held", message="dune_production: 1 of its 2 nodes are.")
NO_STATE = outcome("state", "failed", service="", config_service="", kind="state_unavailable", message="It is locked.")

# Outcomes, whether nodes are told, whether the run failed, what its sentence begins with.
RUNS: tuple[tuple[list[Outcome], bool, bool, str], ...] = (
    ([SETUP], True, False, "1 of 1 services well."),
    (
        [SETUP, OK, CHANGED],
        True,
        False,
        "2 of 2 services well, 2 of 2 (service, node) pairs in place, 1 of them renewed.",
    ),
    ([OK, NO_PING], True, False, "1 of 1 services well, 1 of 1 (service, node) pairs in place"),
    ([NO_TICKET], True, True, "0 of 1 services well. dune_production: no keytab. Install the keytab"),
    (
        [NO_CREDD, CHANGED],
        True,
        True,
        (
            "0 of 1 services well, 1 of 1 (service, node) pairs in place, 1 of them renewed. "
            "dune_analysis on credd c1: no answer. Check"
        ),
    ),
    ([SILENT], True, False, "0 of 1 services well, 0 of 1 (service, node) pairs in place"),
    (
        [SILENT],
        False,
        True,
        "0 of 1 services well, 0 of 1 (service, node) pairs in place, 0 of them renewed. no answer. Check",
    ),
    ([NO_TICKET, outcome("push", "skipped", kind="not_attempted", message="not tried")], True, False, "0 of 1"),
    ([NO_TICKET, outcome("push", "skipped", kind="not_attempted", message="not tried")], False, True, "0 of 1"),
    (
        [HELD],
        True,
        False,
        "0 of 0 services well, 1 left to another run that serves them now: nova_production. nova_production: all its",
    ),
    (
        [HELD, SETUP, OK],
        True,
        False,
        (
            "1 of 1 services well, 1 of 1 (service, node) pairs in place, 0 of them renewed, "
            "1 left to another run that serves them now: nova_production. "
            "nova_production: all its 2 nodes are being served."
        ),
    ),
    ([SETUP, PING], True, False, "1 of 1 nodes answer."),
    ([SETUP, PING, NO_PING, NO_PING], True, False, "1 of 2 nodes answer. No answer from n2."),
    (
        [SETUP, *MANY_SILENT],
        True,
        False,
        f"0 of {MOST_NAMES + 3} nodes answer. No answer from n00, n01, n02,",
    ),
    ([PARTLY_HELD, SETUP, OK], True, False, "1 of 1 services well, 1 of 1 (service, node) pairs in place, 0 of"),
    ([PARTLY_HELD, NO_TICKET], True, True, "0 of 1 services well. dune_production: no keytab."),
    (
        [HELD, NO_TICKET],
        True,
        True,
        "0 of 1 services well, 1 left to another run that serves them now: nova_production. dune",
    ),
    (
        [SETUP, OK, NO_STATE],
        True,
        True,
        (
            "1 of 1 services well, 1 of 1 (service, node) pairs in place, 0 of them renewed. It is locked. "
            f"{DO['state_unavailable']}"
        ),
    ),
    ([SETUP, SILENT, NO_STATE], True, True, "0 of 1 services well, 0 of 1 (service, node) pairs in place, 0 of them"),
)


@pytest.mark.parametrize(("outcomes", "told", "failed", "words"), RUNS)
def test_of_run_fails_for_what_no_node_has_shown(outcomes: list[Outcome], told: bool, failed: bool, words: str) -> None:
    verdict = of_run(outcomes, nodes_are_told=told)
    assert verdict.failed is failed
    assert verdict.msg.startswith(words)
    assert not verdict.unreachable


def test_left_to_others_are_those_of_which_nothing_was_done() -> None:
    assert left_to_others([HELD, PARTLY_HELD, SETUP]) == {"nova_production": HELD.message}
    assert left_to_others([]) == {}


def test_of_run_in_check_mode_says_what_would_be() -> None:
    assert of_run([CHANGED], check_mode=True).msg == (
        "1 of 1 services well, 1 of 1 (service, node) pairs would be in place, 1 of them would be renewed."
    )


def test_advise_adds_what_to_do() -> None:
    assert advise(NO_TICKET) == f"dune_production: no keytab. {explain('keytab_missing').advice}"


RESULTS: tuple[tuple[Verdict, dict[str, t.Any]], ...] = (
    (Verdict("m", changed=True), {"msg": "m", "changed": True}),
    (Verdict("m", failed=True), {"msg": "m", "changed": False, "failed": True}),
    (Verdict("m", unreachable=True), {"msg": "m", "changed": False, "unreachable": True}),
)


@pytest.mark.parametrize(("verdict", "result"), RESULTS)
def test_to_result_has_only_the_flags_that_are_so(verdict: Verdict, result: dict[str, t.Any]) -> None:
    assert verdict.to_result() == result
