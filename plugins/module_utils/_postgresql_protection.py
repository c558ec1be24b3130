# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say how a connection to PostgreSQL is protected: verified TLS to another machine, no password in clear.

libpq by itself goes on without TLS when the server, or whoever is in between, says that it has none, and sends the
password as it is when asked for it so. What the URL or libpq's own environment variables say, wins.

Source: PostgreSQL, "libpq", Parameter Key Words and Environment Variables.
"""

from __future__ import annotations

import ipaddress
import os
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._system_ca import system_ca

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# What proves the password's knowledge without giving it away; none: the server trusts this user, or its certificate.
REQUIRED_AUTH = "scram-sha-256,gss,none"
# The first that knows require_auth, and the system's CAs by name. With an older one TLS alone protects the password.
KNOWS_AUTH = 160000
OWN_CAS = "~/.postgresql/root.crt"


def protection(url: sa.URL, libpq: int) -> dict[str, str]:
    """Give the connection's parameters that the site has not set; `libpq` is its version as a number."""

    def is_set(name: str, variable: str) -> bool:
        return name in url.query or bool(os.environ.get(variable))

    given: dict[str, str] = {}
    mode = str(url.query.get("sslmode") or os.environ.get("PGSSLMODE") or "")
    if not mode and not _is_local(url):
        mode = given["sslmode"] = "verify-full"
    if mode == "verify-full" and not is_set("sslrootcert", "PGSSLROOTCERT"):
        given |= _authorities(libpq)
    if libpq >= KNOWS_AUTH and not is_set("require_auth", "PGREQUIREAUTH"):
        given["require_auth"] = REQUIRED_AUTH
    return given


def _authorities(libpq: int) -> dict[str, str]:
    """Give whom to trust; nothing where libpq has a file of the user's own."""
    if os.path.exists(os.path.expanduser(OWN_CAS)):
        return {}
    # By its path: a libpq that brings its own OpenSSL along looks for the system's list in places of its own.
    bundle = system_ca()
    if bundle is not None and Path(bundle).is_file():
        return {"sslrootcert": bundle}
    return {"sslrootcert": "system"} if libpq >= KNOWS_AUTH else {}


def _is_local(url: sa.URL) -> bool:
    """Tell whether the connection cannot leave this machine, as far as can be seen without asking a name service."""
    if "service" in url.query or os.environ.get("PGSERVICE"):
        # It may name another address than the URL.
        return False
    names = url.query.get("host") or url.host or os.environ.get("PGHOST") or ""
    addresses = url.query.get("hostaddr") or os.environ.get("PGHOSTADDR") or ""
    return all(_is_local_place(place) for value in (names, addresses) for place in _listed(value))


def _listed(value: str | tuple[str, ...]) -> list[str]:
    return [place for text in ((value,) if isinstance(value, str) else value) for place in text.split(",")]


def _is_local_place(place: str) -> bool:
    if not place or place.startswith(("/", "@")) or place == "localhost":
        return True
    # In lists of hosts SQLAlchemy takes a port behind each.
    for text in (place, place.rpartition(":")[0]):
        if text == "localhost":
            return True
        try:
            return ipaddress.ip_address(text.strip("[]")).is_loopback
        except ValueError:
            continue
    return False
