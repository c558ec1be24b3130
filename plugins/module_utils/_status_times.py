# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say times in UTC, with how long ago they are."""

from __future__ import annotations

from datetime import UTC, datetime

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import moment


def utc(seconds: float) -> str:
    """Give a time in seconds since the epoch as 2026-11-25 09:31 UTC; "never" for 0."""
    found = moment(seconds)
    return datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M UTC") if found else "never"


def stamp(seconds: float) -> str | None:
    """Give a time as RFC 3339 to the second; None for 0."""
    found = moment(seconds)
    return datetime.fromtimestamp(found, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if found else None


def ago(seconds: float, now: float) -> str:
    """Say how long ago a time was; what is to come is a wrong clock's, and now."""
    found = moment(seconds)
    return f"{in_words(max(0.0, now - found))} ago" if found else "never"


def since(seconds: float, now: float) -> str:
    """Say a time and how long ago it was."""
    return f"{utc(seconds)}, {ago(seconds, now)}" if moment(seconds) else "never"
