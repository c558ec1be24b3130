# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a result are shown, one by one, and stay in the result."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _door, _lines_door


@pytest.mark.parametrize("result", [{"lines": ["one", "two"]}, {"lines": None}, {"failed": True}])
def test_run_shows_the_lines(monkeypatch: pytest.MonkeyPatch, result: dict[str, t.Any]) -> None:
    shown: list[str] = []
    monkeypatch.setattr(_lines_door, "show_line", shown.append)
    monkeypatch.setattr(_door.OnceDoor, "run", lambda _self, _tmp, _task_vars: dict(result))
    fakes: list[t.Any] = [types.SimpleNamespace(), types.SimpleNamespace(), None, None, None, None]
    assert _lines_door.LinesDoor(*fakes).run() == result
    assert shown == (result.get("lines") or [])
