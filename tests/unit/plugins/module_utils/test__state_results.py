# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last attempt and success of everything, and failures in a row as the Go service's tables hold them."""

from __future__ import annotations

import time
import typing as t
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_migrations import bring_up_to_date
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    LONGEST_MESSAGE,
    count_failures,
    last_success,
    push_counters,
    remember_outcomes,
    setup_counters,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

A, B = "dune_production", "nova_production"


def remember(state: State, *outcomes: Outcome, run: str = "r1") -> None:
    """Remember in a transaction of its own."""
    with state.write() as db:
        remember_outcomes(db, outcomes, run=run)


def rows(state: State) -> dict[tuple[str, str, str], t.Any]:
    with state.read() as db:
        return {(row.stage, row.service, row.target): row for row in db.execute(sa.select(schema().results))}


def stored(status: str, started: float, /, **changes: t.Any) -> Outcome:
    """Give a store that took two seconds."""
    more = {"kind": "credd_unavailable", "message": "no answer"} if status == "failed" else {}
    return outcome("store", status, **{"credd": "c1", "started": started, "seconds": 2.0, **more, **changes})


KEY = ("store", A, "c1")


def test_remember_outcomes_has_a_row_for_each_stage_service_and_target(state: State) -> None:
    remember(
        state,
        outcome("setup", "ok"),
        outcome("tickets", "ok"),
        stored("changed", 1.0),
        stored("ok", 1.0, credd="c2"),
        outcome("ping", "failed", service="", config_service="", node="n1"),
        outcome("push", "failed", node="n1"),
        outcome("registry", "ok", service="", config_service="", account="dunepro"),
    )
    assert set(rows(state)) == {
        ("setup", A, ""),
        ("tickets", A, ""),
        KEY,
        ("store", A, "c2"),
        ("ping", "", "n1"),
        ("push", A, "n1"),
        ("registry", "", "dunepro"),
    }


def test_remember_outcomes_only_attempts(state: State) -> None:
    remember(state, stored("ok", 1.0))
    before = rows(state)
    remember(state, stored("skipped", 50.0), outcome("push", "skipped", kind="not_attempted", node="n1"), run="r2")
    remember(state)
    assert rows(state) == before


@pytest.mark.parametrize("order", [("ok", "failed"), ("failed", "ok"), ("changed", "failed", "ok", "skipped")])
def test_remember_outcomes_failure_wins(state: State, order: tuple[str, ...]) -> None:
    remember(state, *(stored(status, 1.0) for status in order))
    assert rows(state)[KEY].status == "failed"


def test_remember_outcomes_failing_since_stays_over_failures_and_ends_with_success(state: State) -> None:
    remember(state, stored("ok", 100.0, life=50.0), run="r1")
    told = []
    for number, (status, started) in enumerate(
        [("failed", 200.0), ("failed", 300.0), ("changed", 400.0), ("failed", 500.0)], start=2
    ):
        remember(state, stored(status, started, life=70.0 if status == "changed" else 0.0), run=f"r{number}")
        row = rows(state)[KEY]
        told.append(
            (row.status, row.attempted, row.succeeded, row.failing_since, row.kind, row.message, row.expires, row.run)
        )
    assert told == [
        ("failed", 202.0, 102.0, 200.0, "credd_unavailable", "no answer", 152.0, "r2"),
        ("failed", 302.0, 102.0, 200.0, "credd_unavailable", "no answer", 152.0, "r3"),
        ("changed", 402.0, 402.0, 0.0, "", "", 472.0, "r4"),
        ("failed", 502.0, 402.0, 500.0, "credd_unavailable", "no answer", 472.0, "r5"),
    ]


def test_remember_outcomes_success_of_unknown_life_has_no_end(state: State) -> None:
    remember(state, stored("ok", 100.0, life=50.0))
    remember(state, stored("ok", 200.0))
    assert rows(state)[KEY].expires == 0.0


def test_remember_outcomes_twice_in_one_run_is_as_once(state: State) -> None:
    for run, outcomes in (("r1", [stored("ok", 10.0)]), ("r2", [stored("failed", 100.0)])):
        remember(state, *outcomes, run=run)
        before = rows(state)
        remember(state, *outcomes, run=run)
        assert rows(state) == before


def test_remember_outcomes_of_a_run_that_ends_late_are_no_news(state: State) -> None:
    """The store of the run that ends last was the earlier one, and is told again at its end."""
    early, late = stored("failed", 100.0), stored("ok", 200.0)
    remember(state, early, run="slow")
    remember(state, late, run="quick")
    before = rows(state)
    remember(state, early, outcome("push", "ok", node="n1", started=300.0), run="slow")
    after = rows(state)
    assert after.pop(("push", A, "n1")).run == "slow"
    assert after == before


