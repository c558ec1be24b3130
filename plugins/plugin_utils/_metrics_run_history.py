# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Count from the state database how many runs of the last day were interrupted, and how many began while another one
was going on."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import (
    ENDED,
    INTERRUPTED,
    RUNNING,
    run_of,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# Alerts on what happened end by themselves after that.
LOOK_BACK_S = 86400.0


@dataclass(frozen=True, slots=True)
class RunHistory:
    """How many runs of a program, within the last day, ended without a word, and began while another was going on."""

    interrupted: int = 0
    overlapping: int = 0


def run_histories(db: sa.Connection, *, now: float) -> dict[str, RunHistory]:
    """Give the history of each program that is remembered; `now` is seconds since the epoch."""
    import sqlalchemy as sa

    found: dict[str, RunHistory] = {}
    busy_until: dict[str, float] = {}
    for row in db.execute(sa.select(schema().runs).order_by(schema().runs.c.started)):
        before = found.get(row.program, RunHistory())
        is_lost = row.state == INTERRUPTED or (row.state == RUNNING and run_of(row).is_over(now))
        # When an interrupted one was noticed stands in its row; one that nobody has noticed yet is new.
        is_recent_loss = is_lost and (row.state == RUNNING or row.ended >= now - LOOK_BACK_S)
        overlaps = row.started >= now - LOOK_BACK_S and row.started < busy_until.get(row.program, 0.0)
        found[row.program] = RunHistory(before.interrupted + is_recent_loss, before.overlapping + overlaps)
        if not is_lost:
            # Nobody knows when a lost one ended, so it is in nobody's way.
            ended = row.ended if row.state == ENDED else now
            busy_until[row.program] = max(busy_until.get(row.program, 0.0), ended)
    return found
