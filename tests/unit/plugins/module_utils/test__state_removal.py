# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is forgotten of a service that goes, and what has to stay: of others, and of what is left to do."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import note_configured
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import (
    Forgotten,
    Leaving,
    Remembered,
    Staying,
    forget,
    remembered,
    would_forget,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    count_failures,
    push_counters,
    remember_outcomes,
    setup_counters,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

GOING, STAYING = "dune_production", "nova_production"
LEAVING = Leaving(GOING, "dunepro", frozenset({"n1", "shared"}))
OTHERS = Staying(frozenset({"novapro"}), frozenset({"shared"}))


def fill(state: State) -> None:
    """Let two services have been everywhere, with failures of both that have been told."""
    found: list[Outcome] = []
    for name in (GOING, STAYING):
        of = {"service": name, "config_service": name}
        found += [
            outcome("setup", "ok", **of),
            outcome("store", "failed", credd="c1", kind="x", **of),
            outcome("push", "ok", node="shared", **of),
        ]
    found += [outcome("push", "failed", node="n1", kind="x"), *(_ping(name) for name in ("n1", "shared"))]
    with state.write() as db:
        remember_outcomes(db, found, run="r1")
        count_failures(db, found)
        note_configured(db, {name: name for name in (GOING, STAYING)}, {"n1", "shared"}, now=1.0, forget_after=9e9)
        store_uids(db, {"dunepro": 1, "novapro": 2}, (), now=1.0, source="x")
        for name in (GOING, STAYING):
            told = {"channel": "email", "service": name, "node": "", "sent": 1.0, "kind": "x", "run": "r1"}
            db.execute(sa.insert(schema().notifications), told)
            sent = {"channel": "service_email", "target": name, "success": 1, "sent": 1.0, "seconds": 1.0}
            db.execute(sa.insert(schema().deliveries), sent)


def _ping(node: str) -> Outcome:
    return Outcome("ping", "ok", node=node, started=1.0)


def dump(state: State) -> dict[str, list[t.Any]]:
    """Give all rows of the tables that name services, nodes or accounts."""
    tables = schema()
    wanted = (
        tables.uids,
        tables.services,
        tables.nodes,
        tables.confirmations,
        tables.configured,
        tables.results,
        tables.notifications,
        tables.deliveries,
    )
    with state.read() as db:
        return {table.name: [tuple(row) for row in db.execute(sa.select(table))] for table in wanted}


def run(state: State, *leaving: Leaving, others: Staying = OTHERS) -> Forgotten:
    with state.write() as db:
        return forget(db, leaving, others, run="r2", now=5.0)


def test_remembered_gives_nodes_and_credds_of_every_service(state: State) -> None:
    fill(state)
    with state.read() as db:
        assert remembered(db) == {
            GOING: Remembered(GOING, frozenset({"n1", "shared"}), frozenset({"c1"})),
            STAYING: Remembered(STAYING, frozenset({"shared"}), frozenset({"c1"})),
        }


def test_remembered_reads_what_only_the_go_service_has_written(go_state: State) -> None:
    with go_state.read() as db:
        names = {name for name, _node in push_counters(db)}
        known = remembered(db)
    assert names
    assert all(known[name].nodes for name in names)


def test_remembered_knows_nothing_of_a_database_that_is_not_there(state: State) -> None:
    with state.read() as db:
        assert remembered(db) == {}


def test_forget_leaves_nothing_of_a_service_and_everything_of_the_other(state: State) -> None:
    fill(state)
    before = dump(state)
    done = run(state, LEAVING)
    after = dump(state)
    assert done.accounts == ("dunepro",)
    assert done.rows[GOING] > 0
    text = repr(after)
    assert not [name for name in (GOING, "dunepro", "'n1'") if name in text]
    for table, rows in before.items():
        mine = [row for row in rows if not {GOING, "dunepro", "n1"} & set(map(str, row))]
        assert after[table] == mine, table
    with state.read() as db:
        assert (setup_counters(db), push_counters(db)) == ({STAYING: 1}, {})
    assert run(state, LEAVING).rows == {GOING: 0}


def test_forget_keeps_the_uid_of_an_account_that_another_service_has(state: State) -> None:
    fill(state)
    done = run(state, LEAVING, others=Staying(frozenset({"dunepro"}), frozenset({"n1", "shared"})))
    assert done.accounts == ()
    with state.read() as db:
        assert known_uids(db).keys() == {"dunepro", "novapro"}
    assert "n1" in repr(dump(state)["nodes"])


def left(stage: str = "node_removal", **where: str) -> Outcome:
    return outcome(stage, "failed", kind="node_unreachable", message="silent", **where)


def test_forget_keeps_exactly_what_is_left_to_do_and_the_next_time_nothing(state: State) -> None:
    fill(state)
    item = Leaving(GOING, "dunepro", LEAVING.nodes, (left(node="n1"), left("credd_removal", credd="c1")), is_over=False)
    assert run(state, item).accounts == ()
    with state.read() as db:
        assert remembered(db)[GOING] == Remembered(GOING, frozenset({"n1"}), frozenset({"c1"}))
        assert known_uids(db).keys() == {"dunepro", "novapro"}
        assert setup_counters(db) == {STAYING: 1}
        (row,) = db.execute(sa.select(schema().configured).where(schema().configured.c.name == GOING)).all()
    assert row.gone == 5.0
    assert sorted(row[:3] for row in dump(state)["mt_results"] if row[1] == GOING) == [
        ("credd_removal", GOING, "c1"),
        ("node_removal", GOING, "n1"),
    ]
    assert run(state, item).rows == {GOING: 0}
    assert run(state, LEAVING).accounts == ("dunepro",)
    assert GOING not in repr(dump(state))


def test_forget_keeps_the_uid_while_another_service_that_goes_is_not_done(state: State) -> None:
    fill(state)
    second = Leaving("dune_analysis", "dunepro", frozenset({"n1"}), (left(node="n1"),), is_over=False)
    assert run(state, LEAVING, second).accounts == ()


ON_NODE = Leaving(GOING, "dunepro", frozenset({"n1"}), goes_on=True)


def test_forget_of_a_service_that_goes_on_is_that_node_alone(state: State) -> None:
    fill(state)
    before = dump(state)
    with state.read() as db:
        expected = would_forget(db, [ON_NODE], OTHERS).rows
    done = run(state, ON_NODE, others=Staying(frozenset({"dunepro", "novapro"}), frozenset({"shared"})))
    after = dump(state)
    assert (expected[GOING], done.accounts) == (1, ())
    assert "'n1'" not in repr(after)
    for table, rows in before.items():
        assert after[table] == [row for row in rows if "n1" not in row], table


def test_forget_of_a_service_that_goes_on_keeps_a_node_that_others_have_and_its_uid(state: State) -> None:
    fill(state)
    done = run(state, replace(ON_NODE, nodes=frozenset({"n1", "shared"})), others=Staying())
    assert done.accounts == ()
    with state.read() as db:
        assert known_uids(db).keys() == {"dunepro", "novapro"}
        assert remembered(db)[GOING].nodes == frozenset()
    assert [row[1] for row in dump(state)["nodes"]] == ["shared"]


def test_forget_of_a_service_that_goes_on_keeps_what_is_left_to_do_on_the_node(state: State) -> None:
    fill(state)
    item = replace(ON_NODE, left=(left(node="n1"),), is_over=False)
    run(state, item)
    with state.read() as db:
        assert remembered(db)[GOING].nodes == {"n1", "shared"}
        (row,) = db.execute(sa.select(schema().configured).where(schema().configured.c.name == GOING)).all()
    assert row.gone == 0.0
    assert [row[:3] for row in dump(state)["mt_results"] if row[1] == GOING and row[2] == "n1"] == [
        ("node_removal", GOING, "n1")
    ]


def test_forget_leaves_a_node_on_which_others_have_failures(state: State) -> None:
    fill(state)
    with state.write() as db:
        count_failures(db, [outcome("push", "failed", node="n1", service="a_b", config_service="a_b")])
    run(state, LEAVING)
    with state.read() as db:
        assert push_counters(db) == {("a_b", "n1"): 1}


@pytest.mark.parametrize("is_over", [True, False])
def test_would_forget_agrees_and_writes_nothing(state: State, is_over: bool) -> None:
    fill(state)
    before = dump(state)
    item = Leaving(GOING, "dunepro", LEAVING.nodes, is_over=is_over)
    with state.read() as db:
        assert would_forget(db, [item], OTHERS).rows[GOING] > 0
    assert dump(state) == before
    run(state, LEAVING)
    with state.read() as db:
        assert would_forget(db, [item], OTHERS).rows == {GOING: 0}
