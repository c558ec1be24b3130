# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of our own are shown unless nothing is to be shown."""

from __future__ import annotations

import types

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _plain_lines


@pytest.mark.parametrize(
    ("callback", "shown"), [("default", ["    all well"]), ("fife.managed_tokens.quiet", [])], ids=["default", "quiet"]
)
def test_show_line(monkeypatch: pytest.MonkeyPatch, callback: str, shown: list[str]) -> None:
    lines: list[str] = []
    config = types.SimpleNamespace(get_config_value=lambda _name: callback)
    monkeypatch.setattr(_plain_lines, "constants", types.SimpleNamespace(config=config))
    monkeypatch.setattr(_plain_lines, "Display", lambda: types.SimpleNamespace(display=lines.append))
    _plain_lines.show_line("all \x1b[2Jwell")
    assert lines == shown
