# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong after a run, and the memory of what was told: keys, order, size."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, PUSH, RUN, SETUP, SLACK, Key
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import (
    Counters,
    Telling,
    Told,
    ends_of,
    troubles_of,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.telling_rules import DUNE, collected

NODE = Key(PUSH, DUNE, "n1")
PROGRAM = Key(RUN, "token-push")

KEYS: tuple[tuple[Outcome, list[Key]], ...] = (
    (outcome("setup", "failed"), [Key(SETUP, DUNE)]),
    (outcome("tickets", "failed"), [Key(SETUP, DUNE)]),
    (outcome("store", "failed", credd="c1"), [Key(SETUP, DUNE)]),
    (outcome("push", "failed", node="n1"), [NODE]),
    (outcome("ping", "failed", service="", config_service="", node="n1"), []),
    (outcome("state", "failed"), [PROGRAM]),
    (outcome("registry", "failed", account="dunepro"), [PROGRAM]),
    (outcome("setup", "failed", service="", config_service=""), [PROGRAM]),
    (outcome("push", "skipped", node="n1"), []),
    (outcome("push", "ok", node="n1"), []),
)


@pytest.mark.parametrize(("what", "keys"), KEYS)
def test_troubles_of_every_stage_have_a_key(what: Outcome, keys: list[Key]) -> None:
    assert [notice.key for notice in troubles_of(collected(what), Counters())] == keys


@pytest.mark.parametrize("stage", ["setup", "tickets", "node_removal", "credd_removal", "kept_removal", "state"])
def test_troubles_of_an_offboarding_are_the_run_s_and_wait_for_no_threshold(stage: str) -> None:
    run = collected(outcome(stage, "failed", node="n1"))
    run.program = "offboarding"
    assert [notice.key for notice in troubles_of(run, Counters())] == [Key(RUN, "offboarding")]


def test_troubles_of_are_named_after_the_configuration_and_not_the_real_service() -> None:
    found = troubles_of(collected(outcome("push", "failed", service="dune", node="n1")), Counters())
    assert [notice.key for notice in found] == [NODE]


def test_counters_of_what_was_never_counted_are_zero() -> None:
    counters = Counters({DUNE: 2}, {(DUNE, "n1"): 4})
    assert [counters.of(key) for key in (Key(SETUP, DUNE), NODE, Key(SETUP, "x"), Key(PUSH, DUNE, "x"))] == [2, 4, 0, 0]


@pytest.mark.parametrize(
    ("channel", "begun", "knows"),
    [(EMAIL, 500.0, True), (EMAIL, 499.0, True), (EMAIL, 501.0, False), (EMAIL, 0.0, False), (SLACK, 1.0, False)],
)
def test_told_knows_a_trouble_that_was_there_when_it_told(channel: str, begun: float, *, knows: bool) -> None:
    assert Told({EMAIL: {NODE: Telling(500.0)}}).knows(channel, NODE, begun) is knows


def test_ends_of_is_since_the_first_channel_told() -> None:
    told = Told({SLACK: {NODE: Telling(400.0, "b")}, EMAIL: {NODE: Telling(500.0, "a")}})
    (end,) = ends_of(collected(outcome("push", "ok", node="n1")), told)
    assert (end.since, end.kind, end.message, end.is_recovery) == (400.0, "a", "", True)
