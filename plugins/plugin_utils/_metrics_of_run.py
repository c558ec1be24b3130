# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Give the snapshot that a run's metrics are made of: the database's, or that of this run alone when it has none."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import record_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, _empty
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import note_configured
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import (
    LAST_SECOND,
    clean,
    number,
    text,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import LastRun, Snapshot, snapshot


def snapshot_of(state: State | None, collected: Collected, now: float) -> tuple[Snapshot, str]:
    """Give the snapshot, and the trouble with the database in one sentence or "".

    `now` is seconds since the epoch. Whether the program's last run was well is what this run says of itself: of one
    that could not begin the database knows nothing.
    """
    found, problem = None, ""
    if state is not None:
        try:
            with state.read() as db:
                found = snapshot(db, now=now)
        except TokensError as err:
            problem = f"{err.msg} The metrics are those of this run alone."
    # A database that is empty may be another one than the stages use, on another machine.
    if found is None or (found.is_empty and collected.outcomes):
        found = _of_this_run(collected, now)
    last = LastRun(number(collected.ended, LAST_SECOND) or now, collected.is_well)
    return replace(found, runs={**found.runs, text(collected.program): last}), problem


def _of_this_run(collected: Collected, now: float) -> Snapshot:
    # Messages are no part of the metrics, and cleaning them costs most.
    outcomes = [clean(replace(outcome, message="")) for outcome in collected.outcomes]
    names = {outcome.config_service: outcome.service or outcome.config_service for outcome in outcomes}
    names.pop("", None)
    nodes = {outcome.node for outcome in outcomes} - {""}
    started, deadline = (number(value, LAST_SECOND) for value in (collected.started, collected.deadline))
    run = Run(text(collected.run), started, deadline)
    with _empty() as db:
        note_configured(db, names, nodes, now=now, forget_after=now)
        record_run(db, run, outcomes, program=text(collected.program), owner=None, message="")
        return snapshot(db, now=now)
