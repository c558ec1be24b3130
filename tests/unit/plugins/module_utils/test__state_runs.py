# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds what, for how long, and what is known of runs that never ended."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StateUnusable
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder, holder, this_machine
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import (
    ENDED,
    INTERRUPTED,
    KEEP_RUNS_S,
    LONGEST_MESSAGE,
    MARGIN_S,
    RUNNING,
    Ending,
    Hold,
    RunRow,
    begin_run,
    break_holds,
    end_run,
    hold,
    holds_of_others,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

NOW = 1_000_000.0
ELSEWHERE = Holder("far.lab.example", "another machine", 7, 1)


def run(name: str, /, **changes: t.Any) -> RunRow:
    """Give a run on another machine, which began just now and has ten minutes."""
    values: dict[str, t.Any] = {
        "id": name,
        "program": "token-push",
        "started": NOW,
        "deadline": NOW + 600,
        "holder": ELSEWHERE,
        **changes,
    }
    return RunRow(**values)


def begin(state: State, row: RunRow, services: dict[str, list[str]], *, now: float = NOW) -> list[RunRow]:
    """Begin a run that holds these nodes of services."""
    with state.write() as db:
        lost = begin_run(db, row, now=now)
        hold(db, row.id, services)
        return lost


def held(state: State, me: str = "me", *, now: float = NOW) -> list[tuple[str, list[str], str]]:
    """Give what others hold: service, nodes, run."""
    with state.read() as db:
        return [(item.service, sorted(item.nodes), item.run.id) for item in holds_of_others(db, me, now=now)]


def states(state: State) -> dict[str, tuple[str, float]]:
    """Give each run's state and its end."""
    table = schema().runs
    with state.read() as db:
        return {row.id: (row.state, row.ended) for row in db.execute(sa.select(table))}


def end(state: State, row: RunRow, *, now: float = NOW, message: str = "") -> None:
    with state.write() as db:
        end_run(db, row, Ending(now, well=3, failed=2, message=message))


def ended_holder() -> Holder:
    """Give a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        return holder(child.pid)


# What a run that was killed had written down, and what the next one says of it.
LEFT: tuple[tuple[list[Outcome], str], ...] = (
    ([], ""),
    (
        [outcome("tickets", "ok"), outcome("store", "ok", credd="c1"), outcome("store", "failed", credd="c2")],
        "it had come to the stage store, with 2 results",
    ),
)


@pytest.mark.parametrize(("outcomes", "left"), LEFT)
def test_begin_run_says_how_far_a_run_had_come_that_never_ended(
    state: State, outcomes: list[Outcome], left: str
) -> None:
    lost = run("one", deadline=NOW - 100)
    begin(state, lost, {"dune_production": ["n1"]})
    with state.write() as db:
        remember_outcomes(db, outcomes, run="one")
        remember_outcomes(db, [outcome("push", "ok", node="n9")], run="earlier")
    assert begin(state, run("two"), {}) == [replace(lost, left=left)]
    with state.read() as db:
        table = schema().runs
        assert db.execute(sa.select(table.c.message).where(table.c.id == "one")).scalar_one() == left


def test_holds_of_a_run_are_seen_by_others_and_not_by_itself(state: State) -> None:
    begin(state, run("one"), {"dune_production": ["n2", "n1"], "nova_production": []})
    assert held(state, "one") == []
    assert held(state) == [("dune_production", ["n1", "n2"], "one"), ("nova_production", [], "one")]
    with state.read() as db:
        assert holds_of_others(db, "me", now=NOW)[0] == Hold("dune_production", frozenset({"n1", "n2"}), run("one"))


def test_holds_of_two_runs_on_one_service_stand_side_by_side(state: State) -> None:
    begin(state, run("one"), {"dune_production": ["n1"]})
    begin(state, run("two", holder=holder(os.getpid())), {"dune_production": ["n2"]})
    assert held(state) == [("dune_production", ["n1"], "one"), ("dune_production", ["n2"], "two")]
    assert held(state, "two") == [("dune_production", ["n1"], "one")]


# The holder, how long after the deadline, whether the hold still counts.
LIVES: dict[str, tuple[t.Callable[[], Holder], float, bool]] = {
    "elsewhere, in time": (lambda: ELSEWHERE, 0.0, True),
    "elsewhere, in the margin": (lambda: ELSEWHERE, MARGIN_S, True),
    "elsewhere, after the margin": (lambda: ELSEWHERE, MARGIN_S + 0.5, False),
    "alive here, in time": (lambda: holder(os.getpid()), -1.0, True),
    "alive here, after the margin": (lambda: holder(os.getpid()), MARGIN_S + 0.5, False),
    "dead here": (ended_holder, -599.0, False),
    "another process with its number": (lambda: Holder("h", this_machine(), os.getpid(), 1), -599.0, False),
    "another machine's process of that number": (lambda: Holder("h", "another", os.getpid(), 1), -599.0, True),
    "not to be looked at": (lambda: holder(None), 0.0, True),
    "not to be looked at, after the margin": (lambda: holder(None), MARGIN_S + 0.5, False),
}


@pytest.mark.parametrize("name", sorted(LIVES))
def test_holds_live_as_long_as_their_run(state: State, name: str) -> None:
    make, after, counts = LIVES[name]
    one = run("one", holder=make())
    now = one.deadline + after
    begin(state, one, {"dune_production": ["n1"]})
    assert bool(held(state, now=now)) is counts
    # The next run marks it as interrupted, once.
    assert begin(state, run("two", deadline=now + 600), {}, now=now) == ([] if counts else [one])
    assert begin(state, run("three", deadline=now + 600), {}, now=now) == []
    assert states(state)["one"] == ((RUNNING, 0.0) if counts else (INTERRUPTED, now))
    with state.read() as db:
        assert len(db.execute(sa.select(schema().holds)).all()) == counts


def test_hold_needs_a_run_and_goes_with_it(state: State) -> None:
    one = run("one")
    with pytest.raises(StateUnusable, match="FOREIGN KEY constraint failed"), state.write() as db:
        hold(db, one.id, {"dune_production": ["n1"]})
    begin(state, one, {"dune_production": ["n1"]})
    with state.write() as db:
        db.execute(sa.delete(schema().runs))
        assert db.execute(sa.select(schema().holds)).all() == []


def test_end_run_lets_go_and_says_how_it_went(state: State) -> None:
    one = run("one")
    begin(state, one, {"dune_production": ["n1"]})
    end(state, one, now=NOW + 5, message="m" * 3000)
    assert held(state) == []
    with state.read() as db:
        row = db.execute(sa.select(schema().runs)).one()
    assert (row.state, row.ended, row.well, row.failed) == (ENDED, NOW + 5, 3, 2)
    assert row.message == "m" * LONGEST_MESSAGE
    assert begin(state, run("two"), {}, now=NOW + 10_000) == []


def test_end_run_whose_beginning_was_not_written_is_known_all_the_same(state: State) -> None:
    end(state, run("one"), now=NOW + 5)
    assert states(state) == {"one": (ENDED, NOW + 5)}


def test_end_run_that_was_taken_for_dead_has_ended(state: State) -> None:
    one = run("one", holder=ended_holder())
    begin(state, one, {"dune_production": ["n1"]})
    assert begin(state, run("two"), {}) == [one]
    end(state, one, now=NOW + 5)
    assert states(state)["one"] == (ENDED, NOW + 5)


def test_break_holds_takes_over_from_all_others(state: State) -> None:
    begin(state, run("one"), {"dune_production": ["n1"]})
    begin(state, run("two"), {"dune_production": ["n2"]})
    with state.write() as db:
        break_holds(db, "two")
    assert held(state) == [("dune_production", ["n2"], "two")]
    # The other one may be alive after all; it ends as always.
    end(state, run("one"))
    assert states(state)["one"][0] == ENDED


def test_begin_run_forgets_runs_of_long_ago_that_are_over(state: State) -> None:
    old = NOW - KEEP_RUNS_S - 1
    for name in ("old", "endless", "recent"):
        started = NOW - KEEP_RUNS_S + 1 if name == "recent" else old
        row = run(name, started=started, deadline=NOW + 600)
        begin(state, row, {}, now=old)
        if name != "endless":
            end(state, row, now=old)
    begin(state, run("new"), {})
    assert sorted(states(state)) == ["endless", "new", "recent"]


def test_begin_run_marks_a_lost_run_of_long_ago_before_it_is_forgotten(state: State) -> None:
    lost = run("lost", started=NOW - KEEP_RUNS_S - 1, deadline=NOW - KEEP_RUNS_S)
    begin(state, lost, {"dune_production": ["n1"]}, now=lost.started)
    assert begin(state, run("new"), {}) == [lost]
    assert sorted(states(state)) == ["new"]
