# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Decide which names are usable, and find the nearest one to a name that is not known."""

from __future__ import annotations

import difflib
import re
import typing as t

# A service name is handed to the storer as one word, becomes part of file names in /tmp and a row in a database whose
# column takes anything that looks like a number for one ("0123" becomes 123, "1e5" becomes 100000).
_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\Z|0x[0-9a-f]+\Z|(?:nan|inf|infinity)\Z", re.IGNORECASE)
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_.-]{0,31}\$?\Z", re.IGNORECASE)
LONGEST_LABEL = 63
_HOST = re.compile(r"(?!-)[A-Za-z0-9_.:-]{1,253}\Z")


def looks_like_number(name: str) -> bool:
    """Tell whether a column of numeric affinity would change `name`."""
    return bool(_NUMBER.match(name))


def is_name_part(text: str) -> bool:
    """Tell whether `text` can be the experiment or the role in a service name: letters, digits, dots and hyphens, no
    underscore."""
    return bool(_WORD.match(text))


def is_account(text: str) -> bool:
    """Tell whether `text` can be a UNIX account."""
    return bool(_ACCOUNT.match(text)) and not looks_like_number(text)


def is_host(text: str) -> bool:
    """Tell whether `text` can be a host name or address: no label of a name is empty or longer than 63 characters."""
    if not _HOST.match(text):
        return False
    return ":" in text or all(0 < len(label) <= LONGEST_LABEL for label in text.removesuffix(".").split("."))


def is_daemon(text: str) -> bool:
    """Tell whether `text` can be the name of an HTCondor daemon: a host, or a name of its own at a host."""
    name, at, host = text.rpartition("@")
    return is_host(host) and (not at or is_host(name))


def nearest(name: str, known: t.Iterable[str], likeness: float = 0.6) -> str | None:
    """Give the one of `known` that `name` was probably meant to be, if any is near; `likeness` is from 0 to 1."""
    by_lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def suggestion(name: str, known: t.Iterable[str]) -> str:
    """Give "; did you mean 'x'?" or the list of what is known, to end a sentence about an unknown name."""
    known = sorted(known)
    near = nearest(name, known)
    if near:
        return f"; did you mean {near!r}?"
    return f"; known are {', '.join(known)}." if known else "."
