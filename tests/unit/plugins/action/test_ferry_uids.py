# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door of the refresh: settings that would not count are refused, and a good result is shown."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.action import ferry_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor


def door() -> ferry_uids.ActionModule:
    connection = types.SimpleNamespace(transport="local")
    fakes: list[t.Any] = [types.SimpleNamespace(), connection, None, None, None, None]
    return ferry_uids.ActionModule(*fakes)


def test_complete_changes_nothing() -> None:
    task_vars = {"hostvars": {"localhost": {}}, "ansible_play_hosts_all": ["localhost"]}
    assert door().complete({"ferry_url": "x"}, task_vars) == {"ferry_url": "x"}


def test_complete_misspelt_setting_is_refused() -> None:
    with pytest.raises(BadInput, match="did you mean 'managed_tokens_principal'"):
        door().complete({}, {"managed_tokens_principle": "x"})


def test_complete_setting_that_differs_between_hosts_is_refused() -> None:
    hosts = {"a": {"managed_tokens_principal": "x"}, "b": {}}
    with pytest.raises(BadInput, match="is not the same for the hosts a and b"):
        door().complete({}, {"hostvars": hosts, "ansible_play_hosts_all": ["a", "b"]})


@pytest.mark.parametrize(("result", "shown"), [({"msg": "Well."}, ["Well."]), ({"msg": "No.", "failed": True}, [])])
def test_run_shows_the_sentence_of_a_good_result(
    monkeypatch: pytest.MonkeyPatch, result: dict[str, t.Any], shown: list[str]
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(OnceDoor, "run", lambda *_arguments: result)
    monkeypatch.setattr(ferry_uids, "show_line", lines.append)
    assert door().run(None, {}) == result
    assert lines == shown
