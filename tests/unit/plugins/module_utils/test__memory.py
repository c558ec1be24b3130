# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database as one run uses it: a database in trouble is a sentence, and never an error."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils import _last_known_uids as last_known
from ansible_collections.fife.managed_tokens.plugins.module_utils import _memory as memory
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_runs as runs
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StateUnavailable
from ansible_collections.fife.managed_tokens.plugins.module_utils._last_known_uids import recall
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import Beginning, UidBook
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    push_counters,
    remember_outcomes,
    setup_counters,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import (
    KnownUid,
    known_uids,
    store_uids,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, outcome, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

N1, N2, N3 = (node(f"n{number}") for number in (1, 2, 3))
DUNE = service(nodes=(N1, N2))
NOVA = service("nova_production", nodes=(N3,))


@pytest.fixture
def broken(tmp_path: Path) -> State:
    """Give a database that cannot be used at all."""
    (tmp_path / "broken.db").write_text("no database " * 100)
    return state_at(tmp_path / "broken.db")


def began(state: State | None, run: Run, services: t.Sequence[Service] = (DUNE,), **more: t.Any) -> Beginning:
    """Begin a run of this process that serves these services, of two that are configured."""
    values: dict[str, t.Any] = {
        "program": memory.TOKEN_PUSH,
        "owner": os.getpid(),
        "forget_after": 100.0,
        "take_over": False,
        **more,
    }
    return memory.begin(state, run, services, (DUNE, NOVA), **values)


def new_run(seconds: float = 0.0) -> Run:
    """Give a run that began so many seconds ago."""
    run = Run.begin(Timeouts())
    return replace(run, started=run.started - seconds, deadline=run.deadline - seconds)


def holds(state: State) -> dict[tuple[str, str], str]:
    with state.read() as db:
        return {(row.service, row.run): row.nodes for row in db.execute(sa.select(schema().holds))}


# -- UIDs ---------------------------------------------------------


def test_look_up_uids_without_a_database_knows_none(tmp_path: Path) -> None:
    assert memory.look_up_uids(None, tmp_path) == UidBook()


def test_look_up_uids_of_a_new_database_is_no_trouble(state: State, tmp_path: Path) -> None:
    assert memory.look_up_uids(state, tmp_path) == UidBook()
    assert list(tmp_path.iterdir()) == []


def test_look_up_uids_falls_back_to_the_last_known_ones(state: State, tmp_path: Path) -> None:
    with state.write() as db:
        store_uids(db, {"dunepro": 1, "novapro": 2}, [], now=1.0, source="a test")
    book = memory.look_up_uids(state, tmp_path / "kept")
    assert (book.source(["dunepro", "x"]), book.trouble) == ({"dunepro": 1}, "")
    assert memory.remember_uids(book, tmp_path / "kept") == []
    (tmp_path / "state.db").write_text("no database " * 100)
    again = memory.look_up_uids(state, tmp_path / "kept")
    assert again.source(["dunepro", "novapro", "x"]) == {"dunepro": 1, "novapro": 2}
    assert again.trouble == f"The state database {state.label} is not an SQLite database."
    assert again.remark == f"The UIDs of 2 accounts are those that the state database {state.label} gave last."
    # Of such UIDs nobody says that they are old, and they do not become the last known ones again.
    assert {known.age(time.time()) < 60 for known in again.uids.values()} == {True}
    read = recall(tmp_path / "kept").read
    assert memory.remember_uids(again, tmp_path / "kept") == []
    assert recall(tmp_path / "kept").read == read


def test_look_up_uids_of_a_database_that_was_lost_falls_back_as_well(state: State, tmp_path: Path) -> None:
    last_known.remember(tmp_path / "kept", {"dunepro": 1}, now=1.0)
    for _turn in ("missing", "made anew"):
        book = memory.look_up_uids(state, tmp_path / "kept")
        assert (book.source(["dunepro"]), book.trouble) == ({"dunepro": 1}, "")
        assert book.remark == (
            f"The UIDs of 1 accounts are those that the state database {state.label} gave last; it knows none now. "
            "Run the playbook refresh_uids."
        )
        assert memory.remember_uids(book, tmp_path / "kept") == []
        began(state, new_run())
    # It knows one again, and so the copy counts no more.
    with state.write() as db:
        store_uids(db, {"novapro": 2}, [], now=1.0, source="a test")
    assert memory.look_up_uids(state, tmp_path / "kept").source(["dunepro", "novapro"]) == {"novapro": 2}


def test_look_up_uids_with_nothing_to_fall_back_to_says_only_what_is_wrong(broken: State, tmp_path: Path) -> None:
    book = memory.look_up_uids(broken, tmp_path / "kept")
    assert book == UidBook(trouble=f"The state database {broken.label} is not an SQLite database.")


def test_look_up_uids_prefers_a_database_that_answers(state: State, tmp_path: Path) -> None:
    last_known.remember(tmp_path, {"dunepro": 9, "novapro": 2}, now=1.0)
    with state.write() as db:
        store_uids(db, {"dunepro": 1}, [], now=1.0, source="a test")
    assert memory.look_up_uids(state, tmp_path).source(["dunepro", "novapro"]) == {"dunepro": 1}


@pytest.mark.parametrize("told", [{"trouble": "It is down."}, {"remark": "They are the last known ones."}])
def test_remember_uids_keeps_only_what_the_database_gave_now(tmp_path: Path, told: dict[str, str]) -> None:
    assert memory.remember_uids(UidBook({"a": KnownUid("a", 1)}, **told), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_remember_uids_that_cannot_be_kept_is_a_remark(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    book = UidBook({"a": KnownUid("a", 1)})
    (remark,) = memory.remember_uids(book, tmp_path / "file")
    assert remark.startswith("The last known UIDs could not be kept: Cannot make the directory")


# -- the beginning ---------------------------------------------------------


def test_begin_without_a_database_is_nothing(tmp_path: Path) -> None:
    assert began(None, new_run()) == Beginning()
    assert memory.look_for_holds(None, new_run()) == Beginning()


def test_begin_holds_the_nodes_of_the_run_and_notes_what_is_configured(state: State) -> None:
    run = new_run()
    assert began(state, run) == Beginning()
    assert holds(state) == {("dune_production", run.id): '["n1", "n2"]'}
    with state.read() as db:
        configured = {(row.sort, row.name) for row in db.execute(sa.select(schema().configured))}
        (row,) = db.execute(sa.select(schema().runs)).all()
    assert configured == {
        ("service", "dune_production"),
        ("service", "nova_production"),
        *(("node", name) for name in ("n1", "n2", "n3")),
        *(("place", name) for name in ("dune_production", "nova_production")),
    }
    assert (row.id, row.program, row.state, row.pid) == (run.id, "token-push", "running", os.getpid())
    assert (row.started, row.deadline) == (run.started, run.deadline)


def test_begin_leaves_to_another_run_what_that_serves(state: State) -> None:
    first, second, third = new_run(), new_run(), new_run()
    began(state, first, (replace(DUNE, nodes=(N1,)),))
    found = began(state, second, (DUNE, NOVA))
    assert [(hold.service, hold.nodes, hold.run.id) for hold in found.held] == [
        ("dune_production", frozenset({"n1"}), first.id)
    ]
    assert holds(state) == {
        ("dune_production", first.id): '["n1"]',
        ("dune_production", second.id): '["n2"]',
        ("nova_production", second.id): '["n3"]',
    }
    # Nothing is left for the third.
    assert {hold.run.id for hold in began(state, third, (DUNE, NOVA)).held} == {first.id, second.id}
    assert {run for _service, run in holds(state)} == {first.id, second.id}


def test_look_for_holds_finds_the_same_and_writes_nothing(state: State) -> None:
    began(state, new_run())
    assert state.location.path is not None
    before = state.location.path.read_bytes()
    expected = began(state_at(state.location.path), new_run(), (NOVA,)).held
    state.location.path.write_bytes(before)
    assert memory.look_for_holds(state, new_run()) == Beginning(held=expected)
    assert state.location.path.read_bytes() == before


def test_begin_takes_over_when_told(state: State) -> None:
    first, second = new_run(), new_run()
    began(state, first)
    assert began(state, second, take_over=True) == Beginning()
    assert list(holds(state)) == [("dune_production", second.id)]


def test_begin_tells_of_runs_that_never_ended(state: State) -> None:
    lost = new_run(3000.0)
    began(state, lost, owner=None)
    found = began(state, new_run())
    assert [row.id for row in found.lost] == [lost.id]
    assert found.held == ()


def test_begin_notes_uids_of_somebody_else_and_who_has_left(go_state: State) -> None:
    began(go_state, new_run())
    with go_state.read() as db:
        assert {time.time() - known.noted < 60 for known in known_uids(db).values()} == {True}
    found = memory.begin(go_state, new_run(), (), (NOVA,), program="x", owner=None, forget_after=-1.0, take_over=False)
    assert sorted(found.forgotten) == [("node", "n1"), ("node", "n2"), ("service", "dune_production")]


def test_begin_with_a_broken_database_is_a_sentence(broken: State) -> None:
    trouble = Beginning(trouble=f"The state database {broken.label} is not an SQLite database.")
    assert began(broken, new_run()) == memory.look_for_holds(broken, new_run()) == trouble


# -- stores ---------------------------------------------------------


def test_recent_stores_are_those_within_the_time(state: State) -> None:
    run, now = new_run(), time.time()
    stores = [
        outcome("store", "ok", credd="new", started=now - 10, seconds=1.0),
        outcome("store", "changed", credd="old", started=now - 1000),
        outcome("store", "failed", credd="bad", started=now - 10),
    ]
    memory.remember_stores(state, run, stores)
    ((key, (when, by)),) = memory.recent_stores(state, 100.0).items()
    assert (key, by) == (("dune_production", "new"), run.id)
    assert when == pytest.approx(now - 9)
    assert set(memory.recent_stores(state, 5000.0)) == {("dune_production", "new"), ("dune_production", "old")}
    assert memory.recent_stores(state, 0.0) == memory.recent_stores(None, 100.0) == {}


def test_stores_and_a_broken_database_do_not_disturb_each_other(broken: State) -> None:
    memory.remember_stores(broken, new_run(), [outcome("store", "ok", credd="c")])
    memory.remember_stores(None, new_run(), [outcome("store", "ok", credd="c")])
    assert memory.recent_stores(broken, 100.0) == {}


# -- the end ---------------------------------------------------------

OUTCOMES = (
    outcome("setup", "ok"),
    outcome("store", "failed", credd="c1"),
    outcome("push", "changed", node="n1"),
    outcome("push", "failed", node="n2"),
    outcome("push", "skipped", node="n3", kind="not_attempted"),
)


def remember(state: State, run: Run) -> None:
    memory.remember_run(state, run, OUTCOMES, program=memory.TOKEN_PUSH, owner=os.getpid(), message="so so")


def test_remember_run_writes_results_counters_and_the_end(state: State) -> None:
    run = new_run()
    began(state, run)
    remember(state, run)
    assert holds(state) == {}
    with state.read() as db:
        (row,) = db.execute(sa.select(schema().runs)).all()
        assert len(db.execute(sa.select(schema().results)).all()) == 4
        assert (setup_counters(db), push_counters(db)) == ({"dune_production": 1}, {("dune_production", "n2"): 1})
    # What was skipped went neither well nor badly.
    assert (row.id, row.state, row.well, row.failed, row.message) == (run.id, "ended", 2, 2, "so so")


def test_remember_run_that_fails_leaves_nothing_behind(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    began(state, run)
    assert state.location.path is not None
    before = state.location.path.read_bytes()
    path = state.location.path

    def locked(*_arguments: t.Any, **_more: t.Any) -> None:
        raise StateUnavailable("locked.")

    monkeypatch.setattr(runs, "end_run", locked)
    with pytest.raises(StateUnavailable):
        remember(state, run)
    assert path.read_bytes() == before


def test_remember_run_while_locked_is_unavailable(state: State) -> None:
    began(state, new_run())
    assert state.location.path is not None
    with contextlib.closing(sqlite3.connect(state.location.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnavailable, match="is locked by another program"):
            remember(state_at(state.location.path, 0.05), new_run())


# -- nodes that services have left --------------------------------


def age_of_pushes(state: State, **ages: float) -> None:
    """Let dune_production have been pushed to these nodes so many seconds ago."""
    now = time.time()
    with state.write() as db:
        found = [outcome("push", "ok", node=name, started=now - age) for name, age in ages.items()]
        remember_outcomes(db, found, run="r0")


def test_begin_and_a_look_know_of_tokens_that_were_left_behind(state: State) -> None:
    age_of_pushes(state, n1=10.0, n2=7200.0, n7=7200.0, n8=20_000.0)
    for _turn in (1, 2):
        seen = memory.look_for_holds(state, new_run(), (DUNE, NOVA), forget_after=10_000.0)
        assert seen.strays == {"dune_production": ("n7",)}
    # Whatever nodes and services the run itself serves.
    assert began(state, new_run(), (NOVA,), forget_after=10_000.0).strays == {"dune_production": ("n7",)}
    with state.read() as db:
        names = set(db.execute(sa.select(schema().results.c.target)).scalars())
    assert names == {"n1", "n2", "n7"}
    assert began(state, new_run(), forget_after=5_000.0).strays == {}
