# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Make what is missing in a state database, inside the caller's transaction; refuse what is not ours.

The part that is shared with the Go service keeps that service's identity and version; our own tables have a version of
their own, in mt_meta.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StateUnusable
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import (
    APPLICATION_ID,
    OWN_VERSION,
    SHARED_DDL,
    USER_VERSION,
    schema,
)

if t.TYPE_CHECKING:
    import sqlalchemy as sa

_VERSION = "version"


def check_identity(db: sa.Connection, label: str) -> set[str]:
    """Give the names of the tables that are there, having checked that they are ours. Reads only.

    Raises: StateUnusable when the database belongs to something else, or is newer than this release.
    """
    import sqlalchemy as sa

    if db.dialect.name == "sqlite":
        names = {str(name) for (name,) in db.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'"))}
        application = int(db.execute(sa.text("PRAGMA application_id")).scalar_one())
        version = int(db.execute(sa.text("PRAGMA user_version")).scalar_one())
        if (names or application) and application & 0xFFFFFFFF != APPLICATION_ID:
            raise StateUnusable(
                f"{label} is an SQLite database of something else: its application_id is "
                f"{application & 0xFFFFFFFF:#010x}, that of managed tokens is {APPLICATION_ID:#010x}."
            )
        if version > USER_VERSION:
            raise StateUnusable(
                f"The state database {label} has version {version}, and this release knows version {USER_VERSION}."
            )
    else:
        names = set(sa.inspect(db).get_table_names())
        foreign = sorted(names & SHARED_DDL.keys())
        if foreign and "mt_meta" not in names:
            raise StateUnusable(
                f"The database {label} is used by something else: it has a table {foreign[0]!r} that we did not make."
            )
    own = _own_version(db) if "mt_meta" in names else 0
    if own > OWN_VERSION:
        raise StateUnusable(
            f"The state database {label} was written by a newer release: its own tables have version {own}, "
            f"and this release knows version {OWN_VERSION}."
        )
    return names


def bring_up_to_date(db: sa.Connection, label: str) -> None:
    """Create the tables that are missing; a database that is up to date is not written to.

    Raises: StateUnusable as C(check_identity) does.
    """
    import sqlalchemy as sa

    tables = schema()
    names = check_identity(db, label)
    if db.dialect.name == "sqlite":
        missing = [ddl for name, ddl in SHARED_DDL.items() if name not in names]
        for ddl in missing:
            db.execute(sa.text(ddl))
        if missing:
            db.execute(sa.text(f"PRAGMA application_id = {APPLICATION_ID}"))
            db.execute(sa.text(f"PRAGMA user_version = {USER_VERSION}"))
    else:
        tables.shared.create_all(db)
    if "mt_meta" not in names:
        tables.own.create_all(db)
        db.execute(sa.insert(tables.meta).values(name=_VERSION, value=str(OWN_VERSION)))


def _own_version(db: sa.Connection) -> int:
    import sqlalchemy as sa

    meta = schema().meta
    found = db.execute(sa.select(meta.c.value).where(meta.c.name == _VERSION)).scalar()
    return int(found) if found is not None and str(found).isdecimal() else 0
