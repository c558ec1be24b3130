# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that were written down are read again; words of others are no place."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import departed, note_configured
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_places import PLACE, Place, note_places, places
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

A, B = Place("dunepro", frozenset({"n1", "n2"})), Place("novapro", frozenset())


def test_note_places_replaces_what_changed_and_forgets_what_left(tmp_path: Path) -> None:
    state = state_at(tmp_path / "state.db")
    with state.write() as db:
        note_places(db, {"a": A, "b": B}, now=10.0)
    with state.write() as db:
        note_places(db, {"a": A, "c": B}, now=20.0)
    with state.read() as db:
        assert places(db) == {"a": A, "c": B}
        table = schema().configured
        seen = {row.name: row.seen for row in db.execute(sa.select(table).where(table.c.sort == PLACE))}
    assert seen == {"a": 10.0, "c": 20.0}


def test_note_places_are_neither_services_nor_nodes(tmp_path: Path) -> None:
    state = state_at(tmp_path / "state.db")
    with state.write() as db:
        note_places(db, {"a": A}, now=10.0)
        assert note_configured(db, {}, [], now=1e9, forget_after=0.0) == []
        assert departed(db, PLACE) == {}
        assert places(db) == {"a": A}


def test_note_places_of_thousands_of_services(tmp_path: Path) -> None:
    many = {f"service{number}": Place("x", frozenset({"n"})) for number in range(1200)}
    state = state_at(tmp_path / "state.db")
    with state.write() as db:
        note_places(db, many, now=10.0)
        note_places(db, {}, now=20.0)
        assert places(db) == {}


@pytest.mark.parametrize(
    "words", ["", "{", "[]", "null", '{"account": "x"}', '{"account": "x", "nodes": 1}', "[" * 9999]
)
def test_places_words_of_others_are_no_place(tmp_path: Path, words: str) -> None:
    state = state_at(tmp_path / "state.db")
    with state.write() as db:
        db.execute(sa.insert(schema().configured), [{"sort": PLACE, "name": "a", "real_name": words}])
        assert places(db) == {}
