# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether anybody is going to report a run."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_active import (
    ACTIVE,
    CALLBACK,
    NONE,
    TASK,
    missing_report,
)


@pytest.mark.parametrize("wanted", [CALLBACK, TASK, NONE])
def test_missing_report_is_said_for_a_callback_that_is_not_there(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    monkeypatch.delenv(ACTIVE, raising=False)
    assert bool(missing_report(wanted)) is (wanted == CALLBACK)
    monkeypatch.setenv(ACTIVE, "1")
    assert missing_report(wanted) == ""


def test_missing_report_says_how_to_enable_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ACTIVE, raising=False)
    text = missing_report(CALLBACK)
    for word in (
        "callbacks_enabled = fife.managed_tokens.report",
        "ANSIBLE_CALLBACKS_ENABLED",
        "managed_tokens_report",
    ):
        assert word in text
