# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read the setting that says where the state database is: an SQLite file, or a PostgreSQL database by URL."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, Missing

if t.TYPE_CHECKING:
    import sqlalchemy as sa

DEFAULT_DATABASE = "/var/lib/managed-tokens/managed-tokens.db"
SETTING = "managed_tokens_database"
DEFAULT_TIMEOUT_S = 10.0
# What every stage that uses the database takes.
DATABASE_SPEC: dict[str, t.Any] = {
    "database": {"type": "str", "default": DEFAULT_DATABASE},
    "database_password": {"type": "str", "default": "", "no_log": True},
    "database_timeout": {"type": "float", "default": DEFAULT_TIMEOUT_S},
}
POSTGRESQL = ("postgresql", "postgresql+psycopg", "postgres")
HIDDEN = "***"
_FORMS = "a path that begins with / or ~, sqlite:////path, or postgresql+psycopg://user@host/database"
_MAY_HOLD_PASSWORD = re.compile(r"@|\w:.")
# A word that can be the name of a scheme or a driver.
_NAME = re.compile(r"[a-z][a-z0-9.-]{0,20}")
# In a parameter of a URL, or in libpq's own form: a value in quotes, or all up to the next key.
_PASSWORD = re.compile(
    r"""
    (password \s* = \s*) (?= \S)
    (?: '(?: [^'\\] | \\. )*'? | "(?: [^"\\] | \\. )*"? | (?: (?! \s+ \w+ \s* = | & \w+ = ) . )+ )
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Location:
    """Where the database is: `path` of an SQLite file, or `url` of a PostgreSQL one. `label` names it for people and
    holds no password."""

    label: str
    path: Path | None = None
    url: sa.URL | None = field(default=None, repr=False)


def locate(database: str, password: str = "") -> Location | None:
    """Give the place that the setting names, None for the empty text (no database).

    `password` is for PostgreSQL and wins over one in the URL; without both, libpq's own ways count (PGPASSWORD,
    ~/.pgpass).

    Raises: BadInput when it names none, Missing when the Python packages for it are not installed.
    """
    text = database.strip()
    if not text:
        return None
    scheme, mark, rest = text.partition("://")
    if not mark:
        return _file(text)
    if scheme == "sqlite":
        if rest.partition("/")[0]:
            raise BadInput(f"{SETTING} names the SQLite file without a path; write sqlite:////path with four slashes.")
        if "?" in rest:
            raise BadInput(f"{SETTING} has parameters after a question mark; an SQLite file takes none.")
        path = unquote(rest[1:])
        if not path.startswith(("/", "~")):
            raise BadInput(f"{SETTING} names no absolute path; write sqlite:////path with four slashes.")
        return _file(path)
    if scheme in POSTGRESQL:
        return _postgresql(rest, password)
    if scheme.startswith("postgresql+"):
        raise BadInput(
            f"{SETTING} asks for the driver {_named(scheme.partition('+')[2])}; only psycopg is supported, "
            "as in postgresql+psycopg://user@host/database."
        )
    raise BadInput(f"{SETTING} has the unknown scheme {_named(scheme)}; it has to be {_FORMS}.")


def split_password(database: str) -> tuple[str, str]:
    """Give the setting without the password that its URL may hold, and that password ("" for none)."""
    scheme, mark, rest = database.partition("://")
    first = rest.partition("/")[0]
    login, at, _place = first.rpartition("@")
    if not at and ":" in first:
        # A slash in a password should have been quoted; SQLAlchemy takes it for a part of the password as well.
        login, at, _place = rest.rpartition("@")
    user, colon, password = login.partition(":")
    if not (mark and at and colon):
        return database, ""
    return f"{scheme}://{user}{rest[len(login) :]}", unquote(password)


def blank_passwords(database: str) -> str:
    """Give the setting with C(***) for each password that stands in it as a parameter (C(password=...), libpq's
    form)."""
    return database if database.startswith(("/", "~")) else _PASSWORD.sub(rf"\g<1>{HIDDEN}", database)


def _file(text: str) -> Location:
    if not text.startswith(("/", "~")):
        # Not quoted: in whatever form it was meant, it may hold a password.
        raise BadInput(f"{SETTING} is no absolute path and no URL; it has to be {_FORMS}.")
    path = Path(os.path.expanduser(text))
    if not path.is_absolute() or "\0" in text:
        raise BadInput(f"{SETTING} is {_shown(text)}, which is no absolute path; it has to be {_FORMS}.")
    _need("sqlalchemy", "SQLAlchemy", str(path))
    return Location(str(path), path=path)


def _postgresql(rest: str, password: str) -> Location:
    _need("sqlalchemy", "SQLAlchemy", "a PostgreSQL database")
    _need("psycopg", "psycopg[binary]", "a PostgreSQL database")
    import sqlalchemy as sa

    plain, own_password = split_password(f"postgresql+psycopg://{rest}")
    if plain.count("@") > 1:
        # What is before the last one may be a part of a password, and must not be taken for a host's name.
        raise BadInput(f"{SETTING} has more than one @ in its URL; in names, passwords and values it is written %40.")
    try:
        url = sa.make_url(plain)
    except (sa.exc.ArgumentError, ValueError):
        # Not quoted: it may hold a password.
        raise BadInput(f"{SETTING} is no URL that can be read; it has to be {_FORMS}.") from None
    if "sslpassword" in map(str.lower, url.query):
        # It would be shown wherever the options of a task are.
        raise BadInput(
            f"{SETTING} has the password of a key among its parameters; it belongs in a service file of libpq, "
            "which ?service=NAME names."
        )
    if "password" in map(str.lower, url.query) or blank_passwords(plain) != plain:
        raise BadInput(f"{SETTING} has a password among its parameters; it belongs in {SETTING}_password.")
    if not url.database:
        raise BadInput(f"{SETTING} names no database; write postgresql+psycopg://user@host/database.")
    if password or own_password:
        url = url.set(password=password or own_password)
    place = f"{url.host or 'the local socket'}{f':{url.port}' if url.port else ''}"
    return Location(f"{url.database} on {place} (PostgreSQL)", url=url)


def _named(word: str) -> str:
    return repr(word) if _NAME.fullmatch(word) else "(not shown: it may hold a password)"


def _shown(text: str) -> str:
    return "(not shown: it may hold a password)" if _MAY_HOLD_PASSWORD.search(text) else repr(text[:200])


def _need(package: str, name: str, what: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise Missing(
            f"The Python package {name.partition('[')[0]} is not installed for {sys.executable} "
            f"(pip install '{name}'); {SETTING} needs it for {what}."
        )