def test_remember_outcomes_after_a_clock_was_wrong_are_taken(state: State) -> None:
    remember(state, stored("failed", time.time() + 86400), run="wrong")
    remember(state, stored("ok", 1000.0), run="right")
    assert rows(state)[KEY].run == "right"


def test_remember_outcomes_messages_are_cut_and_remarks_left_out(state: State) -> None:
    remember(state, stored("failed", 1.0, message="x" * 5000), stored("ok", 1.0, credd="c2", kind="k", message="m"))
    assert rows(state)[KEY].message == "x" * LONGEST_MESSAGE
    assert (rows(state)["store", A, "c2"].kind, rows(state)["store", A, "c2"].message) == ("", "")


def test_last_success_only_of_what_does_not_fail_now(state: State) -> None:
    remember(state, stored("ok", 10.0), stored("ok", 20.0, credd="c2"), outcome("tickets", "ok"), run="r1")
    remember(state, stored("failed", 30.0), stored("failed", 30.0, credd="c3"), run="r2")
    with state.read() as db:
        assert last_success(db, "store") == {(A, "c2"): (22.0, "r1")}
        assert last_success(db, "push") == {}


# -- counters ---------------------------------------------------------


def tally(state: State, *runs: t.Sequence[Outcome]) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Count run after run; give both kinds of counters."""
    for outcomes in runs:
        with state.write() as db:
            count_failures(db, outcomes)
    with state.read() as db:
        return dict(setup_counters(db)), dict(push_counters(db))


BAD_STORE, GOOD_STORE = outcome("store", "failed", credd="c1"), outcome("store", "ok", credd="c1")
GOOD_OTHER = outcome("store", "changed", credd="c2")
NO_TICKET, TICKET = outcome("tickets", "failed"), outcome("tickets", "ok")
BAD_PUSH, GOOD_PUSH = outcome("push", "failed", node="n1"), outcome("push", "ok", node="n1")

# What each run brought, and the counter of the service then.
SETUPS: tuple[tuple[tuple[list[Outcome], ...], dict[str, int]], ...] = (
    (([outcome("setup", "ok"), TICKET, GOOD_STORE],), {}),
    (([BAD_STORE],), {A: 1}),
    (([NO_TICKET, BAD_STORE, outcome("setup", "failed")],), {A: 1}),
    (([BAD_STORE, GOOD_OTHER],), {A: 1}),
    (([GOOD_OTHER, BAD_STORE],), {A: 1}),
    (([BAD_STORE], [NO_TICKET], [outcome("setup", "failed")]), {A: 3}),
    (([BAD_STORE], [TICKET]), {A: 1}),
    (([BAD_STORE], [outcome("setup", "ok")]), {A: 1}),
    (([BAD_STORE], [outcome("store", "skipped", credd="c1")]), {A: 1}),
    (([BAD_STORE], []), {A: 1}),
    (([BAD_STORE], [BAD_STORE], [TICKET, GOOD_STORE]), {A: 0}),
    (([BAD_STORE], [GOOD_STORE], [BAD_STORE]), {A: 1}),
    (([BAD_STORE], [outcome("store", "ok", config_service=B)]), {A: 1}),
    (([BAD_PUSH], [outcome("ping", "failed", config_service="", node="n1")]), {}),
    (
        (
            [
                outcome("registry", "failed", config_service="", account="a"),
                outcome("state", "failed", config_service=""),
            ],
        ),
        {},
    ),
)


@pytest.mark.parametrize(("runs", "counters"), SETUPS)
def test_count_failures_of_setting_up(state: State, runs: tuple[list[Outcome], ...], counters: dict[str, int]) -> None:
    assert tally(state, *runs)[0] == counters


PUSHES: tuple[tuple[tuple[list[Outcome], ...], dict[tuple[str, str], int]], ...] = (
    (([GOOD_PUSH],), {}),
    (([BAD_PUSH],), {(A, "n1"): 1}),
    (([BAD_PUSH, GOOD_PUSH],), {(A, "n1"): 1}),
    (([BAD_PUSH], [BAD_PUSH, outcome("push", "failed", node="n2")]), {(A, "n1"): 2, (A, "n2"): 1}),
    (([BAD_PUSH], [outcome("push", "failed", node="n1", config_service=B)]), {(A, "n1"): 1, (B, "n1"): 1}),
    (([BAD_PUSH], [BAD_PUSH], [outcome("push", "changed", node="n1")]), {(A, "n1"): 0}),
    (([BAD_PUSH], [outcome("push", "skipped", node="n1", kind="not_attempted")]), {(A, "n1"): 1}),
    (([BAD_PUSH], [NO_TICKET]), {(A, "n1"): 1}),
)


@pytest.mark.parametrize(("runs", "counters"), PUSHES)
def test_count_failures_of_pushing(
    state: State, runs: tuple[list[Outcome], ...], counters: dict[tuple[str, str], int]
) -> None:
    assert tally(state, *runs)[1] == counters


def test_counters_of_names_that_have_none_are_zero(state: State) -> None:
    with state.read() as db:
        assert (setup_counters(db)["x"], push_counters(db)["x", "n"]) == (0, 0)


def test_count_failures_goes_on_from_rows_without_a_count_or_a_name(state: State) -> None:
    """The Go service leaves rows of no service when a name was unknown to it."""
    tally(state, [BAD_STORE, BAD_PUSH])
    with state.write() as db:
        db.exec_driver_sql("UPDATE setup_errors SET count = NULL")
        db.exec_driver_sql("UPDATE push_errors SET count = NULL")
        db.exec_driver_sql("INSERT INTO setup_errors VALUES (NULL, 5)")
        db.exec_driver_sql("INSERT INTO push_errors VALUES (NULL, NULL, 5), (1, NULL, 5)")
    assert tally(state) == ({A: 0}, {(A, "n1"): 0})
    assert tally(state, [BAD_STORE, BAD_PUSH]) == ({A: 1}, {(A, "n1"): 1})


@pytest.mark.parametrize("name", ["0123", "1e5", "10.10", "123"])
def test_count_failures_node_that_looks_like_a_number_is_no_crash(state: State, name: str) -> None:
    bad, good = outcome("push", "failed", node=name), outcome("push", "ok", node=name)
    assert list(tally(state, [bad, BAD_PUSH], [bad, BAD_PUSH])[1].values()) == [2, 2]
    assert sorted(tally(state, [good, BAD_PUSH])[1].values()) == [0, 3]


SERVICES = st.sampled_from((A, B))
STATUSES = st.sampled_from(("ok", "changed", "failed", "skipped"))
SETUP_OUTCOMES = st.builds(
    lambda stage, status, service, credd: outcome(stage, status, config_service=service, credd=credd),
    st.sampled_from(("setup", "tickets", "store")),
    STATUSES,
    SERVICES,
    st.sampled_from(("c1", "c2")),
)
PUSH_OUTCOMES = st.builds(
    lambda status, service, node: outcome("push", status, config_service=service, node=node),
    STATUSES,
    SERVICES,
    st.sampled_from(("n1", "n2")),
)


@given(st.lists(st.lists(SETUP_OUTCOMES | PUSH_OUTCOMES, max_size=8), max_size=6))
def test_count_failures_of_any_runs_is_like_the_rule(runs: list[list[Outcome]]) -> None:
    setup: Counter[str] = Counter()
    push: Counter[tuple[str, str]] = Counter()
    engine = sa.create_engine("sqlite://")
    with engine.begin() as db:
        bring_up_to_date(db, "x")
        for outcomes in runs:
            count_failures(db, outcomes)
            tried = [item for item in outcomes if item.status != "skipped"]
            for service in (A, B):
                of_setup = [item for item in tried if item.config_service == service and item.stage != "push"]
                if any(item.status == "failed" for item in of_setup):
                    setup[service] += 1
                elif any(item.stage == "store" for item in of_setup):
                    setup[service] = 0
            for key in {(item.config_service, item.node) for item in tried if item.stage == "push"}:
                bad = any(item.status == "failed" for item in tried if (item.config_service, item.node) == key)
                push[key] = push[key] + 1 if bad else 0
            assert +setup_counters(db) == +setup
            assert +push_counters(db) == +push
        for name in ("setup_errors", "push_errors"):
            counts = db.execute(sa.select(schema().shared.tables[name])).mappings().all()
            assert all(None not in row.values() for row in counts)
    engine.dispose()


@pytest.mark.parametrize(("status", "is_over"), [("ok", True), ("changed", True), ("failed", False)])
def test_remember_outcomes_of_what_was_to_be_removed_and_is_there_again(
    state: State, status: str, is_over: bool
) -> None:
    remember(
        state,
        outcome("node_removal", "failed", node="n1", kind="x"),
        outcome("node_removal", "failed", node="n2", kind="x"),
        outcome("credd_removal", "failed", credd="c1", kind="x"),
    )
    remember(state, outcome("push", status, node="n1"), outcome("store", status, credd="c1"), run="r2")
    before = {("node_removal", "n1"), ("node_removal", "n2"), ("credd_removal", "c1")}
    left = {(stage, target) for stage, _service, target in rows(state) if stage.endswith("_removal")}
    assert left == ({("node_removal", "n2")} if is_over else before)
