# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's metrics are the database's when there is one, and its own otherwise; its verdict is always its own."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STAGES, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_of_run import snapshot_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import LastRun
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    BEGAN,
    at,
    bad_run,
    collected,
    good_run,
    refresh_run,
    refused_run,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import (
    named,
    refresh_uids,
    series_of,
    token_push,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

NOW = BEGAN + 11
NOVA = service("nova_production", nodes=(node("n3"),))


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


def of(found: dict[str, t.Sequence[t.Any]]) -> dict[str, int]:
    return {stage: len(items) for stage, items in found.items() if items}


def test_without_a_database_the_snapshot_is_of_this_run_alone() -> None:
    found, problem = snapshot_of(None, bad_run(), NOW)
    assert problem == ""
    assert of(dict(found.attempts)) == {"tickets": 1, "store": 1, "ping": 1, "push": 2}
    assert found.services == {"dune_production": "dune_production"}
    assert named(series_of(found), "failed_token_push_count") == {("n2.lab.example", "dune_production"): 1}
    assert not found.setup_errors  # how often it failed before, nobody knows
    assert found.runs == {TOKEN_PUSH: LastRun(BEGAN + 10, False)}


def test_with_a_database_the_snapshot_is_the_database_s(state: State) -> None:
    token_push(state, [NOVA])
    found, problem = snapshot_of(state, bad_run(), time.time())
    assert (problem, set(found.services)) == ("", {"nova_production"})
    assert found.runs == {TOKEN_PUSH: LastRun(BEGAN + 10, False)}


def test_with_a_broken_database_it_is_of_this_run_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("no database " * 100)
    broken = state_at(tmp_path / "broken.db")
    found, problem = snapshot_of(broken, good_run(), NOW)
    assert problem.startswith(f"The state database {broken.label} ")
    assert problem.endswith(" The metrics are those of this run alone.")
    assert set(found.services) == {"dune_production"}


def test_with_an_empty_database_it_is_of_this_run_and_makes_no_file(state: State) -> None:
    found, problem = snapshot_of(state, good_run(), NOW)
    assert (problem, set(found.services)) == ("", {"dune_production"})
    assert state.location.path is not None
    assert not state.location.path.exists()


def no_outcomes(**changes: t.Any) -> Collected:
    return collected([], **changes)


@pytest.mark.parametrize(
    ("run", "is_well"),
    [
        (good_run(), True),
        (bad_run(), False),
        (refused_run(), False),
        (no_outcomes(), False),
        (good_run(unreachable=("n1.lab.example",)), False),
        # Green although a ping was not answered, as the run's exit status is.
        (collected([at("ping", "failed", node="n1"), at("push", "ok", node="n1")]), True),
    ],
)
def test_verdict_is_the_run_s_own_whatever_the_database_has(state: State, run: Collected, is_well: bool) -> None:
    token_push(state, [NOVA])
    for where in (None, state):
        assert snapshot_of(where, run, NOW)[0].runs[TOKEN_PUSH] == LastRun(BEGAN + 10, is_well)


def test_verdicts_of_other_programs_stay(state: State) -> None:
    refresh_uids(state, {"dunepro": 1})
    found = snapshot_of(state, refused_run(), time.time())[0].runs
    assert {program: last.is_well for program, last in found.items()} == {TOKEN_PUSH: False, REFRESH_UIDS: True}


def test_refresh_without_a_database_has_its_requests() -> None:
    series = series_of(snapshot_of(None, refresh_run(), NOW)[0])
    assert (
        named(series, "ferry_request_error_count") == named(series, "ferry_request_duration_seconds_count") == {(): 1}
    )
    assert named(series, "run_success") == {(REFRESH_UIDS,): 0}


def test_run_without_times_ended_now() -> None:
    assert snapshot_of(None, Collected(), NOW)[0].runs == {TOKEN_PUSH: LastRun(NOW, False)}


def test_clocks_that_are_far_off_are_no_trouble() -> None:
    outcomes = [
        Outcome(stage, "ok", "s", "s", node="n", started=float("nan"), seconds=float("inf")) for stage in STAGES
    ]
    run = replace(good_run(), outcomes=outcomes, started=float("-inf"), ended=float("nan"), deadline=1e300)
    found = snapshot_of(None, run, NOW)[0]
    assert found.services == {"s": "s"}
    assert found.runs[TOKEN_PUSH].ended == NOW
