# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs without an end, and runs beside each other, are counted for a day."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import ENDED, INTERRUPTED, RUNNING
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_run_history import RunHistory, run_histories
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import named, series_of, snapshot_in
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

NOW = 2_000_000_000.0
HOUR_S = 3600.0
# Of each run the state, and how many hours ago it began, ended or was found to have ended, and has its deadline.
Told = tuple[str, float, float, float]


def going(began: float) -> Told:
    return RUNNING, began, 0.0, -1.0


def ended(began: float, over: float) -> Told:
    return ENDED, began, over, -1.0


CASES: tuple[tuple[str, list[Told], RunHistory], ...] = (
    ("one after the other", [ended(3, 2.9), ended(2, 1.9), ended(1, 0.9)], RunHistory()),
    ("the next begins when the first ends", [ended(3, 2), ended(2, 1)], RunHistory()),
    ("the second begins before the first has ended", [ended(3, 1.9), ended(2, 1)], RunHistory(0, 1)),
    ("the first is still going on", [going(3), ended(2, 1.9), ended(1, 0.9)], RunHistory(0, 2)),
    ("a long one, and short ones in it", [ended(5, 1), ended(4, 3.9), ended(3, 2.9)], RunHistory(0, 2)),
    ("more than a day ago", [ended(30, 26), ended(27, 25)], RunHistory()),
    ("found to be interrupted by the next one", [(INTERRUPTED, 3, 1.9, 2), ended(2, 1)], RunHistory(1, 0)),
    ("found more than a day ago", [(INTERRUPTED, 27, 25, 26)], RunHistory()),
    ("began long ago, found today", [(INTERRUPTED, 40, 20, 39)], RunHistory(1, 0)),
    ("over, and nobody has noticed", [(RUNNING, 40, 0, 39)], RunHistory(1, 0)),
    ("going on", [going(1)], RunHistory()),
)


def history_of(tmp_path: Path, told: t.Iterable[Told], program: str = TOKEN_PUSH) -> dict[str, RunHistory]:
    state = state_at(tmp_path / "state.db")
    with state.write() as db:
        for number, (how, began, over, deadline) in enumerate(told):
            times = {"started": began, "ended": over, "deadline": deadline}
            values = {name: NOW - hours * HOUR_S for name, hours in times.items()}
            db.execute(schema().runs.insert().values(id=f"{program}{number}", program=program, state=how, **values))
    with state.read() as db:
        return run_histories(db, now=NOW)


@pytest.mark.parametrize(("told", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_run_histories_of_one_program(tmp_path: Path, told: list[Told], wanted: RunHistory) -> None:
    assert history_of(tmp_path, told) == {TOKEN_PUSH: wanted}


def test_run_histories_do_not_mix_programs(tmp_path: Path) -> None:
    history_of(tmp_path, [going(3)])
    assert history_of(tmp_path, [ended(2, 1)], REFRESH_UIDS) == {TOKEN_PUSH: RunHistory(), REFRESH_UIDS: RunHistory()}


def test_run_histories_are_metrics(tmp_path: Path) -> None:
    history_of(tmp_path, [(INTERRUPTED, 4, 3, 4), going(3), ended(2, 1)])
    found = series_of(snapshot_in(state_at(tmp_path / "state.db"), now=NOW))
    assert named(found, "interrupted_runs") == {(TOKEN_PUSH,): 1}
    assert named(found, "overlapping_runs") == {(TOKEN_PUSH,): 1}
