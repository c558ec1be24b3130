# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage as a whole: nothing is asked and nothing goes on while the configuration is wrong."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_service_info as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, Missing, RunningAsRoot
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import Beginning
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    DUNE,
    GROUPS,
    PRINCIPAL,
    experiments,
    outcome,
)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put the programs that the stage looks for where it finds them; the collector answers with two schedds."""
    for name in ("condor_vault_storer", "condor_store_cred", "htgettoken", "condor_status", "condor_config_val"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(stage, "missing_packages", lambda _names: [])
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    def answer(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        output = "credd2.lab.example\ncredd1.lab.example\n" if "-schedd" in argv else "-a vault.lab.example\n"
        return Finished(0, output, 0.0)

    monkeypatch.setattr(stage, "run_program", answer)
    return tmp_path


def run(warnings: list[str] | None = None, *, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
    """Run the stage with validated options."""
    given = {
        "experiments": experiments(),
        "principal": PRINCIPAL,
        "groups": GROUPS,
        "hosts": list(GROUPS["experiments"]),
        "vault_server": "vault.lab.example",
        "database": "",
        **params,
    }
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    collected = [] if warnings is None else warnings
    context = Context(check_mode=check_mode, warn=collected.append, owner=os.getpid())
    return stage.run_stage(checked.validated_parameters, context)


def problems(**params: t.Any) -> tuple[str, ...]:
    """Give what the stage says of bad options."""
    with pytest.raises(BadInput) as caught:
        run(**params)
    return caught.value.problems


def test_run_stage_gives_services_outcomes_and_run() -> None:
    found = run()
    assert found["changed"] is False
    assert [service["config_name"] for service in found["services"]] == ["dune_production"]
    assert [credd["name"] for credd in found["services"][0]["credds"]] == ["credd1.lab.example", "credd2.lab.example"]
    assert [outcome["status"] for outcome in found["outcomes"]] == ["ok"]
    assert found["run"]["timeouts"]["push"] == 30.0
    assert found["msg"] == "1 of 1 configured services, 2 nodes, 2 (service, node) pairs."


def test_run_stage_warns_of_a_keytab_that_others_can_read(tmp_path: Path) -> None:
    keytab = tmp_path / "dunepro.keytab"
    for mode, count in ((0o400, 0), (0o440, 1)):
        keytab.touch()
        keytab.chmod(mode)
        warnings: list[str] = []
        run(warnings, keytab_path=str(tmp_path), check_mode=True)
        assert len(warnings) == count
        assert all(f"{keytab} (0440)" in text for text in warnings)


def test_run_stage_onboarding_has_time_for_every_login() -> None:
    found = run(program="onboarding", timeouts={"login": 100, "run": 300})["run"]
    assert (found["timeouts"]["run"], round(found["deadline"] - found["started"])) == (400.0, 400)


def test_run_stage_account_without_uid_is_an_outcome_not_an_error() -> None:
    found = run(experiments=experiments(uid=None))
    assert [outcome["kind"] for outcome in found["outcomes"]] == ["uid_unknown"]
    assert found["msg"].endswith("; 1 services cannot go on.")


def test_run_stage_all_problems_of_all_kinds_are_told_at_once() -> None:
    found = problems(
        experiments={**experiments(uid=0), "no_va": {"roles": {"production": {"account": "novapro", "nodes": "nova"}}}},
        timeouts={"push": 5, "conect": 3, "store": -1},
    )
    words = ("unknown key 'conect'", "store is -1", "dune.roles.production.uid is 0", "'no_va' has an underscore")
    assert len(found) == len(words)
    for text, word in zip(found, words, strict=True):
        assert word in text


CONTRADICTIONS: tuple[tuple[dict[str, t.Any], str], ...] = (
    (
        {"connect": 30},
        "managed_tokens_timeouts.connect (30 s) has to be shorter than managed_tokens_timeouts.push (30 s).",
    ),
    (
        {"ping": 10},
        "managed_tokens_timeouts.ping (10 s) has to be shorter than managed_tokens_timeouts.connect (10 s).",
    ),
    (
        {"store": 901},
        "managed_tokens_timeouts.store (901 s) has to be shorter than managed_tokens_timeouts.run (900 s).",
    ),
)


@pytest.mark.parametrize(("timeouts", "problem"), CONTRADICTIONS)
def test_run_stage_contradicting_timeouts_are_told(timeouts: dict[str, t.Any], problem: str) -> None:
    assert problems(timeouts=timeouts) == (problem,)


def test_run_stage_node_outside_the_group_is_told() -> None:
    assert problems(experiments=experiments(nodes=[DUNE[0], "mail.lab.example"])) == (
        (
            "managed_tokens_experiments.dune.roles.production is for node mail.lab.example, "
            "which is in the inventory but not in the group experiments, so no play reaches it."
        ),
    )


NOTHING: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"experiments": {}}, "No service is configured: managed_tokens_experiments is empty."),
    ({"hosts": []}, "There is no service to work on: the play has no hosts."),
    (
        {"hosts": ["localhost"], "groups": {"all": ["localhost"]}},
        "The inventory has no group experiments with hosts, so there is nothing to keep fresh.",
    ),
    (
        {"hosts": ["novagpvm01.lab.example"]},
        (
            "There is no service to work on: none of the 1 configured services has a node among the 1 hosts "
            "of this play (after --limit)."
        ),
    ),
    (
        {
            "hosts": ["novagpvm01.lab.example"],
            "service": ["dune_production"],
            "experiments": {
                **experiments(),
                "mu2e": {"roles": {"x": {"account": "mu2epro", "uid": 7, "nodes": [DUNE[0]]}}},
            },
        },
        (
            "There is no service to work on: none of the 1 configured services that were asked for has a node among "
            "the 1 hosts of this play (after --limit)."
        ),
    ),
    (
        {"group": "experimnts"},
        "managed_tokens_group is 'experimnts', which is no group of the inventory; did you mean 'experiments'?",
    ),
    (
        {"hosts": ["localhost"], "group": "dune"},
        (
            "managed_tokens_group is 'dune', but the play has other hosts: a playbook chooses them before there are "
            "variables of the inventory, so give it on the command line, -e managed_tokens_group=dune."
        ),
    ),
    (
        {"hosts": ["novagpvm01.lab.example"], "service": ["dune_production"]},
        (
            "There is no service to work on: none of the 1 configured services that were asked for has a node "
            "among the 1 hosts of this play (after --limit)."
        ),
    ),
    (
        {"experiment": ["dun"]},
        "managed_tokens_experiment names 'dun', which is not configured; did you mean 'dune'?",
    ),
    (
        {"service": ["dune_prod"]},
        "managed_tokens_service names 'dune_prod', which is not configured; did you mean 'dune_production'?",
    ),
)


@pytest.mark.parametrize(("params", "problem"), NOTHING)
def test_run_stage_nothing_to_work_on_is_an_error(params: dict[str, t.Any], problem: str) -> None:
    assert problems(**params) == (problem,)


def test_run_stage_missing_programs_and_packages_are_told_in_one_message(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "htgettoken").unlink()
    (installed / "condor_vault_storer").unlink()
    monkeypatch.setattr(stage, "missing_packages", lambda names: [f"No package {name}." for name in names[:1]])
    monkeypatch.setenv("PATH", str(installed))
    with pytest.raises(Missing) as caught:
        run()
    assert caught.value.msg.startswith("No package asyncssh. Not installed on the token host, or not in PATH: ")
    assert "condor_vault_storer (comes with HTCondor), htgettoken (" in caught.value.msg


def test_run_stage_limit_leaves_the_nodes_of_the_play() -> None:
    found = run(hosts=[DUNE[1]])
    assert found["services"][0]["nodes"] == [DUNE[1]]


def test_run_stage_clash_is_a_warning() -> None:
    warnings: list[str] = []
    both = {"dune": {"roles": {role: {"account": "dunepro", "uid": 50100} for role in ("production", "analysis")}}}
    run(warnings, experiments=both)
    assert [text.partition(" both write ")[0] for text in warnings] == ["dune_analysis and dune_production"] * 2


def test_run_stage_uids_of_the_database_are_taken(tmp_path: Path) -> None:
    given = open_state(str(tmp_path / "state.db"), "", 1.0)
    assert given is not None
    with given.write() as db:
        store_uids(db, {"dunepro": 4711}, [], now=time.time(), source="a test")
    found = run(experiments=experiments(uid=None), database=given.label, token_dir=str(tmp_path / "kept"))
    assert [service["uid"] for service in found["services"]] == [4711]


# -- the state database ---------------------------------------------------------


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


def test_run_stage_root_is_refused_where_credds_are_involved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(RunningAsRoot, match="The running user is root, and dune_production is to be stored on credds"):
        run()
    assert run(token_getter="htgettoken")["services"]


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
