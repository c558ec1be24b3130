# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Tell an e-mail address from what only looks like one."""

from __future__ import annotations

import re
import typing as t

# Stricter than RFC 5322 on purpose: nothing in it can be taken for a second address or header.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9-]+"
_SPEC = rf"(?=[^@]{{1,64}}@[A-Za-z0-9]){_ATOM}(?:\.{_ATOM})*@(?=[^@>]{{1,254}}(?:>|\Z)){_LABEL}(?:\.{_LABEL})*(?<!-)"
_ADDRESS = re.compile(rf"(?P<name>[^<>@,;:\"\\]*)<(?P<named>{_SPEC})>|(?P<bare>{_SPEC})")
URL = "a URL (not shown: it may be a secret)"


def split_address(entry: str) -> tuple[str, str] | None:
    """Read `user@host` or `Name <user@host>` into name and address; None for anything else."""
    entry = entry.strip()
    found = _ADDRESS.fullmatch(entry) if entry.isprintable() else None
    return None if found is None else (found["name"] or "", found["named"] or found["bare"])


def not_addresses(entries: t.Iterable[str], most: int = 3) -> str:
    """Quote those of `entries` that are no address, the first few of them; "" when all are.

    One with a slash may be the URL of a webhook, which is a secret.
    """
    wrong = [entry for entry in dict.fromkeys(entries) if split_address(entry) is None]
    more = f" and {len(wrong) - most} more" if len(wrong) > most else ""
    return ", ".join(URL if "/" in entry else repr(entry[:60]) for entry in wrong[:most]) + more
