# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Open the state database and do things in it by whole transactions.

Reading never makes, changes or migrates anything: what is not there yet reads as empty. Writing is one writer at a
time on both kinds of database, so that writers wait for each other, within a bound, and cannot deadlock.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, StateUnavailable
from ansible_collections.fife.managed_tokens.plugins.module_utils._postgresql_protection import protection
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import Location, locate
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_migrations import (
    bring_up_to_date,
    check_identity,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import SHARED_DDL, schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_trouble import meaning_of

if t.TYPE_CHECKING:
    import sqlalchemy as sa

LONGEST_TIMEOUT_S = 300.0
FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
# Any number serves, as long as all writers take the same.
_WRITERS_LOCK = 0x6D746F6B


class State:
    """One state database; `timeout` in seconds bounds each wait, for a connection as for another writer."""

    def __init__(self, location: Location, timeout: float) -> None:
        self.location = location
        self.timeout = timeout

    @property
    def label(self) -> str:
        return self.location.label

    @contextlib.contextmanager
    def read(self) -> t.Iterator[sa.Connection]:
        """Give a connection in a transaction that changes nothing.

        Raises: StateUnavailable, StateUnusable.
        """
        with self._translated(), _disposed(self._engine(is_write=False)) as engine, engine.connect() as db:
            if engine.dialect.name != "sqlite":
                # One and the same state for all that is read, as SQLite gives it.
                db.execution_options(isolation_level="REPEATABLE READ")
                self._limit(db)
            names = check_identity(db, self.label)
            if SHARED_DDL.keys().isdisjoint(names):
                with _empty() as nothing:
                    yield nothing
                return
            if "mt_meta" not in names:
                _pretend_own_tables(db)
            yield db

    @contextlib.contextmanager
    def write(self) -> t.Iterator[sa.Connection]:
        """Give a connection in a transaction that is committed at the end of the block, and undone by an exception.

        The database is created, or completed, first if it has to be.

        Raises: StateUnavailable, StateUnusable.
        """
        import sqlalchemy as sa

        if self.location.path is not None:
            _prepare_file(self.location.path)
        with self._translated(), _disposed(self._engine(is_write=True)) as engine, engine.begin() as db:
            if engine.dialect.name != "sqlite":
                self._limit(db)
                db.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS_LOCK)))
            bring_up_to_date(db, self.label)
            yield db

    @contextlib.contextmanager
    def _translated(self) -> t.Iterator[None]:
        import sqlalchemy as sa

        try:
            yield
        except sa.exc.SQLAlchemyError as err:
            raise meaning_of(err, self.label, self.timeout) from err

    def _engine(self, *, is_write: bool) -> sa.Engine:
        if self.location.path is not None:
            return _sqlite(self.location.path, self.timeout, is_write=is_write)
        return _postgresql(t.cast("sa.URL", self.location.url), self.timeout)

    def _limit(self, db: sa.Connection) -> None:
        import sqlalchemy as sa

        # Set in the transaction and not at the login: a connection pooler in between refuses options of a login.
        for name in ("lock_timeout", "statement_timeout"):
            db.execute(sa.text(f"SET LOCAL {name} = {math.ceil(self.timeout * 1000)}"))


def open_state(database: str, password: str, timeout: float) -> State | None:
    """Give the state database that the setting names, None for the empty text. Nothing is touched yet.

    Raises: BadInput, Missing as C(locate) does.
    """
    if not 0 < timeout <= LONGEST_TIMEOUT_S:
        raise BadInput(
            f"managed_tokens_database_timeout is {timeout:g}; it has to be more than 0 and at most "
            f"{LONGEST_TIMEOUT_S:g} seconds."
        )
    location = locate(database, password)
    return None if location is None else State(location, timeout)


@contextlib.contextmanager
def _disposed(engine: sa.Engine) -> t.Iterator[sa.Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _sqlite(path: Path, timeout: float, *, is_write: bool) -> sa.Engine:
    import sqlite3

    import sqlalchemy as sa

    mode = "rw" if is_write or os.access(path, os.W_OK) else "ro"
    name = "file::memory:" if not is_write and _is_nothing(path) else f"{path.as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # Transactions are begun below, by us: the driver's own way begins them too late to exclude other writers.
        connection = sqlite3.connect(name, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)

    @sa.event.listens_for(engine, "begin")
    def begin(db: sa.Connection) -> None:
        # IMMEDIATE: whoever is going to write waits for its turn now, and not in the middle, where waiting can be
        # hopeless.
        db.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def _postgresql(url: sa.URL, timeout: float) -> sa.Engine:
    import psycopg
    import sqlalchemy as sa

    whole = max(2, math.ceil(timeout))  # libpq's least
    return sa.create_engine(
        url,
        poolclass=sa.pool.NullPool,
        connect_args={
            "connect_timeout": whole,
            "tcp_user_timeout": whole * 1000,
            "application_name": "managed-tokens",
            # Poolers that hand each transaction to another server connection know no prepared statements.
            "prepare_threshold": None,
            **protection(url, psycopg.pq.version()),
        },
    )


@contextlib.contextmanager
def _empty() -> t.Iterator[sa.Connection]:
    """Give a database with all tables and nothing in them."""
    with _disposed(_sqlite(Path(os.devnull), 0, is_write=False)) as engine, engine.connect() as db:
        schema().shared.create_all(db)
        schema().own.create_all(db)
        yield db


def _pretend_own_tables(db: sa.Connection) -> None:
    # A database that only the Go service has used so far: ours are temporary ones, in memory, of this connection.
    from sqlalchemy.schema import CreateTable

    for table in schema().own.sorted_tables:
        ddl = str(CreateTable(table).compile(dialect=db.dialect))
        db.exec_driver_sql(ddl.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1))


def _is_nothing(path: Path) -> bool:
    try:
        found = path.stat()
        # Some file systems have empty directories of no size.
        return found.st_size == 0 and not stat.S_ISDIR(found.st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # the driver says what is wrong with it
        return False


def _prepare_file(path: Path) -> None:
    """Make an empty file, and its directory, where there is none: SQLite by itself would use the process's umask."""
    try:
        path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE))
    except FileExistsError:
        return
    except OSError as err:
        raise StateUnavailable(f"The state database {path} cannot be made: {err.strerror}.") from err
