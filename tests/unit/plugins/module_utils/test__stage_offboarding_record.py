# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage of an offboarding: state and copy are as the world is, or it is said that they are not."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _last_known_uids as last_known
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_offboarding_record import (
    ARGUMENT_SPEC,
    leaving_of,
    run_stage,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import remembered
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, outcome, service

LEAVING = service(nodes=(node("n1"), node("n2")))
CREDD = LEAVING.credds[0].name
GOOD = (
    outcome("setup", "ok"),
    outcome("node_removal", "changed", node="n1"),
    outcome("node_removal", "ok", node="n2"),
    outcome("credd_removal", "changed", credd=CREDD),
    outcome("kept_removal", "ok"),
)


def record(
    database: str,
    outcomes: t.Sequence[Outcome] = GOOD,
    *services: Service,
    others: t.Sequence[Service] = (),
    check_mode: bool = False,
    **params: t.Any,
) -> dict[str, t.Any]:
    given = {
        "services": [item.to_dict() for item in services or (LEAVING,)],
        "others": [item.to_dict() for item in others],
        "run": Run.begin(Timeouts()).to_dict(),
        "outcomes": [item.to_dict() for item in outcomes],
        "database": database,
        "database_timeout": 5.0,
        **params,
    }
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return run_stage(checked.validated_parameters, Context(check_mode=check_mode, owner=os.getpid()))


def fill(state: State) -> None:
    with state.write() as db:
        remember_outcomes(db, [outcome("push", "ok", node=name) for name in ("n1", "n2")], run="r1")
        store_uids(db, {"dunepro": 50100, "novapro": 2}, (), now=1.0, source="x")


def stages(result: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    return [(plain["stage"], plain["status"]) for plain in result["outcomes"]]


def test_run_stage_forgets_service_uid_and_copy_and_ends_the_run(state: State, tmp_path: Path) -> None:
    fill(state)
    last_known.remember(tmp_path, {"dunepro": 50100, "novapro": 2}, now=1.0)
    result = record(state.label, token_dir=str(tmp_path))
    assert (stages(result), result["changed"]) == ([("state_removal", "changed"), ("state", "ok")], True)
    with state.read() as db:
        assert remembered(db) == {}
        assert known_uids(db).keys() == {"novapro"}
        (row,) = db.execute(sa.select(schema().runs)).all()
    assert (row.program, row.state, row.message) == ("offboarding", "ended", "1 of 1 services gone.")
    assert last_known.recall(tmp_path).uids == {"novapro": 2}
    again = record(state.label, token_dir=str(tmp_path))
    assert (stages(again), again["changed"]) == ([("state_removal", "ok"), ("state", "ok")], False)


def test_run_stage_in_check_mode_says_what_would_go_and_writes_nothing(state: State, tmp_path: Path) -> None:
    fill(state)
    result = record(state.label, check_mode=True, token_dir=str(tmp_path))
    assert stages(result) == [("state_removal", "changed")]
    with state.read() as db:
        assert remembered(db)["dune_production"].nodes == {"n1", "n2"}
        assert db.execute(sa.select(schema().runs)).all() == []


def test_run_stage_keeps_what_others_have(state: State, tmp_path: Path) -> None:
    fill(state)
    record(state.label, others=[service("dune_analysis", account="dunepro")], token_dir=str(tmp_path))
    with state.read() as db:
        assert "dunepro" in known_uids(db)


def test_run_stage_touches_nothing_of_a_service_that_another_run_serves(state: State) -> None:
    fill(state)
    record(state.label, [outcome("setup", "failed")], LEAVING.failed("setup", "service_held", "held"))
    with state.read() as db:
        assert remembered(db)["dune_production"].nodes == {"n1", "n2"}


def test_run_stage_with_a_database_that_does_not_answer_says_so(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("no database, and longer than nothing" * 30)
    result = record(str(tmp_path / "state.db"))
    (plain,) = result["outcomes"]
    assert (plain["stage"], plain["status"]) == ("state", "failed")
    assert "run this again" in plain["message"]


def test_run_stage_without_a_database_has_nothing_to_forget() -> None:
    assert record("") == {"changed": False, "outcomes": []}


def test_run_stage_needs_the_run(state: State) -> None:
    with pytest.raises(BadInput, match="run option"):
        record(state.label, run=None)


CASES: dict[str, tuple[t.Sequence[Outcome], list[tuple[str, str]], bool]] = {
    "all is well": (GOOD, [], True),
    "a node is dead": (
        [*GOOD[:2], outcome("node_removal", "failed", node="n2", kind="x"), *GOOD[3:]],
        [("node_removal", "n2")],
        False,
    ),
    "nothing was tried": (
        [outcome("tickets", "failed"), *(outcome("node_removal", "skipped", node=name) for name in ("n1", "n2"))],
        [("node_removal", "n1"), ("node_removal", "n2"), ("credd_removal", CREDD)],
        False,
    ),
    "a stage did not come to it": (GOOD[:3], [("credd_removal", CREDD)], False),
    "a kept token stays": ([*GOOD[:4], outcome("kept_removal", "failed")], [], False),
    "the collector was silent": ([outcome("setup", "failed"), *GOOD[1:]], [], False),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_leaving_of_counts_as_left_whatever_did_not_go_well(name: str) -> None:
    outcomes, expected, is_over = CASES[name]
    found = leaving_of(LEAVING, outcomes, give_up=False)
    assert [(item.stage, item.node or item.credd) for item in found.left] == expected
    assert all(item.is_failure for item in found.left)
    assert found.is_over is is_over
    assert leaving_of(LEAVING, outcomes, give_up=True).is_over


def test_run_stage_of_a_service_that_goes_on_forgets_the_node_and_no_uid(state: State, tmp_path: Path) -> None:
    fill(state)
    last_known.remember(tmp_path, {"dunepro": 50100}, now=1.0)
    off = replace(LEAVING, goes_on=True, credds=(), nodes=(node("n1"),))
    stays = replace(LEAVING, nodes=(node("n2"),))
    done = [outcome("setup", "ok"), outcome("node_removal", "changed", node="n1")]
    result = record(state.label, done, off, others=[stays], token_dir=str(tmp_path))
    assert stages(result) == [("state_removal", "changed"), ("state", "ok")]
    with state.read() as db:
        assert remembered(db)["dune_production"].nodes == {"n2"}
        assert "dunepro" in known_uids(db)
        (row,) = db.execute(sa.select(schema().runs)).all()
    assert row.message == "1 of 1 services taken off n1."
    assert "dunepro" in last_known.recall(tmp_path).uids
