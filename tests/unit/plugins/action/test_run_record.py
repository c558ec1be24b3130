# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run is recorded from the results of all stages that ran."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.action.run_record import ActionModule
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import push_counters, setup_counters
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

ONE = {"outcomes": [outcome("store", "failed", credd="c1").to_dict()]}
TWO = {"outcomes": [outcome("push", "failed", node="n1").to_dict()]}


def recorded(database: Path, **task_vars: t.Any) -> dict[str, t.Any]:
    """Record the batches one and two."""
    args = {"batches": ["one", "two"], "database": str(database), "run": Run.begin(Timeouts()).to_dict()}
    task = types.SimpleNamespace(
        action="run_record",
        args=args,
        run_once=True,
        check_mode=False,
        diff=False,
        async_val=0,
        get_name=lambda: "x",
    )
    connection = types.SimpleNamespace(transport="local", _shell=types.SimpleNamespace(tmpdir=None))
    fakes: list[t.Any] = [task, connection, None, None, None, None]
    return ActionModule(*fakes).run(task_vars=task_vars)


def test_run_records_the_outcomes_of_every_stage(tmp_path: Path) -> None:
    result = recorded(tmp_path / "state.db", one=ONE, two=TWO)
    assert "failed" not in result
    assert [item["status"] for item in result["outcomes"]] == ["ok"]
    with state_at(tmp_path / "state.db").read() as db:
        assert (setup_counters(db), push_counters(db)) == ({"dune_production": 1}, {("dune_production", "n1"): 1})


def test_run_without_any_stage_says_how_to_start(tmp_path: Path) -> None:
    result = recorded(tmp_path / "state.db")
    assert (result["failed"], result["kind"]) == (True, "stage_order")
    assert list(tmp_path.iterdir()) == []
