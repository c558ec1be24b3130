# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say in one sentence what a database's driver complains about, and whether it can pass."""

from __future__ import annotations

import sqlite3
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    StateUnavailable,
    StateUnusable,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# Source: https://www.sqlite.org/rescode.html, the primary codes.
_SQLITE: dict[int, tuple[type[TokensError], str]] = {
    sqlite3.SQLITE_BUSY: (StateUnavailable, "is locked by another program, for longer than {timeout:g} s"),
    sqlite3.SQLITE_LOCKED: (StateUnavailable, "is locked by another program, for longer than {timeout:g} s"),
    sqlite3.SQLITE_READONLY: (StateUnavailable, "cannot be written by the running user"),
    sqlite3.SQLITE_PERM: (StateUnavailable, "cannot be opened by the running user"),
    sqlite3.SQLITE_CANTOPEN: (StateUnavailable, "cannot be opened, or its directory cannot be written"),
    sqlite3.SQLITE_FULL: (StateUnavailable, "has no space left on its disk"),
    sqlite3.SQLITE_IOERR: (StateUnavailable, "cannot be read or written (input/output error)"),
    sqlite3.SQLITE_NOTADB: (StateUnusable, "is not an SQLite database"),
    sqlite3.SQLITE_CORRUPT: (StateUnusable, "is damaged; restore it, or move it away to begin a new one"),
}

# Source: PostgreSQL, appendix "Error Codes"; the classes and codes that an operator can do something about.
_POSTGRESQL: dict[str, tuple[type[TokensError], str]] = {
    "55P03": (StateUnavailable, "is locked by another program, for longer than {timeout:g} s"),
    "57014": (StateUnavailable, "did not answer within {timeout:g} s"),
    "42501": (StateUnusable, "does not let its user do this"),
    "25006": (StateUnavailable, "is read-only"),
    "53100": (StateUnavailable, "has no space left on its disk"),
}


# What the driver says where a connection is not as safe as it has to be.
_UNPROTECTED = ("SSL", "certificate", "authentication method requirement")
_PROTECTION = (
    "Connections to another machine are encrypted and verified, and no password is given in clear, unless its URL says "
    "otherwise (README, State)"
)


def meaning_of(error: sa.exc.SQLAlchemyError, label: str, timeout: float) -> TokensError:
    """Give the error that the library's means; `timeout` in seconds is what was waited for a lock."""
    cause = getattr(error, "orig", None)
    kind, text = _known(cause)
    if text is None:
        text = f"failed: {_words_of(cause or error)}"
        if kind is StateUnavailable and any(words in text for words in _UNPROTECTED):
            text += f". {_PROTECTION}"
    # Details of codes that say too little by themselves.
    elif text.endswith("do this"):
        text += f": {_words_of(cause or error)}"
    return kind(f"The state database {label} {text.format(timeout=timeout)}.")


def _known(cause: object) -> tuple[type[TokensError], str | None]:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) or 0
        return _SQLITE.get(code & 0xFF, (StateUnusable, None))
    state = str(getattr(cause, "sqlstate", None) or "")
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    # Without a code nothing came back from a server: it is down, unreachable, or refused the login.
    if not state or state[:2] in ("08", "28", "3D", "53", "57"):
        return StateUnavailable, None
    return StateUnusable, None


def _words_of(error: object) -> str:
    return one_line(str(error).partition("\n[SQL")[0]).rstrip(".?! ").replace("{", "(").replace("}", ")")[:300]
