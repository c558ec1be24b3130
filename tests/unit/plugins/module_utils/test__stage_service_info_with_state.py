# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage with a state database: what it takes from there, writes down there, and what it says of it."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_service_info as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import Beginning
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    DUNE,
    experiments,
    outcome,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.first_stage import install, problems, run


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have all programs installed."""
    return install(monkeypatch, tmp_path)


def test_run_stage_uids_of_the_database_are_taken(tmp_path: Path) -> None:
    given = open_state(str(tmp_path / "state.db"), "", 1.0)
    assert given is not None
    with given.write() as db:
        store_uids(db, {"dunepro": 4711}, [], now=time.time(), source="a test")
    found = run(experiments=experiments(uid=None), database=given.label, token_dir=str(tmp_path / "kept"))
    assert [service["uid"] for service in found["services"]] == [4711]


def rows_of(database: State, table: str) -> list[dict[str, t.Any]]:
    with database.read() as db:
        return [dict(row) for row in db.execute(sa.select(schema().own.tables[table])).mappings()]


def with_state(tmp_path: Path, database: State, warnings: list[str], **params: t.Any) -> dict[str, t.Any]:
    """Run the stage with this database and a directory for kept tokens."""
    return run(warnings, database=database.label, token_dir=str(tmp_path / "kept"), **params)


def test_run_stage_writes_the_run_down_with_what_it_serves(tmp_path: Path, state: State) -> None:
    found = with_state(tmp_path, state, [])
    (row,) = rows_of(state, "mt_runs")
    assert (row["id"], row["state"], row["deadline"]) == (found["run"]["id"], "running", found["run"]["deadline"])
    assert [(hold["service"], json.loads(hold["nodes"])) for hold in rows_of(state, "mt_holds")] == [
        ("dune_production", list(DUNE))
    ]
    assert {row["name"] for row in rows_of(state, "mt_configured")} == {"dune_production", *DUNE}


def test_run_stage_in_check_mode_writes_nothing(tmp_path: Path, state: State) -> None:
    with_state(tmp_path, state, [], check_mode=True)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(("state", "kept"))) == []
    with_state(tmp_path, state, [])
    before = Path(state.label).read_bytes()
    found = with_state(tmp_path, state, [], check_mode=True)
    assert found["msg"].endswith("; 1 services are left to another run.")
    assert Path(state.label).read_bytes() == before


# How many nodes the other run serves, what is left, what is said.
OVERLAPS: tuple[tuple[list[str], list[str], list[tuple[str, str]], str], ...] = (
    ([DUNE[0]], [DUNE[1]], [("skipped", "service_held"), ("ok", "")], "1 nodes, 1 (service, node) pairs."),
    (
        list(DUNE),
        [],
        [("skipped", "service_held")],
        "0 nodes, 0 (service, node) pairs; 1 services are left to another run.",
    ),
)


@pytest.mark.parametrize(("others", "left", "outcomes", "words"), OVERLAPS)
def test_run_stage_leaves_to_another_run_what_that_serves(
    tmp_path: Path, state: State, others: list[str], left: list[str], outcomes: list[tuple[str, str]], words: str
) -> None:
    with_state(tmp_path, state, [], hosts=others)
    found = with_state(tmp_path, state, [])
    (service,) = found["services"]
    assert service["nodes"] == left
    assert (service["problem"] is None) is bool(left)
    assert [(item["status"], item.get("kind", "")) for item in found["outcomes"]] == outcomes
    assert found["msg"] == f"1 of 1 configured services, {words}"
    # An operator who knows better takes over.
    assert [len(service["nodes"]) for service in with_state(tmp_path, state, [], take_over=True)["services"]] == [2]


def test_run_stage_uids_survive_a_database_that_is_broken(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The copy of them is a private file of whoever really runs this, who may be root: no credds then.
    monkeypatch.setattr("os.geteuid", os.getuid)
    with state.write() as db:
        store_uids(db, {"dunepro": 4711}, [], now=time.time(), source="a test")
    for turn in ("well", "broken"):
        if turn == "broken":
            Path(state.label).write_text("no database " * 100)
        warnings: list[str] = []
        found = with_state(
            tmp_path, state, warnings, experiments=experiments(uid=None), token_getter="htgettoken", take_over=True
        )
        assert [service["uid"] for service in found["services"]] == [4711]
        assert any("is not an SQLite database" in text for text in warnings) is (turn == "broken")
        assert any("The UIDs of 1 accounts are those that" in text for text in warnings) is (turn == "broken")


def test_run_stage_database_that_was_in_trouble_is_not_waited_for_again(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[State | None] = []

    def noting(it: State | None, *_rest: t.Any, **_more: t.Any) -> Beginning:
        given.append(it)
        return Beginning()

    monkeypatch.setattr(stage, "begin", noting)
    with_state(tmp_path, state, [])
    Path(state.label).write_text("no database " * 100)
    with_state(tmp_path, state, [])
    assert [it is None for it in given] == [False, True]


def test_run_stage_old_uids_are_warned_of_unless_they_are_the_roles_own(tmp_path: Path, state: State) -> None:
    with state.write() as db:
        store_uids(db, {"dunepro": 50100}, [], now=time.time() - 10 * 86400, source="a test")
    for uid, max_age, is_old in ((None, "7d", True), (None, "11d", False), (50100, "7d", False)):
        warnings: list[str] = []
        with_state(tmp_path, state, warnings, experiments=experiments(uid=uid), uid_max_age=max_age, take_over=True)
        assert any("dunepro (10 d)" in text for text in warnings) is is_old


def test_run_stage_bad_settings_of_the_database_are_told_with_all_others() -> None:
    found = problems(
        database="state.db", uid_max_age="soon", forget_after="1h", timeouts={"store": -1}, later={"push_retries": -1}
    )
    words = (
        "store is -1",
        "push_retries is -1",
        "uid_max_age is 'soon'",
        "forget_after is '1h'",
        "is no absolute path",
    )
    assert len(found) == len(words)
    for text, word in zip(found, words, strict=True):
        assert word in text


def test_run_stage_bad_place_of_the_file_is_warned_of(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "place_remark", lambda path: f"{path} is no good place.")
    warnings: list[str] = []
    with_state(tmp_path, state, warnings)
    with_state(tmp_path, state, warnings, check_mode=True)
    assert warnings.count(f"{state.label} is no good place.") == 1


def test_run_stage_services_of_two_accounts_with_one_uid_are_stopped_and_the_others_go_on(tmp_path: Path) -> None:
    database = str(tmp_path / "state.db")
    state = open_state(database, "", 5.0)
    assert state is not None
    with state.write() as db:
        store_uids(db, {"duneana": 50100}, (), now=time.time(), source="test")
    warnings: list[str] = []
    own = {"account": "dunepro", "uid": 50100}
    roles = {"production": own, "test": own, "analysis": {"account": "duneana", "nodes": [DUNE[1]]}}
    options: dict[str, t.Any] = {
        "experiments": {
            "dune": {"roles": roles},
            "nova": {"roles": {"production": {"account": "novapro", "uid": 50110}}},
        },
        "database": database,
        "token_dir": str(tmp_path),
    }
    found = run(warnings, **options, check_mode=True, service=["dune_analysis"])
    assert found["outcomes"][0]["message"] == (
        "dune_analysis: the UID 50100 of account duneana (from the state database, for dune_analysis) is also that of "
        "account dunepro (managed_tokens_experiments.dune.roles.production.uid); each account has to have its own."
    )
    found = run(warnings, **options)
    assert {outcome["config_service"]: outcome.get("kind", "") for outcome in found["outcomes"]} == {
        "dune_production": "uid_conflict",
        "dune_test": "uid_conflict",
        "dune_analysis": "uid_conflict",
        "nova_production": "",
    }
    assert [bool(service["problem"]) for service in found["services"]].count(True) == 3
    assert not any("both write" in text for text in warnings)


@pytest.mark.parametrize(("program", "told"), [("token-push", 1), ("onboarding", 0)])
@pytest.mark.parametrize("check_mode", [False, True])
def test_run_stage_tells_of_tokens_that_were_left_behind(
    tmp_path: Path, state: State, program: str, told: int, check_mode: bool
) -> None:
    now = time.time()
    with state.write() as db:
        ages = {DUNE[0]: 10.0, "old.lab.example": 7200.0}
        found = [outcome("push", "ok", node=name, started=now - age) for name, age in ages.items()]
        remember_outcomes(db, found, run="r0")
    warnings: list[str] = []
    with_state(tmp_path, state, warnings, experiments=experiments(), program=program, check_mode=check_mode)
    assert sum("dune_production left tokens on old.lab.example," in text for text in warnings) == told
