# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing is made, whatever part of it that is; what is up to date is not written to."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StateUnusable
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_migrations import (
    bring_up_to_date,
    check_identity,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import (
    APPLICATION_ID,
    SHARED_DDL,
    USER_VERSION,
    schema,
)

OWN = {table.name for table in schema().own.sorted_tables}


def engine_of(path: Path) -> sa.Engine:
    return sa.create_engine(f"sqlite:///{path}", poolclass=sa.pool.NullPool)


def prepare(path: Path, *statements: str) -> None:
    """Make a file with plain sqlite3."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


IDENTITY = f"PRAGMA application_id = {APPLICATION_ID}"
VERSION = f"PRAGMA user_version = {USER_VERSION}"
BEGINNINGS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "an identity": (IDENTITY,),
    "an identity and a version": (IDENTITY, VERSION),
    "some of the shared tables": (IDENTITY, SHARED_DDL["uids"], SHARED_DDL["services"]),
    "all of the shared tables": (IDENTITY, VERSION, *SHARED_DDL.values()),
}


@pytest.mark.parametrize("name", sorted(BEGINNINGS))
def test_bring_up_to_date_makes_what_is_missing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "state.db"
    prepare(path, *BEGINNINGS[name])
    with engine_of(path).begin() as db:
        assert check_identity(db, "x") < SHARED_DDL.keys() | OWN
        bring_up_to_date(db, "x")
    with engine_of(path).begin() as db:
        assert check_identity(db, "x") == SHARED_DDL.keys() | OWN
        assert db.exec_driver_sql("PRAGMA application_id").scalar_one() == APPLICATION_ID
        assert db.exec_driver_sql("PRAGMA user_version").scalar_one() == USER_VERSION
    before = path.read_bytes()
    with engine_of(path).begin() as db:
        bring_up_to_date(db, "x")
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", ["0", "1", "", "one", "-5"])
def test_check_identity_accepts_versions_up_to_its_own(tmp_path: Path, version: str) -> None:
    path = tmp_path / "state.db"
    with engine_of(path).begin() as db:
        bring_up_to_date(db, "x")
        db.execute(sa.update(schema().meta).values(value=version))
    with engine_of(path).connect() as db:
        assert check_identity(db, "x") >= OWN


@pytest.mark.parametrize("version", ["2", "10", "99999999999999999999"])
def test_check_identity_refuses_newer_versions_before_it_makes_anything(tmp_path: Path, version: str) -> None:
    path = tmp_path / "state.db"
    with engine_of(path).begin() as db:
        bring_up_to_date(db, "x")
        db.execute(sa.update(schema().meta).values(value=version))
        db.exec_driver_sql("DROP TABLE push_errors")
    with (
        engine_of(path).begin() as db,
        pytest.raises(
            StateUnusable, match=f"^The state database x was written by a newer release.* version {version},"
        ),
    ):
        bring_up_to_date(db, "x")
    with engine_of(path).connect() as db:
        assert "push_errors" not in set(sa.inspect(db).get_table_names())


def test_bring_up_to_date_is_undone_with_the_transaction(state: State, tmp_path: Path) -> None:
    with pytest.raises(StateUnusable), state.write() as db:
        db.exec_driver_sql("INSERT INTO mt_meta (name) VALUES ('version')")
    assert (tmp_path / "state.db").stat().st_size == 0
