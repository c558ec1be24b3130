# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each complaint of a driver is one sentence of the right class."""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    StateUnavailable,
    StateUnusable,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_trouble import meaning_of

LABEL = "/srv/{x}/state.db"


def wrapped(error: Exception) -> sa.exc.DBAPIError:
    """Give a driver's error as SQLAlchemy hands it on."""
    return sa.exc.OperationalError("UPDATE secrets SET a = :b", {"b": "c"}, error)


class ServerError(Exception):
    """Looks like an error of the PostgreSQL driver."""

    def __init__(self, sqlstate: str | None, text: str = "the server's words") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def read_only(path: Path) -> sqlite3.Connection:
    sqlite3.connect(path).close()
    path.touch()
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def full(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE a (b)")
    db.execute("PRAGMA max_page_count = 2")
    return db


def no_database(path: Path) -> sqlite3.Connection:
    path.write_bytes(b"x" * 4096)
    return sqlite3.connect(path)


def nothing(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)


GENUINE: tuple[tuple[t.Callable[[Path], sqlite3.Connection], str, type[TokensError], str], ...] = (
    (read_only, "CREATE TABLE a (b)", StateUnavailable, "cannot be written by the running user."),
    (full, "INSERT INTO a VALUES (zeroblob(100000))", StateUnavailable, "has no space left on its disk."),
    (no_database, "SELECT * FROM a", StateUnusable, "is not an SQLite database."),
    (nothing, "SELECT 1", StateUnavailable, "cannot be opened, or its directory cannot be written."),
    (sqlite3.connect, "SELECT * FROM a", StateUnusable, "failed: no such table: a."),
    (sqlite3.connect, "SELECT {0}", StateUnusable, 'failed: unrecognized token: "(".'),
)


@pytest.mark.parametrize(("make", "statement", "kind", "words"), GENUINE)
def test_meaning_of_what_sqlite_says(
    tmp_path: Path, make: t.Callable[[Path], sqlite3.Connection], statement: str, kind: type[TokensError], words: str
) -> None:
    with pytest.raises(sqlite3.Error) as caught, contextlib.closing(make(tmp_path / "x.db")) as db:
        db.execute(statement)
    meaning = meaning_of(wrapped(caught.value), LABEL, 1.0)
    assert (type(meaning), meaning.msg) == (kind, f"The state database {LABEL} {words}")


CODES: tuple[tuple[int, type[TokensError], str], ...] = (
    (sqlite3.SQLITE_BUSY, StateUnavailable, "is locked by another program, for longer than 2.5 s."),
    (sqlite3.SQLITE_BUSY_SNAPSHOT, StateUnavailable, "is locked by another program, for longer than 2.5 s."),
    (sqlite3.SQLITE_IOERR_WRITE, StateUnavailable, "cannot be read or written (input/output error)."),
    (sqlite3.SQLITE_READONLY_DIRECTORY, StateUnavailable, "cannot be written by the running user."),
    (sqlite3.SQLITE_CORRUPT, StateUnusable, "is damaged; restore it, or move it away to begin a new one."),
    (sqlite3.SQLITE_CONSTRAINT_UNIQUE, StateUnusable, "failed: words."),
    (0, StateUnusable, "failed: words."),
)


@pytest.mark.parametrize(("code", "kind", "words"), CODES)
def test_meaning_of_a_code_of_sqlite(code: int, kind: type[TokensError], words: str) -> None:
    error = sqlite3.OperationalError("words.")
    error.sqlite_errorcode = code
    meaning = meaning_of(wrapped(error), LABEL, 2.5)
    assert (type(meaning), meaning.msg) == (kind, f"The state database {LABEL} {words}")


STATES: tuple[tuple[str | None, type[TokensError], str], ...] = (
    ("55P03", StateUnavailable, "is locked by another program, for longer than 2.5 s."),
    ("57014", StateUnavailable, "did not answer within 2.5 s."),
    ("42501", StateUnusable, "does not let its user do this: the server's words."),
    ("25006", StateUnavailable, "is read-only."),
    ("53100", StateUnavailable, "has no space left on its disk."),
    ("53300", StateUnavailable, "failed: the server's words."),
    ("57P03", StateUnavailable, "failed: the server's words."),
    ("28P01", StateUnavailable, "failed: the server's words."),
    ("3D000", StateUnavailable, "failed: the server's words."),
    (None, StateUnavailable, "failed: the server's words."),
    ("42P01", StateUnusable, "failed: the server's words."),
)


@pytest.mark.parametrize(("state", "kind", "words"), STATES)
def test_meaning_of_a_state_of_postgresql(state: str | None, kind: type[TokensError], words: str) -> None:
    meaning = meaning_of(wrapped(ServerError(state)), LABEL, 2.5)
    assert (type(meaning), meaning.msg) == (kind, f"The state database {LABEL} {words}")


UNPROTECTED = (
    "connection failed: server does not support SSL, but SSL was required",
    "connection failed: SSL error: certificate verify failed",
    'connection failed: root certificate file "/x" does not exist',
    'connection failed: authentication method requirement "none" failed: server requested a cleartext password',
)


@pytest.mark.parametrize("words", UNPROTECTED)
def test_meaning_of_a_connection_that_is_not_safe_says_where_it_can_be_allowed(words: str) -> None:
    told = meaning_of(wrapped(ServerError(None, words)), LABEL, 2.5).msg
    assert told.startswith(f"The state database {LABEL} failed: {words}. Connections to another machine are encrypted ")
    assert told.endswith(" unless its URL says otherwise (README, State).")


def test_meaning_of_many_lines_is_one_without_statement_and_values() -> None:
    told = meaning_of(wrapped(ServerError("42P01", "one\n  two {three}." + " four" * 200)), LABEL, 1.0).msg
    assert "\n" not in told
    assert len(told) < 400
    assert "secrets" not in told
    assert "secrets" not in meaning_of(sa.exc.InvalidRequestError("no"), LABEL, 1.0).msg
