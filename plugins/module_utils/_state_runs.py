# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Remember runs: that they began, who they are, which services and nodes they hold, and how they ended.

A hold lives as long as its run: until the run says that it has ended, until the process behind it is seen to be dead,
or until a minute after its deadline, whichever comes first. Runs may hold different nodes of one service at once.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STAGES
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa

RUNNING = "running"
ENDED = "ended"
INTERRUPTED = "interrupted"
MARGIN_S = 60.0
# Long enough to look back at a week of hourly runs, short enough to stay small.
KEEP_RUNS_S = 14 * 86400.0
LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of `program`; times in seconds since the epoch. `left` says of a run that never ended what was written
    down of it, "" when nothing was."""

    id: str
    program: str
    started: float
    deadline: float
    holder: Holder
    left: str = ""

    def is_over(self, now: float) -> bool:
        """Tell whether the run, which has not said that it ended, cannot be going on any more."""
        return self.holder.is_dead or now > self.deadline + MARGIN_S


def run_of(row: t.Any) -> RunRow:
    """Give the run that a row of the table tells of."""
    holder = Holder(row.host, row.machine, row.pid, row.pid_started)
    return RunRow(row.id, row.program, row.started, row.deadline, holder)


@dataclass(frozen=True, slots=True)
class Hold:
    """Nodes of a service that another run, which is going on, serves."""

    service: str
    nodes: frozenset[str]
    run: RunRow


def begin_run(db: sa.Connection, run: RunRow, *, now: float) -> list[RunRow]:
    """Write down that `run` goes on; give the earlier runs that never ended, now marked as interrupted, without
    holds."""
    import sqlalchemy as sa

    table, holds = schema().runs, schema().holds
    lost = [replace(row, left=_left_by(db, row.id)) for row in _running(db) if row.id != run.id and row.is_over(now)]
    for row in lost:
        values = {"state": INTERRUPTED, "ended": now, "message": row.left}
        db.execute(sa.update(table).where(table.c.id == row.id).values(values))
        db.execute(sa.delete(holds).where(holds.c.run == row.id))
    db.execute(sa.delete(table).where(table.c.state != RUNNING, table.c.started < now - KEEP_RUNS_S))
    _insert(db, run)
    return lost


def _left_by(db: sa.Connection, run_id: str) -> str:
    """Say how far a run had come that never ended, as far as it wrote that down: its last stage with results."""
    import sqlalchemy as sa

    table = schema().results
    query = sa.select(table.c.stage, sa.func.count()).where(table.c.run == run_id).group_by(table.c.stage)
    counts = {str(stage): int(number) for stage, number in db.execute(query)}
    reached = next((stage for stage in reversed(STAGES) if stage in counts), "")
    return f"it had come to the stage {reached}, with {counts[reached]} results" if reached else ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its outcomes that were `well` and that `failed`, its `services` and how many of these were not
    wholly well, one sentence, and for each stage when it ended and how many seconds it took."""

    ended: float
    well: int = 0
    failed: int = 0
    services: int = 0
    services_failed: int = 0
    message: str = ""
    stages: t.Mapping[str, tuple[float, float]] = field(default_factory=dict)


def end_run(db: sa.Connection, run: RunRow, ending: Ending) -> None:
    """Write down how the run ended, also when its beginning could not be, and let go of what it held."""
    import sqlalchemy as sa

    table, holds, stages = schema().runs, schema().holds, schema().stages
    if not db.execute(sa.select(table.c.id).where(table.c.id == run.id)).first():
        _insert(db, run)
    db.execute(
        sa.update(table)
        .where(table.c.id == run.id)
        .values(
            state=ENDED,
            ended=ending.ended,
            well=ending.well,
            failed=ending.failed,
            services=ending.services,
            services_failed=ending.services_failed,
            message=ending.message[:LONGEST_MESSAGE],
        )
    )
    db.execute(sa.delete(holds).where(holds.c.run == run.id))
    if ending.stages:
        # A stage that this run did not reach keeps what it took the last time.
        db.execute(sa.delete(stages).where(stages.c.program == run.program, stages.c.stage.in_(list(ending.stages))))
        rows = [
            {"program": run.program, "stage": stage, "ended": ended, "seconds": seconds, "run": run.id}
            for stage, (ended, seconds) in sorted(ending.stages.items())
        ]
        db.execute(sa.insert(stages), rows)


def forget_run(db: sa.Connection, run_id: str) -> None:
    """Forget that there was such a run, and let go of what it held."""
    import sqlalchemy as sa

    table, holds = schema().runs, schema().holds
    db.execute(sa.delete(holds).where(holds.c.run == run_id))
    db.execute(sa.delete(table).where(table.c.id == run_id))


def holds_of_others(db: sa.Connection, run_id: str, *, now: float) -> list[Hold]:
    """Give what other runs hold that are going on. Reads only."""
    import sqlalchemy as sa

    alive = {row.id: row for row in _running(db) if row.id != run_id and not row.is_over(now)}
    table = schema().holds
    rows = db.execute(sa.select(table.c.service, table.c.run, table.c.nodes).order_by(table.c.service, table.c.run))
    return [
        Hold(service, frozenset(json.loads(nodes or "[]")), alive[run]) for service, run, nodes in rows if run in alive
    ]


def hold(db: sa.Connection, run_id: str, services: t.Mapping[str, t.Collection[str]]) -> None:
    """Hold these nodes of each service for the run."""
    import sqlalchemy as sa

    rows = [
        {"service": name, "run": run_id, "nodes": json.dumps(sorted(nodes))} for name, nodes in sorted(services.items())
    ]
    if rows:
        db.execute(sa.insert(schema().holds), rows)


def break_holds(db: sa.Connection, run_id: str) -> None:
    """Let go of everything that other runs hold, because an operator says that they are dead."""
    import sqlalchemy as sa

    table = schema().holds
    db.execute(sa.delete(table).where(table.c.run != run_id))


def _insert(db: sa.Connection, run: RunRow) -> None:
    import sqlalchemy as sa

    db.execute(
        sa.insert(schema().runs).values(
            id=run.id,
            program=run.program,
            state=RUNNING,
            started=run.started,
            deadline=run.deadline,
            host=run.holder.host,
            machine=run.holder.machine,
            pid=run.holder.pid,
            pid_started=run.holder.started,
        )
    )


def _running(db: sa.Connection) -> list[RunRow]:
    import sqlalchemy as sa

    table = schema().runs
    rows = db.execute(sa.select(table).where(table.c.state == RUNNING).order_by(table.c.started))
    return [run_of(row) for row in rows]
