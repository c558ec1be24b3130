# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of services: all that is configured, without asking anybody, in a table that fits."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._service_table import Row, table
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_list import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import DUNE, GROUPS, PRINCIPAL, experiments


def run(warnings: list[str] | None = None, **params: t.Any) -> dict[str, t.Any]:
    """Run the stage with validated options."""
    given = {
        "experiments": experiments(),
        "principal": PRINCIPAL,
        "groups": GROUPS,
        "hosts": list(GROUPS["experiments"]),
        "database": "",
        **params,
    }
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    context = Context(warn=([] if warnings is None else warnings).append)
    return run_stage(checked.validated_parameters, context)


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")


def test_run_stage_lists_what_is_configured() -> None:
    found = run(collectors=["c1", "c2"], schedd_constraint="X")
    assert found["services"] == [
        {
            "service": "dune_production",
            "uid": 50100,
            "principal": "dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE",
            "keytab": "/opt/managed-tokens/keytabs/dunepro.keytab",
            "credds": "those of c1 or c2, schedds with X",
            "nodes": DUNE,
        }
    ]
    assert found["lines"] == [
        "dune_production  UID 50100",
        "  principal  dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE",
        "  keytab     /opt/managed-tokens/keytabs/dunepro.keytab",
        "  credds     those of c1 or c2, schedds with X",
        "  nodes      dunegpvm01.lab.example, dunegpvm02.lab.example",
    ]
    assert (found["changed"], found["msg"]) == (False, "1 of 1 configured services.")


@pytest.mark.parametrize(
    ("role", "credds"),
    [
        ({}, "those of the local pool"),
        ({"credds": ["b", "a"]}, "a, b"),
        ({"token_getter": "htgettoken"}, "none, the token is only obtained"),
    ],
)
def test_run_stage_says_where_tokens_are_stored(role: dict[str, t.Any], credds: str) -> None:
    assert run(experiments=experiments(**role))["services"][0]["credds"] == credds


def test_run_stage_takes_uids_from_the_database_and_names_those_that_nobody_knows(tmp_path: Path) -> None:
    database = str(tmp_path / "state.db")
    configured = experiments(uid=None)
    assert run(experiments=configured, database=database)["lines"][0] == "dune_production  UID unknown"
    assert not (tmp_path / "state.db").exists()
    state = open_state(database, "", 5.0)
    assert state is not None
    with state.write() as db:
        store_uids(db, {"dunepro": 123}, [], now=1.0, source="test")
    assert run(experiments=configured, database=database)["services"][0]["uid"] == 123


def test_run_stage_a_database_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("no database at all, and long enough to be looked at" * 20, encoding="ascii")
    warnings: list[str] = []
    run(warnings, experiments=experiments(uid=None), database=str(tmp_path / "state.db"))
    assert len(warnings) == 1


def test_run_stage_is_limited_as_a_run_is() -> None:
    both = {**experiments(), "nova": {"roles": {"production": {"account": "novapro", "uid": 5}}}}
    assert [row["service"] for row in run(experiments=both)["services"]] == ["dune_production", "nova_production"]
    assert [row["service"] for row in run(experiments=both, experiment=["nova"])["services"]] == ["nova_production"]
    assert run(experiments=both, hosts=[*DUNE[:1]])["services"][0]["nodes"] == DUNE[:1]


def test_run_stage_refuses_a_wrong_configuration() -> None:
    with pytest.raises(BadInput, match="has no account"):
        run(experiments={"dune": {"roles": {"production": {}}}})


def test_table_keeps_within_its_width() -> None:
    nodes = tuple(f"node{number:03}.lab.example" for number in range(30))
    lines = table([Row("dune_production", 1, "p@R", "/k", "", nodes), Row("a_b", 22, "p", "k", "c", ())], 76)
    assert max(len(line) for line in lines) <= 76
    assert " ".join(lines).count("node0") == 30
    assert lines[0] == "dune_production  UID 1"
    assert "a_b              UID 22" in lines
    assert "  credds     none" in lines


def test_table_of_nothing_is_empty() -> None:
    assert table([], 76) == []


def test_run_stage_warns_of_two_accounts_with_one_uid() -> None:
    nova = {"nova": {"roles": {"production": {"account": "novapro", "uid": 50100}}}}
    warnings: list[str] = []
    assert len(run(warnings, experiments={**experiments(), **nova})["services"]) == 2
    assert [text.partition(":")[0] for text in warnings] == ["dune_production", "nova_production"]
