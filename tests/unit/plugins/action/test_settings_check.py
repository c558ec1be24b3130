# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings are refused before any stage; without nodes that is left to the first stage."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.action.settings_check import ActionModule

SPECS = {"managed_tokens_experiments": {"type": "dict", "required": True}}


def run(*, on_nodes: bool = False, **task_vars: t.Any) -> dict[str, t.Any]:
    """Run the task for the specs above."""
    task = types.SimpleNamespace(
        action="fife.managed_tokens.settings_check",
        args={"specs": SPECS, "on_nodes": on_nodes},
        run_once=True,
        delegate_to="localhost",
        check_mode=False,
        diff=False,
        async_val=0,
        get_name=lambda: "Check the settings",
    )
    connection = types.SimpleNamespace(transport="local", _shell=types.SimpleNamespace(tmpdir=None))
    templar = types.SimpleNamespace(template=lambda value: value)
    fakes: list[t.Any] = [task, connection, None, None, templar, None]
    return ActionModule(*fakes).run(task_vars=task_vars)


def test_run_good_settings_change_nothing() -> None:
    result = run(managed_tokens_experiments={"dune": {}})
    assert (result["changed"], "failed" in result) == (False, False)


def test_run_bad_settings_are_refused_without_the_specs() -> None:
    result = run(managed_tokens_experiments=["dune"])
    assert (result["failed"], result["kind"]) == (True, "bad_input")
    assert result["msg"] == "managed_tokens_experiments is a list; it has to be a dictionary."
    assert "argument_spec_data" not in result


@pytest.mark.parametrize(
    ("hosts", "groups", "is_refused"),
    [
        (["localhost"], {}, False),
        (["localhost"], {"experiments": []}, False),
        (["localhost"], {"experiments": ["localhost"]}, True),
        (["dunegpvm01"], {"experiments": ["dunegpvm01"]}, True),
    ],
)
def test_run_on_nodes_without_any_leaves_it_to_the_first_stage(
    hosts: list[str], groups: dict[str, list[str]], is_refused: bool
) -> None:
    result = run(on_nodes=True, ansible_play_hosts_all=hosts, groups={"all": hosts, **groups})
    assert ("failed" in result) is is_refused
    assert "failed" in run(on_nodes=False, ansible_play_hosts_all=hosts, groups=groups)
