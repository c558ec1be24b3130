# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say from time to time how far a long stage is."""

from __future__ import annotations

import time

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line

FIRST_AFTER_S = 3.0
THEN_EVERY_S = 5.0


class LiveProgress:
    """Print a line when a stage takes long; a short stage prints nothing."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._next = time.monotonic() + FIRST_AFTER_S

    def __call__(self, done: int, total: int, failed: int) -> None:
        """Be told after each finished item."""
        now = time.monotonic()
        if now < self._next or done == total:
            return
        self._next = now + THEN_EVERY_S
        failures = f", {failed} failed" if failed else ""
        show_line(f"{self._title}: {done} of {total}{failures}")
