# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage as a whole: nothing is asked and nothing goes on while the configuration is wrong."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_service_info as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing, RunningAsRoot
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    DUNE,
    experiments,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.first_stage import install, problems, run


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have all programs installed."""
    return install(monkeypatch, tmp_path)


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


def test_run_stage_root_is_refused_where_credds_are_involved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(RunningAsRoot, match="The running user is root, and dune_production is to be stored on credds"):
        run()
    assert run(token_getter="htgettoken")["services"]
