# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give state databases in files: one of the Go service's, and any other."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state

# Written by the Go service: its tables, UIDs of six accounts, and four counters.
GO_FILE = Path(__file__).resolve().parents[2] / "fixtures" / "managed-tokens.db"


def state_at(path: Path, timeout: float = 5.0) -> State:
    """Give the state database in that file, untouched; `timeout` in seconds bounds the wait for a lock."""
    found = open_state(str(path), "", timeout)
    assert found is not None
    return found
