# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the laboratory's places for the state database work, break and are mended as told."""

from __future__ import annotations

import os
import time
import typing as t

import pytest
from laboratory import Laboratory

if t.TYPE_CHECKING:
    from collections.abc import Iterator

PSQL = ("psql", "-h", "database.lab.example", "-U", "managed_tokens", "-At", "-c")
# Tries to read, then to write, without waiting; prints what came of each.
TRY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
for statement in ("SELECT word FROM words", "INSERT INTO words VALUES ('more')"):
    try:
        print(connection.execute(statement).fetchall())
    except sqlite3.Error as err:
        print(err)
"""
CREATE = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript('CREATE TABLE words (word)')"


@pytest.fixture(scope="module")
def own() -> Iterator[Laboratory]:
    """Start a small laboratory with PostgreSQL."""
    laboratory = Laboratory("it-places")
    laboratory.up("--light", "--postgres", "--experiments", "1", "--roles", "1", "--nodes", "1")
    yield laboratory
    laboratory.lab("down", check=False)


@pytest.fixture
def sqlite(own: Laboratory) -> Iterator[Laboratory]:
    """Give the laboratory with an SQLite database that is empty but for one table."""
    own.run("/usr/bin/python3", "-c", CREATE, own.layout["paths"]["database"])
    yield own
    own.lab("heal")
    own.run("rm", own.layout["paths"]["database"])


def tried(laboratory: Laboratory) -> list[str]:
    return laboratory.run("/usr/bin/python3", "-c", TRY, laboratory.layout["paths"]["database"]).output.splitlines()


def look(laboratory: Laboratory) -> str:
    path = laboratory.layout["paths"]["database"]
    return laboratory.run("stat", "--format=%n %U %a", path, os.path.dirname(path)).output


def test_postgresql_answers_the_service_account(own: Laboratory) -> None:
    assert own.layout["postgres"] is True
    assert own.run(*PSQL, "SELECT current_user, current_setting('fsync')").output.strip() == "managed_tokens|on"
    assert own.run("stat", "--format=%U %a", "/home/mtokens/.pgpass").output.strip() == "mtokens 600"
    with_another = own.run("env", "PGPASSWORD=guessed", *PSQL, "SELECT 1", check=False)
    assert "password authentication failed" in with_another.output
    password = own.run("cut", "-d:", "-f5", "/home/mtokens/.pgpass").output.strip()
    found = own.run("grep", "-rlFs", password, "/srv/lab", "/home", "/etc", "/tmp", "/run", user="root").output
    assert found.split() == ["/home/mtokens/.pgpass"]


def test_postgresql_stops_and_comes_back_with_what_was_in_it(own: Laboratory) -> None:
    own.run(*PSQL, "CREATE TABLE words (word text)")
    with own.fault("database-down"):
        assert "Connection refused" in own.run(*PSQL, "SELECT 1", check=False).output
        assert "postgres    DOWN" in own.lab("status").output
    assert own.run(*PSQL, "SELECT count(*) FROM words").output.strip() == "0"
    assert "postgres    up" in own.lab("status").output


def test_a_laboratory_without_postgresql_says_so(light: Laboratory) -> None:
    assert light.layout["postgres"] is False
    assert "postgres" not in light.lab("status").output
    assert "ferry       up" in light.lab("status").output


def test_a_locked_database_can_be_neither_read_nor_written(sqlite: Laboratory) -> None:
    before = look(sqlite)
    with sqlite.fault("database-locked", "600"):
        assert tried(sqlite) == ["database is locked"] * 2
    assert tried(sqlite) == ["[]", "[]"]
    assert look(sqlite) == before


def test_a_lock_ends_by_itself(sqlite: Laboratory) -> None:
    with sqlite.fault("database-locked", "0.3"):
        for _attempt in range(100):
            if tried(sqlite) == ["[]", "[]"]:
                break
            time.sleep(0.1)
        else:
            pytest.fail("It is locked for ever.")


def test_a_readonly_database_can_be_read(sqlite: Laboratory) -> None:
    before = look(sqlite)
    with sqlite.fault("database-readonly"):
        assert tried(sqlite) == ["[]", "attempt to write a readonly database"]
        assert "Permission denied" in sqlite.run("touch", "/srv/lab/state/new", check=False).output
    assert look(sqlite) == before
    assert tried(sqlite) == ["[]", "[]"]


def test_garbage_is_taken_away_again(sqlite: Laboratory) -> None:
    assert tried(sqlite) == ["[]", "[]"]
    before = look(sqlite)
    with sqlite.fault("database-garbage"):
        assert tried(sqlite) == ["file is not a database"] * 2
        # Together with another fault of the same file.
        sqlite.lab("fault", "database-readonly")
    assert look(sqlite) == before
    assert tried(sqlite)[0] == "[('more',)]"


def test_garbage_in_the_place_of_no_database_is_gone_afterwards(own: Laboratory) -> None:
    before = own.run("ls", "/srv/lab/state").output
    assert "managed-tokens.db" not in before
    with own.fault("database-garbage"):
        assert tried(own) == ["file is not a database"] * 2
    assert own.run("ls", "/srv/lab/state").output == before
