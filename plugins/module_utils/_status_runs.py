# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read how the runs that are remembered went: well or not, still going, or interrupted without a word."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_runs as state_runs
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    ELSEWHERE,
    FAILED,
    GOING,
    INTERRUPTED,
    MESSAGE_LIMIT,
    NOTHING,
    WELL,
    RunStatus,
    clean,
    moment,
)

if t.TYPE_CHECKING:
    import sqlalchemy as sa

MOST_RECENT = 10


@dataclass(frozen=True, slots=True)
class Runs:
    """The last runs, the newest first; the newest one of each program that is over, with their IDs; when one of
    token_push was well last; and the IDs of all that have said that they ended."""

    recent: tuple[RunStatus, ...]
    last: tuple[RunStatus, ...]
    last_ids: frozenset[str]
    last_well: float
    ended: frozenset[str]


def runs_in(db: sa.Connection, now: float) -> Runs:
    """Give the runs that the database remembers at `now` (seconds since the epoch). Reads only."""
    import sqlalchemy as sa

    table = schema().runs
    last: dict[str, tuple[str, RunStatus]] = {}
    all_runs: list[RunStatus] = []
    ended: set[str] = set()
    last_well = 0.0
    for row in db.execute(sa.select(table).order_by(table.c.started.desc(), table.c.id)):
        run = _run(row, now)
        all_runs.append(run)
        if row.state == state_runs.ENDED:
            ended.add(row.id)
        # What a run says that left everything to another one is what that other one says.
        if run.result not in (GOING, ELSEWHERE):
            last.setdefault(row.program, (row.id, run))
        if run.result == WELL and row.program == TOKEN_PUSH:
            last_well = max(last_well, run.ended)
    return Runs(
        tuple(all_runs[:MOST_RECENT]),
        tuple(run for _program, (_id, run) in sorted(last.items())),
        frozenset(run_id for run_id, _run in last.values()),
        last_well,
        frozenset(ended),
    )


def _run(row: t.Any, now: float) -> RunStatus:
    run = state_runs.run_of(row)
    result = _result(row, is_over=run.is_over(now))
    return RunStatus(
        id=clean(row.id),
        program=clean(row.program),
        started=moment(row.started),
        # Nobody saw when a process ended that left no word.
        ended=0.0 if row.state == state_runs.RUNNING else moment(row.ended),
        result=result,
        words=_words(row, result, run.holder),
        services=row.services,
        services_failed=row.services_failed,
    )


def _result(row: t.Any, *, is_over: bool) -> str:
    if row.state == state_runs.RUNNING:
        return INTERRUPTED if is_over else GOING
    if row.state != state_runs.ENDED:
        return INTERRUPTED
    # A ping that was not answered fails no run; only services do, and in the other programs each outcome counts.
    if row.services_failed if row.program == TOKEN_PUSH else row.failed:
        return FAILED
    if row.well:
        return WELL
    return ELSEWHERE if row.services else NOTHING


def _words(row: t.Any, result: str, holder: Holder) -> str:
    if result == GOING:
        return clean(f"{holder.describe()} is at work")
    if result == INTERRUPTED:
        left = f"; as far as is known, {row.message}" if row.message else ""
        return clean(f"{holder.describe()} ended without a word{left}", MESSAGE_LIMIT)
    return clean(row.message, MESSAGE_LIMIT)
