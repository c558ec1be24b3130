# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long stage says how far it is; a short one says nothing."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _live_progress
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._live_progress import LiveProgress


class Clock:
    """Stand still unless told."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_live_progress_speaks_late_seldom_and_not_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    shown: list[str] = []

    monkeypatch.setattr(_live_progress, "time", clock)
    monkeypatch.setattr(_live_progress, "show_line", shown.append)
    progress = LiveProgress("Pushes")
    for after, done, failed in ((0.0, 1, 0), (2.9, 2, 0), (3.1, 3, 0), (5.0, 4, 1), (8.2, 5, 1), (20.0, 6, 1)):
        clock.now = 1000.0 + after
        progress(done, 6, failed)
    assert shown == ["Pushes: 3 of 6", "Pushes: 5 of 6, 1 failed"]
