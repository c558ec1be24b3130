# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UIDs: exchanged, removed, confirmed, and changed by somebody else."""

from __future__ import annotations

import typing as t

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_migrations import bring_up_to_date
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import (
    KnownUid,
    known_uids,
    note_uids,
    store_uids,
)

SOURCE = "the registry"


def store(state: State, confirmed: dict[str, int], *removed: str, now: float = 10.0) -> None:
    """Store in a transaction of its own."""
    with state.write() as db:
        store_uids(db, confirmed, removed, now=now, source=SOURCE)


def known(state: State) -> dict[str, KnownUid]:
    with state.read() as db:
        return known_uids(db)


def plain(state: State, statement: str) -> None:
    """Do what the Go service may do behind our back."""
    with state.write() as db:
        db.exec_driver_sql(statement)


BEFORE = {"a": 1, "b": 2, "c": 3}
# What is confirmed, who is removed, what is there then.
MOVES: tuple[tuple[dict[str, int], tuple[str, ...], dict[str, int]], ...] = (
    ({}, (), BEFORE),
    (BEFORE, (), BEFORE),
    ({"a": 2, "b": 1}, (), {"a": 2, "b": 1, "c": 3}),
    ({"a": 2, "b": 3, "c": 1}, (), {"a": 2, "b": 3, "c": 1}),
    ({"a": 2, "b": 3, "c": 4}, (), {"a": 2, "b": 3, "c": 4}),
    ({"d": 1}, ("a",), {"b": 2, "c": 3, "d": 1}),
    ({"b": 1}, ("a",), {"b": 1, "c": 3}),
    ({}, ("a", "b", "c", "x"), {}),
    ({"x": 2**32 - 2}, (), {**BEFORE, "x": 2**32 - 2}),
)


@pytest.mark.parametrize(("confirmed", "removed", "after"), MOVES)
def test_store_uids_moves_them(
    state: State, confirmed: dict[str, int], removed: tuple[str, ...], after: dict[str, int]
) -> None:
    store(state, BEFORE, now=10.0)
    store(state, confirmed, *removed, now=20.0)
    found = known(state)
    assert {name: item.uid for name, item in found.items()} == after
    for name, item in found.items():
        noted = 10.0 if name in BEFORE else 20.0
        assert item == KnownUid(name, after[name], 20.0 if name in confirmed else 10.0, SOURCE, noted)


def test_store_uids_forgets_the_confirmation_of_who_is_removed(state: State) -> None:
    store(state, BEFORE)
    store(state, {}, "a")
    plain(state, "INSERT INTO uids VALUES ('a', 1)")
    assert known(state)["a"] == KnownUid("a", 1)


def test_store_uids_leaves_rows_that_are_right(state: State) -> None:
    plain(state, "INSERT INTO uids (rowid, username, uid) VALUES (40, 'a', 1), (41, 'b', 2)")
    store(state, {"a": 1, "b": 7})
    with state.read() as db:
        assert db.exec_driver_sql("SELECT rowid FROM uids WHERE username = 'a'").scalar_one() == 40


def test_store_uids_many_at_once(state: State) -> None:
    many = {f"a{number}": number for number in range(1, 2501)}
    store(state, many)
    store(state, {name: 5000 - uid for name, uid in many.items()}, now=20.0)
    assert {(item.confirmed, item.noted) for item in known(state).values()} == {(20.0, 10.0)}
    store(state, {}, *many)
    assert known(state) == {}


def test_known_uids_changed_by_somebody_else_counts_as_unconfirmed(state: State) -> None:
    store(state, BEFORE)
    plain(state, "UPDATE uids SET uid = 9 WHERE username = 'a'")
    assert known(state)["a"] == KnownUid("a", 9)
    assert known(state)["b"].confirmed == 10.0
    store(state, {"a": 9}, now=20.0)
    assert known(state)["a"] == KnownUid("a", 9, 20.0, SOURCE, 20.0)


def test_note_uids_writes_down_when_they_were_first_seen(state: State) -> None:
    store(state, {"a": 1})
    plain(state, "INSERT INTO uids VALUES ('b', 2)")
    for now in (30.0, 40.0):
        with state.write() as db:
            note_uids(db, now=now)
    assert known(state) == {"a": KnownUid("a", 1, 10.0, SOURCE, 10.0), "b": KnownUid("b", 2, noted=30.0)}
    plain(state, "UPDATE uids SET uid = 5 WHERE username = 'a'")
    with state.write() as db:
        note_uids(db, now=50.0)
    assert known(state)["a"] == KnownUid("a", 5, noted=50.0)
    store(state, {"b": 2}, now=60.0)
    assert known(state)["b"] == KnownUid("b", 2, 60.0, SOURCE, 30.0)


AGES: tuple[tuple[KnownUid, float], ...] = (
    (KnownUid("a", 1), 0.0),
    (KnownUid("a", 1, confirmed=60.0, noted=10.0), 40.0),
    (KnownUid("a", 1, noted=10.0), 90.0),
    (KnownUid("a", 1, confirmed=130.0), 0.0),
)


@pytest.mark.parametrize(("item", "age"), AGES)
def test_age_counts_from_the_confirmation_or_the_first_sight(item: KnownUid, age: float) -> None:
    assert item.age(100.0) == age


@pytest.mark.parametrize("name", ["0123", "1e5", "10.10", "1e400", "-0", "0x10", "123456789012345678901"])
def test_store_uids_name_that_looks_like_a_number_is_no_crash(state: State, name: str) -> None:
    for turn, uid in enumerate((5, 5, 6, 7)):
        store(state, {name: uid, "a": 100 + uid}, now=10.0 + turn)
        with state.write() as db:
            note_uids(db, now=20.0)
        assert sorted(item.uid for item in known(state).values()) == [uid, 100 + uid]
    store(state, {}, name)
    assert list(known(state)) == ["a"]


ACCOUNTS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.integers(1, 6)),
    max_size=5,
    unique_by=(lambda pair: pair[0], lambda pair: pair[1]),
).map(dict)


@given(st.lists(ACCOUNTS, min_size=1, max_size=6))
def test_store_uids_any_sequence_ends_as_said_last(turns: list[dict[str, int]]) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as db:
        bring_up_to_date(db, "x")
        model: dict[str, tuple[int, float]] = {}
        for now, confirmed in enumerate(turns, start=1):
            # Who is in the way of a confirmed one is removed, as a refresh does.
            taken = set(confirmed.values())
            removed = {name for name, (uid, _when) in model.items() if uid in taken and name not in confirmed}
            model = {name: item for name, item in model.items() if name not in removed}
            model |= {name: (uid, float(now)) for name, uid in confirmed.items()}
            store_uids(db, confirmed, removed, now=float(now), source=SOURCE)
            found: dict[str, t.Any] = {name: (item.uid, item.confirmed) for name, item in known_uids(db).items()}
            assert found == model
            assert db.execute(sa.select(sa.func.count()).select_from(schema().confirmations)).scalar_one() == len(model)
    engine.dispose()
