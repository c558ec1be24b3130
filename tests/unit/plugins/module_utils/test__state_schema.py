# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables in a file of ours and in one of the Go service, which goes on to use it with statements of its own."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, PUSH, STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    count_failures,
    push_counters,
    remember_outcomes,
    setup_counters,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import (
    APPLICATION_ID,
    OWN_VERSION,
    SHARED_DDL,
    USER_VERSION,
    schema,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, note_uids, store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import GO_FILE

TYPES: dict[str, list[tuple[str, ...]]] = {
    "uids": [("text", "integer")],
    "services": [("integer", "text")],
    "nodes": [("integer", "text")],
    "setup_errors": [("integer", "integer")],
    "push_errors": [("integer", "integer", "integer")],
}
TYPEOF = {
    "uids": "SELECT DISTINCT typeof(username), typeof(uid) FROM uids",
    "services": "SELECT DISTINCT typeof(id), typeof(name) FROM services",
    "nodes": "SELECT DISTINCT typeof(id), typeof(name) FROM nodes",
    "setup_errors": "SELECT DISTINCT typeof(service_id), typeof(count) FROM setup_errors",
    "push_errors": "SELECT DISTINCT typeof(service_id), typeof(node_id), typeof(count) FROM push_errors",
}
GO_UIDS = {
    "exp01pro": 50100,
    "exp01ana": 50101,
    "exp02pro": 50200,
    "exp02ana": 50201,
    "exp03pro": 50300,
    "exp03ana": 50301,
}
GO_PUSH = {("exp03_production", f"exp03gpvm0{number}.lab.example"): 2 for number in (1, 2)}


def ask(path: Path, *statements: str) -> list[list[tuple[t.Any, ...]]]:
    """Give the rows of each statement, with plain sqlite3."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [db.execute(statement).fetchall() for statement in statements]


def described(path: Path) -> dict[str, list[list[tuple[t.Any, ...]]]]:
    """Give what SQLite knows of the shared tables: columns with their declared types, indices, foreign keys."""
    return {
        name: ask(path, *(f"PRAGMA {about}({name})" for about in ("table_info", "index_list", "foreign_key_list")))
        for name in SHARED_DDL
    }


def identity(path: Path) -> list[list[tuple[t.Any, ...]]]:
    return ask(path, *(f"PRAGMA {name}" for name in ("application_id", "user_version", "journal_mode", "page_size")))


def types_in(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """Give the types of the stored values as SQLite names them, each combination once."""
    return dict(zip(TYPEOF, ask(path, *TYPEOF.values()), strict=True))


def use(state: State) -> None:
    """Do with the database what a run and a refresh do."""
    outcomes = [
        outcome(STORE, FAILED, config_service="exp03_analysis", credd="c1"),
        outcome(STORE, "changed", config_service="exp02_production", credd="c1"),
        outcome(PUSH, FAILED, config_service="exp03_production", node="exp03gpvm01.lab.example"),
        outcome(PUSH, FAILED, config_service="new_production", node="new01.lab.example"),
    ]
    with state.write() as db:
        note_uids(db, now=5.0)
        store_uids(db, {"exp01pro": 50100, "exp02pro": 60000, "newpro": 70000}, [], now=9.0, source="a test")
        remember_outcomes(db, outcomes, run="r")
        count_failures(db, outcomes)


def test_schema_file_of_ours_is_like_one_of_the_go_service(state: State) -> None:
    assert state.location.path is not None
    use(state)
    assert described(state.location.path) == described(GO_FILE)
    assert identity(state.location.path) == identity(GO_FILE)
    assert identity(GO_FILE) == [[(APPLICATION_ID,)], [(USER_VERSION,)], [("delete",)], [(4096,)]]


def test_schema_columns_are_those_of_the_shared_tables(state: State) -> None:
    columns = {name: [column[1] for column in about[0]] for name, about in described(GO_FILE).items()}
    assert {table.name: [column.name for column in table.c] for table in schema().shared.sorted_tables} == columns


def test_schema_tables_of_ours_have_a_prefix_and_a_version(state: State) -> None:
    with state.write() as db:
        version = db.exec_driver_sql("SELECT value FROM mt_meta WHERE name = 'version'").scalar_one()
    assert version == str(OWN_VERSION)
    assert {table.name[:3] for table in schema().own.sorted_tables} == {"mt_"}


def test_go_file_is_read_as_it_is_and_not_changed(go_state: State, go_path: Path) -> None:
    before = go_path.read_bytes()
    with go_state.read() as db:
        assert {name: known.uid for name, known in known_uids(db).items()} == GO_UIDS
        assert {known.confirmed for known in known_uids(db).values()} == {0.0}
        assert setup_counters(db) == {"exp02_production": 2, "exp03_analysis": 2}
        assert push_counters(db) == GO_PUSH
        # Also what reads the tables that are not there yet.
        assert db.exec_driver_sql("SELECT count(*) FROM mt_results").scalar_one() == 0
    assert go_path.read_bytes() == before
    assert [path.name for path in go_path.parent.iterdir()] == [go_path.name]


def test_go_file_keeps_its_identity_and_tables_when_written(go_state: State, go_path: Path) -> None:
    statement = "SELECT * FROM sqlite_master WHERE substr(tbl_name, 1, 3) != 'mt_' ORDER BY rowid"
    before = (identity(go_path), described(go_path), ask(go_path, statement))
    assert types_in(GO_FILE) == TYPES
    use(go_state)
    assert (identity(go_path), described(go_path), ask(go_path, statement)) == before
    assert types_in(go_path) == TYPES
    assert ask(go_path, "PRAGMA integrity_check", "PRAGMA foreign_key_check") == [[("ok",)], []]


def test_go_file_has_its_rows_and_what_we_changed(go_state: State, go_path: Path) -> None:
    use(go_state)
    uids, services = ask(go_path, "SELECT username, uid FROM uids", "SELECT name FROM services ORDER BY id LIMIT 6")
    assert dict(uids) == {**GO_UIDS, "exp02pro": 60000, "newpro": 70000}
    assert services == ask(GO_FILE, "SELECT name FROM services ORDER BY id")[0]
    with go_state.read() as db:
        assert setup_counters(db) == {"exp02_production": 0, "exp03_analysis": 3}
        assert push_counters(db) == {
            **GO_PUSH,
            ("exp03_production", "exp03gpvm01.lab.example"): 3,
            ("new_production", "new01.lab.example"): 1,
        }


def test_go_file_second_write_changes_nothing_that_is_right(go_state: State, go_path: Path) -> None:
    use(go_state)
    before = ask(go_path, "SELECT rowid, * FROM uids ORDER BY rowid", "SELECT * FROM sqlite_master")
    with go_state.write() as db:
        store_uids(db, {**GO_UIDS, "exp02pro": 60000}, [], now=time.time(), source="a test")
    assert ask(go_path, "SELECT rowid, * FROM uids ORDER BY rowid", "SELECT * FROM sqlite_master") == before


# The statements of the Go service, by meaning.
THEIRS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA foreign_keys = ON")
db.execute("BEGIN")
for name in ("exp01_production", "later_production"):
    db.execute("INSERT INTO services (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
db.execute("INSERT INTO nodes (name) VALUES (?) ON CONFLICT DO NOTHING", ("later01",))
for name, uid in (("exp01pro", 50199), ("laterpro", 80000)):
    db.execute("INSERT INTO uids (username, uid) VALUES (?, ?) ON CONFLICT(username) DO UPDATE SET uid = ?",
               (name, uid, uid))
for name, count in (("exp03_analysis", 0), ("later_production", 4)):
    db.execute("INSERT INTO setup_errors (service_id, count) VALUES ((SELECT id FROM services WHERE name = ?), ?)"
               " ON CONFLICT(service_id) DO UPDATE SET count = ?", (name, count, count))
for service, node, count in (("new_production", "new01.lab.example", 7), ("later_production", "later01", 1)):
    db.execute("INSERT INTO push_errors (service_id, node_id, count) VALUES ((SELECT id FROM services WHERE name = ?),"
               " (SELECT id FROM nodes WHERE name = ?), ?)"
               " ON CONFLICT(service_id, node_id) DO UPDATE SET count = ?", (service, node, count, count))
db.execute("COMMIT")
"""


def test_go_service_goes_on_with_a_file_that_we_wrote(go_state: State, go_path: Path) -> None:
    use(go_state)
    subprocess.run([sys.executable, "-c", THEIRS, str(go_path)], check=True, timeout=60)
    with go_state.read() as db:
        known = known_uids(db)
        assert (known["exp01pro"].uid, known["exp01pro"].confirmed) == (50199, 0.0)
        assert (known["laterpro"].uid, known["exp02pro"].confirmed) == (80000, 9.0)
        assert setup_counters(db)["exp03_analysis"] == 0
        assert setup_counters(db)["later_production"] == 4
        assert push_counters(db)["new_production", "new01.lab.example"] == 7
        assert push_counters(db)["later_production", "later01"] == 1
    assert types_in(go_path) == TYPES


def test_go_service_goes_on_with_a_file_that_we_made(state: State) -> None:
    assert state.location.path is not None
    use(state)
    subprocess.run([sys.executable, "-c", THEIRS, str(state.location.path)], check=True, timeout=60)
    with state.read() as db:
        assert setup_counters(db) == {"exp03_analysis": 0, "later_production": 4}
    assert types_in(state.location.path) == TYPES
