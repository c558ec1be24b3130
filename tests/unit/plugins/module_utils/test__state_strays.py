# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that were left behind are known of; those that other runs look after, or that are forgotten, are not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    count_failures,
    push_counters,
    remember_outcomes,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_strays import (
    SLICES_APART_S,
    count_on_nodes,
    forget_old_strays,
    forget_on_nodes,
    left_behind,
    strays,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

NAME, OTHER = "dune_production", "nova_production"
NOW = 100_000.0
LONG_AGO = NOW - 2 * SLICES_APART_S
WHERE = {NAME: {"n1"}, OTHER: {"n1", "n2"}}


def pushed(node: str, when: float = NOW, status: str = "ok", *, name: str = NAME, stage: str = "push") -> Outcome:
    return outcome(stage, status, node=node, started=when, service=name, config_service=name)


def remember(state: State, *outcomes: Outcome) -> None:
    with state.write() as db:
        remember_outcomes(db, outcomes, run="r1")


def found(state: State, before: float = 0.0) -> dict[str, tuple[str, ...]]:
    with state.read() as db:
        return strays(db, WHERE, before=before)


def targets(state: State) -> list[tuple[str, str, str]]:
    results = schema().results.c
    with state.read() as db:
        rows = db.execute(sa.select(results.service, results.stage, results.target))
        return sorted((row.service, row.stage, row.target) for row in rows)


@pytest.mark.parametrize(
    ("attempted", "expected"),
    [
        ({"n1": NOW, "n2": LONG_AGO, "n3": 1.0}, ("n2", "n3")),
        # Another slice of the same job, or nobody has been served since.
        ({"n1": NOW, "n2": NOW - SLICES_APART_S}, ()),
        ({"n2": LONG_AGO}, ()),
        ({"n1": LONG_AGO, "n2": LONG_AGO, "n3": NOW}, ()),
        ({"n1": NOW}, ()),
        ({}, ()),
    ],
)
def test_left_behind_are_nodes_that_were_left_out_since(attempted: dict[str, float], expected: tuple[str, ...]) -> None:
    assert left_behind({"n1"}, attempted) == expected


def test_strays_are_of_configured_services_and_of_pushes_that_went_well_once(state: State) -> None:
    remember(
        state,
        pushed("n1"),
        pushed("n2", LONG_AGO),
        pushed("n3", LONG_AGO, "failed"),
        pushed("n4", LONG_AGO, "failed", stage="node_removal"),
        pushed("n2", LONG_AGO, name=OTHER),
        pushed("n1", name=OTHER),
        pushed("n9", LONG_AGO, name="left_production"),
        pushed("n1", name="left_production"),
    )
    assert found(state) == {NAME: ("n2", "n4")}
    assert found(state, before=LONG_AGO + 1) == {}


def test_strays_know_that_a_service_was_tried_on_its_nodes_in_vain(state: State) -> None:
    remember(state, pushed("n1", status="failed"), pushed("n2", LONG_AGO))
    assert found(state) == {NAME: ("n2",)}


def test_strays_of_a_database_that_is_not_there_are_none(state: State) -> None:
    assert found(state) == {}


def test_forget_old_strays_leaves_everything_that_is_configured_or_younger(state: State) -> None:
    remember(
        state,
        pushed("n1", 5.0),
        pushed("n2", 5.0),
        pushed("n3", 50.0),
        pushed("n4", 5.0, "failed", stage="node_removal"),
        pushed("n2", 5.0, name=OTHER),
        pushed("n9", 5.0, name="left_production"),
    )
    with state.write() as db:
        forget_old_strays(db, WHERE, before=10.0)
    assert targets(state) == [
        (NAME, "push", "n1"),
        (NAME, "push", "n3"),
        ("left_production", "push", "n9"),
        (OTHER, "push", "n2"),
    ]


def fill(state: State) -> None:
    bad = [pushed(node, NOW, "failed", name=name) for node in ("n1", "n2") for name in (NAME, OTHER)]
    remember(state, *bad, pushed("n2", NOW, "failed", stage="node_removal"))
    with state.write() as db:
        count_failures(db, bad)
        for name in (NAME, OTHER):
            told = {"channel": "email", "service": name, "node": "n2", "sent": 1.0, "kind": "x", "run": "r1"}
            db.execute(sa.insert(schema().notifications), told)


@pytest.mark.parametrize(("unfinished", "rows", "left"), [((), 2, ()), (("n2",), 1, ("node_removal",))])
def test_forget_on_nodes_forgets_one_service_there_and_nothing_else(
    state: State, unfinished: tuple[str, ...], rows: int, left: tuple[str, ...]
) -> None:
    fill(state)
    with state.write() as db:
        assert count_on_nodes(db, NAME, {"n2"}) == 2
        assert forget_on_nodes(db, NAME, {"n2"}, unfinished) == rows
        assert push_counters(db) == {(NAME, "n1"): 1, (OTHER, "n1"): 1, (OTHER, "n2"): 1}
        assert db.execute(sa.select(schema().notifications.c.service)).scalars().all() == [OTHER]
        assert {name for (name,) in db.execute(sa.select(schema().nodes.c.name))} == {"n1", "n2"}
    assert [item for item in targets(state) if item[0] == OTHER] == [(OTHER, "push", "n1"), (OTHER, "push", "n2")]
    assert [stage for name, stage, node in targets(state) if (name, node) == (NAME, "n2")] == list(left)
    with state.write() as db:
        assert forget_on_nodes(db, NAME, {"n2"}, unfinished) == 0
