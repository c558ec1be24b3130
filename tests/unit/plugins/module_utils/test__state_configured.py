# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has left the configuration is marked, comes back, or is forgotten, and the Go service's tables stay."""

from __future__ import annotations

import typing as t

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import (
    NODE,
    SERVICE,
    departed,
    note_configured,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    count_failures,
    push_counters,
    remember_outcomes,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

KEEP = 100.0
A, B = "dune_production", "nova_production"


def note(state: State, services: t.Iterable[str], nodes: t.Collection[str], now: float) -> list[tuple[str, str]]:
    """Note the configuration, each service under a real name of its own."""
    with state.write() as db:
        return note_configured(db, {name: f"real_{name}" for name in services}, nodes, now=now, forget_after=KEEP)


def gone(state: State) -> dict[str, dict[str, float]]:
    with state.read() as db:
        return {sort: departed(db, sort) for sort in (SERVICE, NODE)}


def rows(state: State, table: sa.Table) -> list[tuple[t.Any, ...]]:
    with state.read() as db:
        return sorted(tuple(row) for row in db.execute(sa.select(table)))


def test_note_configured_writes_down_who_is_there(state: State) -> None:
    assert note(state, [A], ["n1"], 10.0) == []
    assert rows(state, schema().configured) == [("node", "n1", "", 10.0, 0.0), ("service", A, f"real_{A}", 10.0, 0.0)]
    assert note(state, [A], ["n1"], 20.0) == []
    assert {row[3:] for row in rows(state, schema().configured)} == {(20.0, 0.0)}
    assert gone(state) == {SERVICE: {}, NODE: {}}


def test_note_configured_marks_with_the_first_time_who_is_not_there(state: State) -> None:
    note(state, [A, B], ["n1", "n2"], 10.0)
    for now in (20.0, 30.0):
        assert note(state, [A], ["n1"], now) == []
        assert gone(state) == {SERVICE: {B: 20.0}, NODE: {"n2": 20.0}}
    assert ("node", "n2", "", 10.0, 20.0) in rows(state, schema().configured)


def test_note_configured_who_is_back_is_marked_no_more(state: State) -> None:
    for now, services, nodes in ((10.0, [A, B], ["n1"]), (20.0, [A], []), (30.0, [A, B], ["n1"])):
        note(state, services, nodes, now)
    assert gone(state) == {SERVICE: {}, NODE: {}}
    assert note(state, [A, B], ["n1"], 20.0 + KEEP + 1) == []
    note(state, [A], ["n1"], 200.0)
    assert gone(state)[SERVICE] == {B: 200.0}


def test_note_configured_a_service_and_a_node_of_one_name_are_two(state: State) -> None:
    note(state, ["same"], ["same"], 10.0)
    note(state, ["same"], [], 20.0)
    assert gone(state) == {SERVICE: {}, NODE: {"same": 20.0}}


def test_note_configured_new_real_name_replaces_the_old_one(state: State) -> None:
    note(state, [A], [], 10.0)
    with state.write() as db:
        note_configured(db, {A: "other"}, [], now=20.0, forget_after=KEEP)
    assert rows(state, schema().configured) == [("service", A, "other", 20.0, 0.0)]


def test_note_configured_more_than_a_statement_takes(state: State) -> None:
    many = [f"n{number:05}" for number in range(33_000)]
    note(state, [A], many, 10.0)
    note(state, [A], many, 20.0)
    note(state, [A], many[:1], 30.0)
    assert len(gone(state)[NODE]) == len(many) - 1
    assert len(note(state, [A], many[:1], 31.0 + KEEP)) == len(many) - 1


def fill(state: State) -> None:
    """Put something of two services and two nodes into every table that has room for it."""
    outcomes = [
        *(outcome(stage, "failed", config_service=name) for stage in ("setup", "tickets") for name in (A, B)),
        # A node may be a credd as well.
        *(
            outcome("store", "failed", config_service=name, credd=credd, started=500.0)
            for name in (A, B)
            for credd in ("c1", "n2")
        ),
        *(outcome("push", "failed", config_service=name, node=node) for name in (A, B) for node in ("n1", "n2")),
        *(outcome("ping", "failed", config_service="", node=node) for node in ("n1", "n2")),
    ]
    told = [{"channel": "mail", "service": name, "node": node} for name in (A, B) for node in ("", "n1", "n2")]
    with state.write() as db:
        remember_outcomes(db, outcomes, run="r")
        count_failures(db, outcomes)
        store_uids(db, {"dunepro": 1, "novapro": 2}, [], now=1.0, source="a test")
        db.execute(sa.insert(schema().notifications), told)


@pytest.mark.parametrize(
    ("services", "nodes", "forgotten"),
    [([A], ["n1", "n2"], [("service", B)]), ([A, B], ["n1"], [("node", "n2")]), ([], [], None)],
)
def test_note_configured_forgets_after_the_time_what_is_ours(
    state: State, services: list[str], nodes: list[str], forgotten: list[tuple[str, str]] | None
) -> None:
    fill(state)
    shared = {table.name: rows(state, table) for table in schema().shared.sorted_tables}
    note(state, [A, B], ["n1", "n2"], 1.0)
    note(state, services, nodes, 10.0)
    assert note(state, services, nodes, 10.0 + KEEP) == []
    before = rows(state, schema().results)
    everybody = [("node", "n1"), ("node", "n2"), ("service", A), ("service", B)]
    assert sorted(note(state, services, nodes, 11.0 + KEEP)) == (everybody if forgotten is None else forgotten)
    wanted = [
        row
        for row in before
        if (not row[1] or row[1] in services) and (row[0] not in ("push", "ping") or row[2] in nodes)
    ]
    assert rows(state, schema().results) == wanted
    assert [row[1:3] for row in rows(state, schema().notifications)] == [
        (name, node) for name in services for node in ("", *nodes)
    ]
    assert {row[1] for row in rows(state, schema().configured)} == {*services, *nodes}
    assert note(state, services, nodes, 12.0 + KEEP) == []
    # What both programs use stays: UIDs, names, counters.
    assert {table.name: rows(state, table) for table in schema().shared.sorted_tables} == shared
    with state.read() as db:
        assert (len(known_uids(db)), push_counters(db)[B, "n2"]) == (2, 1)


def test_note_configured_forgets_credds_on_which_nothing_was_stored_for_long(state: State) -> None:
    with state.write() as db:
        for credd, started in (("c1", 10.0), ("c2", 50.0)):
            remember_outcomes(db, [outcome("store", "ok", credd=credd, started=started)], run="r")
    note(state, ["dune_production"], [], 11.0 + KEEP)
    assert [row[2] for row in rows(state, schema().results)] == ["c2"]
