# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Remember beside the kept tokens which UIDs the database gave last, for a run that cannot read it.

A database that is down must not stop tokens, and a token's file name is made from a UID. The copy is used for nothing
else, and never when the database answers.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import (
    ensure_private_directory,
    read_private,
    replace_private,
)

FILE_NAME = "last-known-uids.json"
# Some hundred thousand accounts.
SIZE_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LastKnown:
    """UIDs by account, and since when the database gives them (seconds since the epoch; 0.0: never)."""

    uids: t.Mapping[str, int] = field(default_factory=dict)
    read: float = 0.0


def recall(directory: Path) -> LastKnown:
    """Give what was remembered in `directory`; a copy that is not there, not ours or not readable is none."""
    try:
        plain = json.loads(read_private(directory / FILE_NAME, SIZE_LIMIT) or b"{}")
        uids = {str(account): int(uid) for account, uid in plain["uids"].items() if int(uid) > 0}
        return LastKnown(uids, float(plain["read"]))
    except (BadFile, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return LastKnown()


def remember(directory: Path, uids: t.Mapping[str, int], *, now: float) -> None:
    """Replace the copy, unless it says the same already (then its time stays).

    Raises: BadFile when it cannot be written.
    """
    if not uids or recall(directory).uids == uids:
        return
    ensure_private_directory(directory)
    _write(directory, LastKnown(uids, now))


def forget(directory: Path, accounts: t.Collection[str]) -> None:
    """Take these accounts out of the copy; one that does not name them stays as it is.

    Raises: BadFile when it cannot be written.
    """
    known = recall(directory)
    left = {account: uid for account, uid in known.uids.items() if account not in accounts}
    if len(left) < len(known.uids):
        _write(directory, LastKnown(left, known.read))


def _write(directory: Path, known: LastKnown) -> None:
    text = json.dumps({"read": known.read, "uids": dict(sorted(known.uids.items()))}, separators=(",", ":"))
    replace_private(directory / FILE_NAME, text.encode())
