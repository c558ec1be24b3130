# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage of an offboarding: who goes, where that is, and who is left alone."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_offboarding_info as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, RunningAsRoot
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import RunRow, begin_run, hold
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    DUNE,
    GROUPS,
    NOVA,
    PRINCIPAL,
    outcome,
)

EXPERIMENTS: dict[str, t.Any] = {
    "dune": {"roles": {"production": {"account": "dunepro", "uid": 50100}, "analysis": {"account": "duneana"}}},
    "nova": {"roles": {"production": {"account": "novapro", "uid": 50110}}},
}
NAME = "dune_production"


class Collector:
    """Lists two schedds, or does not answer."""

    def __init__(self) -> None:
        self.is_up = True

    def __call__(self, argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        if "-schedd" in argv:
            return Finished(0, "credd2\ncredd1\n", 0.0) if self.is_up else Finished(1, "no answer\n", 0.0)
        return Finished(0, "-a vault.lab.example\n", 0.0)


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Collector:
    """Have everything installed, and a collector that answers."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("condor_store_cred", "condor_status", "condor_config_val"):
        (programs / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(stage, "missing_packages", lambda _names: [])
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    found = Collector()
    monkeypatch.setattr(stage, "run_program", found)
    return found


def run(
    state: State | None = None, warnings: list[str] | None = None, *, check_mode: bool = False, **params: t.Any
) -> dict[str, t.Any]:
    """Run the stage with validated options."""
    given = {
        "experiments": EXPERIMENTS,
        "principal": PRINCIPAL,
        "groups": GROUPS,
        "hosts": ["localhost"],
        "database": state.label if state else "",
        "database_timeout": 5.0,
        "token_dir": "/srv/none",
        "service": [NAME],
        **params,
    }
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    collected = [] if warnings is None else warnings
    return stage.run_stage(checked.validated_parameters, Context(check_mode=check_mode, warn=collected.append))


def went(
    state: State, name: str = NAME, *nodes: str, credd: str = "credd0", uids: t.Mapping[str, int] | None = None
) -> None:
    """Let a service have been on these nodes and this credd."""
    of = {"service": name, "config_service": name}
    found = [outcome("store", "ok", credd=credd, **of), *(outcome("push", "ok", node=node, **of) for node in nodes)]
    with state.write() as db:
        remember_outcomes(db, found, run="r1")
        store_uids(db, uids or {}, (), now=1.0, source="x")


def names(service: t.Mapping[str, t.Any], key: str) -> list[str]:
    return [item if isinstance(item, str) else item["name"] for item in service[key]]


def test_run_stage_gives_the_service_with_nodes_and_credds_and_who_stays() -> None:
    result = run()
    (found,) = result["services"]
    assert (found["config_name"], names(found, "nodes"), names(found, "credds")) == (
        NAME,
        [*DUNE],
        ["credd1", "credd2"],
    )
    assert [other["config_name"] for other in result["others"]] == ["dune_analysis", "nova_production"]
    assert [plain["status"] for plain in result["outcomes"]] == ["ok"]
    assert result["contacts"][NAME]["experiment"] == "dune"


def test_run_stage_adds_nodes_and_credds_that_are_only_remembered(state: State) -> None:
    went(state, NAME, *NOVA, "gone.lab.example")
    (found,) = run(state)["services"]
    assert names(found, "nodes") == [*DUNE, "gone.lab.example", *NOVA]
    assert names(found, "credds") == ["credd1", "credd2", "credd0"]


def test_run_stage_without_the_collector_asks_the_credds_that_are_remembered(
    state: State, collector: Collector
) -> None:
    went(state)
    collector.is_up = False
    result = run(state)
    assert names(result["services"][0], "credds") == ["credd0"]
    (plain,) = result["outcomes"]
    assert (plain["status"], plain["kind"]) == ("failed", "collector_unavailable")


def test_run_stage_without_a_uid_leaves_the_nodes_and_goes_on(state: State) -> None:
    went(state, "dune_analysis", DUNE[0])
    result = run(state, service=["dune_analysis"])
    (found,) = result["services"]
    assert (found["problem"], names(found, "nodes"), names(found, "credds")) == (
        None,
        [],
        ["credd1", "credd2", "credd0"],
    )
    assert [(plain["stage"], plain["status"]) for plain in result["outcomes"]] == [
        ("setup", "failed"),
        ("node_removal", "skipped"),
        ("node_removal", "skipped"),
    ]


def test_run_stage_without_a_uid_and_without_memories_is_what_a_removal_leaves(state: State) -> None:
    went(state, "nova_production", *NOVA)
    warnings: list[str] = []
    result = run(state, warnings, service=["dune_analysis"])
    assert [plain["status"] for plain in result["outcomes"]] == ["ok"]
    assert names(result["services"][0], "nodes") == []
    assert any("nothing is remembered of it on any node" in text for text in warnings)


def test_run_stage_of_a_service_that_left_the_configuration_stops_it_with_what_is_missing(state: State) -> None:
    went(state, "mu2e_production", "n9")
    result = run(state, service=["mu2e_production"])
    (found,) = result["services"]
    assert (found["problem"]["kind"], names(found, "nodes"), names(found, "credds")) == (
        "service_incomplete",
        ["n9"],
        ["credd0"],
    )
    assert [plain["kind"] for plain in result["outcomes"]] == ["service_incomplete"]


def test_run_stage_with_the_stanza_reaches_it_where_it_was(state: State) -> None:
    went(state, "mu2e_production", "n9", uids={"mu2epro": 50120})
    departed = {"mu2e": {"roles": {"production": {"account": "mu2epro"}}}}
    result = run(state, service=["mu2e_production"], departed=departed)
    (found,) = result["services"]
    assert (found["problem"], found["uid"], names(found, "nodes")) == (None, 50120, ["n9"])
    assert found["principal"] == PRINCIPAL.format(account="mu2epro")
    assert "mu2e_production" not in [other["config_name"] for other in result["others"]]


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"service": []}, "Nothing says which services"),
        ({"service": ["all"]}, "everything is never removed at once"),
        ({"service": ["dune_prodction"]}, "neither configured nor remembered; did you mean 'dune_production'?"),
        ({"departed": EXPERIMENTS}, "managed_tokens_departed has dune_production, which is still in"),
        ({"departed": {"x": {"roles": {"y": {}}}}}, "managed_tokens_departed.x.roles.y has no account"),
        ({"experiments": {"dune": {"rolls": {}}}}, "managed_tokens_experiments.dune has an unknown key 'rolls'"),
        ({"later": {"push_concurrency": 0}}, "managed_tokens_push_concurrency is 0"),
        ({"timeouts": {"run": -1}}, "managed_tokens_timeouts.run is -1"),
        ({"database": "mysql://x"}, "managed_tokens_database"),
    ],
)
def test_run_stage_refuses_bad_input_before_anything(params: dict[str, t.Any], part: str) -> None:
    with pytest.raises(BadInput) as caught:
        run(**params)
    assert part in caught.value.msg


def test_run_stage_refuses_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(RunningAsRoot):
        run()


@pytest.mark.parametrize("check_mode", [False, True])
def test_run_stage_writes_the_run_down_unless_in_check_mode(state: State, check_mode: bool) -> None:
    went(state)
    run(state, check_mode=check_mode)
    with state.read() as db:
        assert [row.program for row in db.execute(sa.select(schema().runs))] == ["offboarding"] * (not check_mode)
        assert [row.service for row in db.execute(sa.select(schema().holds))] == [NAME] * (not check_mode)


@pytest.mark.parametrize("check_mode", [False, True])
def test_run_stage_does_not_touch_what_another_run_serves(state: State, check_mode: bool) -> None:
    with state.write() as db:
        now = time.time()
        begin_run(db, RunRow("r0", "token-push", now, now + 900, Holder("other", "another machine", 1, 1)), now=now)
        hold(db, "r0", {NAME: [DUNE[0]]})
    result = run(state, check_mode=check_mode)
    assert result["services"][0]["problem"]["kind"] == "service_held"
    assert (result["outcomes"][0]["status"], result["outcomes"][0]["kind"]) == ("failed", "service_held")


def test_run_stage_goes_on_with_a_database_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("no database, and longer than nothing" * 30)
    warnings: list[str] = []
    result = run(None, warnings, database=str(tmp_path / "state.db"))
    assert names(result["services"][0], "nodes") == [*DUNE]
    assert any("only what is configured is looked for" in text for text in warnings)


NARROW: dict[str, t.Any] = {
    **EXPERIMENTS,
    "dune": {
        "roles": {
            "production": {"account": "dunepro", "uid": 50100, "nodes": [DUNE[0]]},
            "second": {"account": "dunepro", "uid": 50100},
        }
    },
}


def test_run_stage_on_a_node_has_that_node_alone_and_spares_what_others_have_there(state: State) -> None:
    went(state, NAME, *DUNE)
    warnings: list[str] = []
    result = run(state, warnings, experiments=NARROW, service=[], node=[DUNE[1]])
    (found,) = result["services"]
    assert (found["config_name"], names(found, "nodes"), found["credds"], found["goes_on"]) == (
        NAME,
        [DUNE[1]],
        (),
        True,
    )
    assert (DUNE[1], "/tmp/vt_u50100") in [tuple(place) for place in found["yields"]]
    assert (DUNE[1], "/tmp/vt_u50100-dune_production") not in [tuple(place) for place in found["yields"]]
    # It goes on, so it is among those whose account and nodes nobody forgets.
    assert [other["config_name"] for other in result["others"]] == [NAME, "dune_second", "nova_production"]
    assert any("dune_second is still configured for" in text for text in warnings)
    with state.read() as db:
        assert [row.nodes for row in db.execute(sa.select(schema().holds))] == [f'["{DUNE[1]}"]']


def test_run_stage_on_a_node_leaves_alone_what_is_its_own_by_another_name(state: State) -> None:
    went(state, NAME, "old-name.lab.example")
    addresses = {"old-name.lab.example": {"address": DUNE[0]}}
    result = run(state, experiments=NARROW, service=[], node=["old-name.lab.example"], addresses=addresses)
    (found,) = result["services"]
    assert len(found["yields"]) == 3


def test_run_stage_on_a_node_needs_neither_collector_nor_htcondor(
    state: State, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    went(state, NAME, *DUNE)
    collector.is_up = False
    monkeypatch.setenv("PATH", "")
    result = run(state, experiments=NARROW, service=[NAME], node=[DUNE[1]])
    assert [plain["status"] for plain in result["outcomes"]] == ["ok"]


@pytest.mark.parametrize(
    ("params", "part"),
    [
        ({"service": []}, "still configured for"),
        ({}, "still configured for"),
        ({"node": ["nowhere"], "service": []}, "neither in the inventory nor remembered"),
        ({"node": ["all"], "service": []}, "everything is never removed at once"),
    ],
)
def test_run_stage_on_a_node_refuses_what_would_come_back(state: State, params: dict[str, t.Any], part: str) -> None:
    went(state, NAME, *DUNE)
    with pytest.raises(BadInput) as caught:
        run(state, **{"node": [DUNE[1]], **params})
    assert part in caught.value.msg
    with state.read() as db:
        assert db.execute(sa.select(schema().runs)).all() == []


def test_run_stage_on_a_node_of_a_service_that_left_the_configuration_names_what_is_missing(state: State) -> None:
    went(state, "mu2e_production", "n9", "n8")
    result = run(state, service=[], node=["n9"])
    (found,) = result["services"]
    assert (found["problem"]["kind"], names(found, "nodes"), found["credds"]) == ("service_incomplete", ["n9"], ())


def test_run_stage_on_a_node_with_the_stanza_of_a_service_that_left_takes_that_off(state: State) -> None:
    went(state, "mu2e_production", "n9", "n8", uids={"mu2epro": 50120})
    departed = {"mu2e": {"roles": {"production": {"account": "mu2epro"}}}}
    result = run(state, service=[], node=["n9"], departed=departed)
    (found,) = result["services"]
    assert (found["problem"], found["uid"], names(found, "nodes")) == (None, 50120, ["n9"])
