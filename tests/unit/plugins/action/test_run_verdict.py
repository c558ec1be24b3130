# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict is on all stages that ran."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.action import run_verdict
from ansible_collections.fife.managed_tokens.plugins.action.run_verdict import ActionModule
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

GOOD = {"outcomes": [outcome("setup", "ok").to_dict()]}
BAD = {"outcomes": [outcome("tickets", "failed", kind="keytab_missing", message="no keytab").to_dict()]}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what is shown on the terminal."""
    texts: list[str] = []

    monkeypatch.setattr(run_verdict, "show_line", texts.append)
    return texts


def verdict(**task_vars: t.Any) -> dict[str, t.Any]:
    """Give the verdict on the batches one and two."""
    task = types.SimpleNamespace(
        action="run_verdict",
        args={"batches": ["one", "two"]},
        run_once=True,
        check_mode=False,
        diff=False,
        async_val=0,
        get_name=lambda: "x",
    )
    connection = types.SimpleNamespace(transport="local", _shell=types.SimpleNamespace(tmpdir=None))
    fakes: list[t.Any] = [task, connection, None, None, None, None]
    return ActionModule(*fakes).run(task_vars=task_vars)


def test_run_all_well_is_shown(shown: list[str]) -> None:
    result = verdict(one=GOOD, two={"skipped": True})
    assert "failed" not in result
    assert shown == ["1 of 1 services well."]


def test_run_failure_of_any_stage_fails_the_play(shown: list[str]) -> None:
    result = verdict(one=GOOD, two=BAD)
    assert result["failed"] is True
    assert "no keytab. Install the keytab" in result["msg"]
    assert shown == []


def test_run_without_any_stage_says_how_to_start(shown: list[str]) -> None:
    result = verdict()
    assert (result["failed"], result["kind"]) == (True, "stage_order")
