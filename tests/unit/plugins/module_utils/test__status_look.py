# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the state database knows after runs is what the view shows."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_runs as runs
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PUSH, STORE, TICKETS, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Node
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    ELSEWHERE,
    FAILED,
    GOING,
    INTERRUPTED,
    NOTHING,
    WELL,
    ServiceStatus,
    Status,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_look import NO_DATABASE, look
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import Verdict, decide
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, node, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import (
    LIFE_S,
    refresh_uids,
    six_services,
    token_push,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import GO_FILE, state_at

N1, N2 = node("n1"), node("n2")
DUNE = service(nodes=(N1, N2), credds=(Credd("c1"), Credd("c2")))
NOVA = service("nova_production", nodes=(N2,), credds=())


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


def seen(state: State, **more: t.Any) -> Status:
    return look(state, now=time.time(), **more)


def judged(state: State) -> Verdict:
    return decide(seen(state), max_age=10_800.0, uid_max_age=7 * 86400.0, min_life=259_200.0)


def of(state: State, name: str = "dune_production") -> ServiceStatus:
    return next(item for item in seen(state).services if item.name == name)


def test_look_at_nothing_is_empty_and_makes_no_file(tmp_path: Path) -> None:
    found = seen(state_at(tmp_path / "none.db"))
    assert (found.services, found.recent, found.trouble) == ((), (), "")
    (warning,) = decide(found, max_age=1.0, uid_max_age=1.0, min_life=1.0).warnings
    assert warning.what == f"No service is configured as far as the state database {tmp_path / 'none.db'} knows."
    assert not (tmp_path / "none.db").exists()


def test_look_at_a_path_without_its_directory_is_a_trouble_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in ("nonexistent", "file"):
        path = tmp_path / directory / "x.db"
        found = seen(state_at(path))
        assert found.trouble == f"{path} does not exist, nor does its directory."
        assert decide(found, max_age=1.0, uid_max_age=1.0, min_life=1.0).colour == "red"


def test_look_without_a_database_says_so() -> None:
    assert look(None, now=1.0).trouble == NO_DATABASE


def test_look_at_what_is_no_database_is_a_trouble(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("This is no database, " * 100)
    found = seen(state_at(tmp_path / "state.db"))
    assert str(tmp_path / "state.db") in found.trouble
    assert decide(found, max_age=1.0, uid_max_age=1.0, min_life=1.0).colour == "red"


def test_look_at_the_go_services_file_knows_of_no_service(tmp_path: Path) -> None:
    (tmp_path / "go.db").write_bytes(GO_FILE.read_bytes())
    found = state_at(tmp_path / "go.db")
    assert seen(found).services == ()
    assert judged(found).colour == "yellow"


def test_look_after_a_good_run_all_is_well(state: State) -> None:
    refresh_uids(state, {"dunepro": 50100})
    token_push(state, six_services())
    token_push(state, [DUNE, NOVA])
    dune = of(state)
    assert judged(state).colour == "green"
    assert [item.name for item in seen(state).services] == ["dune_production", "nova_production"]
    assert [target.name for target in dune.credds] == ["c1", "c2"]
    assert [target.name for target in dune.nodes] == ["n1", "n2"]
    assert (dune.account, dune.uid) == ("dunepro", 50100)
    assert dune.uid_age is not None
    assert dune.credds[0].expires - dune.credds[0].succeeded == pytest.approx(LIFE_S)
    assert [target.name for target in of(state, "nova_production").credds] == [""]
    assert not dune.held_by


@pytest.mark.parametrize(
    ("bad", "place", "failures"),
    [
        ((PUSH, "dune_production", "n1"), "dune_production on n1", 2),
        ((STORE, "dune_production", "c2"), "dune_production, token store on c2", 2),
        ((TICKETS, "dune_production"), "dune_production, ticket", 2),
    ],
)
def test_look_failures_are_counted_and_over_at_once(
    state: State, bad: tuple[str, ...], place: str, failures: int
) -> None:
    token_push(state, [DUNE, NOVA], ago=600)
    for ago in (400, 200):
        token_push(state, [DUNE, NOVA], ago=ago, bad={bad})
    verdict = judged(state)
    (problem,) = verdict.problems
    assert (verdict.colour, problem.where, problem.what) == ("red", place, "no.")
    assert problem.failures == failures
    assert time.time() - problem.since == pytest.approx(401, abs=20)
    token_push(state, [DUNE, NOVA])
    assert judged(state).colour == "green"


def test_look_a_failure_stays_after_a_run_that_did_not_try(state: State) -> None:
    token_push(state, [DUNE, NOVA], ago=60, bad={(PUSH, "dune_production", "n1")})
    token_push(state, [NOVA], known=[DUNE, NOVA])
    assert judged(state).colour == "red"


def test_look_leaves_out_what_left_the_configuration(state: State) -> None:
    token_push(state, [DUNE, NOVA], ago=60, bad={(PUSH, "dune_production", "n1"), (STORE, "nova_production", "")})
    token_push(state, [replace(DUNE, nodes=(N2,))])
    assert [item.name for item in seen(state).services] == ["dune_production"]
    assert [target.name for target in of(state).nodes] == ["n2"]
    assert judged(state).colour == "green"


def test_look_at_a_node_that_a_service_left_with_its_token_there(state: State) -> None:
    token_push(state, [DUNE], ago=7200)
    token_push(state, [replace(DUNE, nodes=(N2,))])
    assert [target.name for target in of(state).strays] == ["n1"]
    found = judged(state)
    assert (found.colour, [item.where for item in found.warnings]) == ("yellow", ["dune_production on n1"])
    assert "managed_tokens_node=n1" in found.warnings[0].advice
    token_push(state, [DUNE])
    assert of(state).strays == ()
    assert judged(state).colour == "green"


@pytest.mark.parametrize(("nodes", "what"), [((N1,), ["dune_production, to be taken off n2"]), ((N1, N2), [])])
def test_look_at_a_removal_that_failed_on_one_node(state: State, nodes: tuple[Node, ...], what: list[str]) -> None:
    now = time.time()
    left = Outcome("node_removal", "failed", config_service="dune_production", node="n2", started=now, kind="x")
    with state.write() as db:
        remember_outcomes(db, [left], run="r")
    token_push(state, [replace(DUNE, nodes=nodes)], bad={(PUSH, "dune_production", "n2")})
    assert [item.what for item in seen(state).leftovers] == what


def test_look_a_node_that_was_added_has_never_been_tried(state: State) -> None:
    token_push(state, [replace(DUNE, nodes=(N1,))], known=[DUNE])
    assert [(target.name, target.attempted > 0) for target in of(state).nodes] == [("n1", True), ("n2", False)]
    assert judged(state).colour == "yellow"


def test_look_a_credd_that_later_runs_left_out_is_marked_and_gone_after_a_day(state: State) -> None:
    token_push(state, [DUNE], ago=5 * 3600)
    token_push(state, [replace(DUNE, credds=(Credd("c1"),))])
    assert [(target.name, target.is_left_out) for target in of(state).credds] == [("c1", False), ("c2", True)]
    assert judged(state).colour == "yellow"
    with state.write() as db:
        later = Outcome(STORE, "ok", config_service="dune_production", credd="c1", started=time.time() + 20 * 3600)
        remember_outcomes(db, [later], run="r")
    assert [target.name for target in of(state).credds] == ["c1"]


def test_look_without_a_written_place_goes_by_what_was_pushed(state: State) -> None:
    token_push(state, [DUNE])
    with state.write() as db:
        table = schema().configured
        db.execute(sa.delete(table).where(table.c.sort == "place"))
    assert [target.name for target in of(state).nodes] == ["n1", "n2"]
    assert (of(state).account, of(state).uid_age) == ("", None)


def test_look_names_the_run_that_serves_a_node_now(state: State) -> None:
    token_push(state, [DUNE], ago=60)
    now = time.time()
    row = runs.RunRow("r9", TOKEN_PUSH, now, now + 900, Holder("push.lab.example", "elsewhere", 0, 0))
    with state.write() as db:
        runs.begin_run(db, row, now=now)
        runs.hold(db, "r9", {"dune_production": ["n2"]})
    assert [target.held_by for target in of(state).nodes] == ["", "run r9 (push.lab.example)"]
    assert of(state).held_by == "run r9 (push.lab.example)"
    assert seen(state).recent[0].result == GOING
    assert judged(state).colour == "green"


def test_look_at_accounts_of_the_last_refresh_only(state: State) -> None:
    token_push(state, [DUNE])
    refresh_uids(state, {"dunepro": 1, "old": 2}, bad=["old"])
    assert [item.what for item in seen(state).leftovers] == ["account old"]
    assert judged(state).colour == "red"
    refresh_uids(state, {"dunepro": 1})
    assert seen(state).leftovers == ()
    assert judged(state).colour == "green"


def test_look_at_what_is_left_of_a_service_that_was_let_go(state: State) -> None:
    token_push(state, [DUNE])
    left = Outcome(
        "node_removal", "failed", config_service="x_y", node="n1", started=1.0, kind="node_unreachable", message="m"
    )
    with state.write() as db:
        remember_outcomes(db, [left], run="r")
    (item,) = seen(state).leftovers
    assert (item.what, item.kind, item.since) == ("x_y, which was let go", "node_unreachable", 1.0)


@pytest.mark.parametrize(
    ("values", "result"),
    [
        ({"state": "ended", "well": 5, "services": 2}, WELL),
        # A ping that was not answered.
        ({"state": "ended", "well": 5, "services": 2, "failed": 1}, WELL),
        ({"state": "ended", "well": 5, "services": 2, "services_failed": 1, "failed": 1}, FAILED),
        ({"state": "ended", "services": 2}, ELSEWHERE),
        ({"state": "ended"}, NOTHING),
        ({"state": "interrupted"}, INTERRUPTED),
        ({"state": "running", "deadline": 1.0}, INTERRUPTED),
        ({"state": "running", "deadline": 9e9}, GOING),
        ({"program": "refresh-uids-from-ferry", "state": "ended", "well": 5, "failed": 1}, FAILED),
    ],
)
def test_look_at_a_run_tells_how_it_went(state: State, values: dict[str, t.Any], result: str) -> None:
    with state.write() as db:
        db.execute(sa.insert(schema().runs), [{"id": "r1", "program": TOKEN_PUSH, "started": 10.0, **values}])
    found = seen(state)
    assert found.recent[0].result == result
    assert [run.result for run in found.last] == ([] if result in (GOING, ELSEWHERE) else [result])


@pytest.mark.parametrize(
    ("message", "words"),
    [("", "ended without a word"), ("it had come far", "ended without a word; as far as is known, it had come far")],
)
def test_look_at_an_interrupted_run_tells_how_far_it_had_come(state: State, message: str, words: str) -> None:
    with state.write() as db:
        values = {"id": "r1", "program": TOKEN_PUSH, "started": 10.0, "state": "interrupted", "message": message}
        db.execute(sa.insert(schema().runs), [values])
    assert seen(state).recent[0].words == words


def test_look_texts_are_fit_to_be_shown(state: State) -> None:
    token_push(state, [DUNE])
    words = f"\x1b[31m<script>\n{CANARY} \u202e" + "x" * 1_000_000
    with state.write() as db:
        row = {"stage": PUSH, "service": words, "target": words, "status": "failed", "kind": words, "message": words}
        db.execute(sa.insert(schema().results), [{**row, "attempted": float("inf"), "succeeded": -1e300}])
        db.execute(sa.insert(schema().runs), [{"id": words, "program": words, "state": "ended", "message": words}])
    found = seen(state, untold=[(words, words)])
    assert CANARY not in repr(found)
    assert len(repr(found)) < 10_000
    assert not set(repr(found)) & set("\x1b\n\u202e")
