# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What travels between the stages comes out as it went in, and holds no secret."""

from __future__ import annotations

import json
import typing as t
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    STAGES,
    STATUSES,
    Outcome,
    Stopwatch,
    is_only_a_look,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Node, Problem, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import services_option
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, outcome, plain_data, service

PING, SILENT = outcome("ping"), outcome("ping", "failed")
# What a run came to, and whether it only looked.
LOOKS: tuple[tuple[list[Outcome], bool], ...] = (
    ([PING], True),
    ([outcome("setup"), PING, SILENT, outcome("state")], True),
    ([], False),
    ([outcome("setup")], False),
    ([outcome("setup", "skipped")], False),
    ([PING, outcome("tickets")], False),
    ([PING, outcome("push", "skipped")], False),
    ([outcome("setup", "failed"), PING], False),
)


@pytest.mark.parametrize(("outcomes", "only_looked"), LOOKS)
def test_is_only_a_look(outcomes: list[Outcome], only_looked: bool) -> None:
    assert is_only_a_look(outcomes) is only_looked


TEXT = st.text(max_size=10)
OUTCOMES = st.builds(
    Outcome,
    stage=st.sampled_from(STAGES),
    status=st.sampled_from(STATUSES),
    service=TEXT,
    config_service=TEXT,
    node=TEXT,
    credd=TEXT,
    started=st.integers(0, 2**33).map(float),
    seconds=st.integers(0, 1000).map(float),
    kind=TEXT,
    message=TEXT,
    life=st.integers(0, 10**7).map(float),
)
SERVICES = st.builds(
    Service,
    **{field.name: TEXT for field in fields(Service) if field.type == "str"},
    uid=st.integers(0, 2**32),
    notify=st.booleans(),
    credds=st.lists(st.builds(Credd, TEXT, TEXT), max_size=2).map(tuple),
    nodes=st.lists(st.builds(Node, TEXT, TEXT, st.integers(1, 65535)), max_size=2).map(tuple),
    yields=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    problem=st.none() | st.builds(Problem, TEXT, TEXT, TEXT),
)


@given(OUTCOMES)
def test_outcome_survives_the_way_through_json(record: Outcome) -> None:
    assert Outcome.from_dict(json.loads(json.dumps(record.to_dict()))) == record


@given(SERVICES)
def test_service_survives_the_way_through_json(record: Service) -> None:
    assert Service.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_from_dict_keys_of_a_later_release_are_ignored() -> None:
    assert Outcome.from_dict({**outcome().to_dict(), "later": 1}) == outcome()
    assert Service.from_dict({**service().to_dict(), "later": 1}) == service()


def test_record_lets_no_token_and_no_control_character_into_a_message() -> None:
    made = record("push", "failed", service(), Stopwatch(), kind="x", message=f"\x1b[2J{CANARY}: no")
    assert made.message == "[redacted]: no"
    assert record("push", "ok", service(), Stopwatch()).message == ""


def test_to_dict_of_an_outcome_leaves_out_what_is_empty() -> None:
    assert Outcome("ping", "ok", started=1.23456).to_dict() == {
        "stage": "ping",
        "status": "ok",
        "started": 1.235,
        "seconds": 0.0,
    }


# A node, and its plain form.
PLAIN_NODES: tuple[tuple[Node, str | dict[str, t.Any]], ...] = (
    (Node("a", "a"), "a"),
    (Node("a", "a", 2222), {"name": "a", "address": "a", "port": 2222}),
    (Node("a", "10.0.0.1"), {"name": "a", "address": "10.0.0.1", "port": 22}),
)


@pytest.mark.parametrize(("node", "plain"), PLAIN_NODES)
def test_plain_node_is_a_name_if_that_says_it_all(node: Node, plain: str | dict[str, t.Any]) -> None:
    assert service(nodes=(node,)).to_dict()["nodes"] == [plain]
    assert Service.from_dict(service(nodes=(node,)).to_dict()).nodes == (node,)


def test_failed_keeps_everything_else() -> None:
    stopped = service().failed("store", "timed_out", "too long")
    assert stopped.problem == Problem("store", "timed_out", "too long")
    assert {**stopped.to_dict(), "problem": None} == service().to_dict()


def test_issuer_and_credkey_are_parts_of_the_real_name_and_principal() -> None:
    record = service("dune_production", name="fermilab_production", principal="a/b/c@REALM")
    assert (record.issuer, record.credkey) == ("fermilab", "a/b/c")
    assert service(principal="a/b").credkey == "a/b"


# The one place where a token travels is a file: results are shown, logged and kept by others.
PATHS_ONLY = {"token": "a path", "ccache": "a FILE: name", "keytab": "a path", "token_dir": "a path"}


def test_no_field_of_service_or_outcome_can_hold_a_secret_by_its_name() -> None:
    names = {field.name for record in (Service, Outcome) for field in fields(record)}
    suspicious = {
        name for name in names if any(word in name for word in ("token", "secret", "password", "key", "cache"))
    }
    assert suspicious == {*PATHS_ONLY, "token_getter", "gettoken_options"}


@given(plain_data())
def test_services_option_of_any_plain_data_is_services_or_bad_input(plain: t.Any) -> None:
    try:
        services_option({"services": [plain]})
    except BadInput:
        return
    assert isinstance(plain, dict)


@pytest.mark.parametrize("services", [None, []])
def test_services_option_without_services_says_that_a_stage_is_missing(services: list[t.Any] | None) -> None:
    with pytest.raises(StageOrder, match="the stage before this one has not run"):
        services_option({"services": services})


@pytest.mark.parametrize(
    "change", [{"uid": "x"}, {"nodes": [{"name": "a"}]}, {"nodes": "ab"}, {"credds": ["c"]}, {"problem": "p"}]
)
def test_services_option_damaged_service_is_bad_input(change: dict[str, t.Any]) -> None:
    with pytest.raises(BadInput, match="that service_info or a later stage returned"):
        services_option({"services": [{**service().to_dict(), **change}]})
