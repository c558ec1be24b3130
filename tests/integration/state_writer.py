# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write to a state database until killed, and kill such a writer many times. Runs inside a laboratory.

Each transaction adds one to everything that it touches. So the database always tells which transaction was the last
one, in several tables; a transaction that was done by half would make them differ.

Usage: state_writer.py DATABASE kill TIMES | write | once
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import time

from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, PUSH, STORE, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    count_failures,
    push_counters,
    remember_outcomes,
    setup_counters,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import Ending, RunRow, end_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids

SERVICE = "killed_production"
NODES = tuple(f"killed{number:02d}.lab.example" for number in range(20))
FIRST_UID = 3000000


def opened(database: str) -> State:
    state = open_state(database, "", 30.0)
    if state is None:
        raise SystemExit("there is no database")
    return state


def write(state: State, times: int | None = None) -> None:
    """Write one transaction after the other, or so many; say the number of each once it is committed."""
    for _turn in itertools.count() if times is None else range(times):
        with state.write() as db:
            number = setup_counters(db)[SERVICE] + 1
            outcomes = [Outcome(STORE, FAILED, SERVICE, SERVICE, started=1.0, message=str(number))]
            outcomes += [
                Outcome(PUSH, FAILED, SERVICE, SERVICE, node=node, started=1.0, message=str(number)) for node in NODES
            ]
            remember_outcomes(db, outcomes, run=f"run{number}")
            count_failures(db, outcomes)
            store_uids(db, {f"killed{FIRST_UID + number}": FIRST_UID + number}, [], now=1.0, source="a test")
            run = RunRow(f"run{number}", "a test", time.time(), time.time(), holder(None))
            end_run(db, run, Ending(ended=time.time(), failed=number, message=str(number)))
        print(number, flush=True)


def numbers_of(state: State) -> set[int]:
    """Give the number of the last transaction as every table tells it."""
    import sqlalchemy as sa

    tables = schema()
    with state.read() as db:
        told = {setup_counters(db)[SERVICE]}
        told |= {push_counters(db)[SERVICE, node] for node in NODES}
        told.add(max((known.uid - FIRST_UID for known in known_uids(db).values()), default=0))
        told.add(sum(known.uid > FIRST_UID for known in known_uids(db).values()))
        told.add(db.execute(sa.select(sa.func.max(tables.runs.c.failed))).scalar() or 0)
        told |= {
            int(message)
            for message in db.execute(
                sa.select(tables.results.c.message).where(tables.results.c.service == SERVICE)
            ).scalars()
        }
    return told


def writing(database: str) -> subprocess.Popen[str]:
    """Start a writer."""
    return subprocess.Popen([sys.executable, __file__, database, "write"], stdout=subprocess.PIPE, text=True)


def pace_of(database: str) -> float:
    """Give the seconds that a transaction takes here and now."""
    with writing(database) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        mark = time.monotonic()
        for _turn in range(5):
            writer.stdout.readline()
        pace = (time.monotonic() - mark) / 5
        writer.send_signal(signal.SIGKILL)
    return pace


def kill(database: str, times: int) -> None:
    """Kill a writer so many times, each at another moment of its work, and look each time what the database tells."""
    state = opened(database)
    dice = random.Random(20261125)
    longest = max(0.06, 2 * pace_of(database))
    first = last = max(numbers_of(state))
    torn, lost = [], []
    for turn in range(times):
        with writing(database) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(dice.uniform(0.0, longest))
            writer.send_signal(signal.SIGKILL)
            said = [int(line) for line in writer.stdout.read().split()]
        acknowledged = max([last + 1, *said])
        told = numbers_of(state)
        if len(told) != 1:
            torn.append((turn, sorted(told)))
        last = max(told)
        if not acknowledged <= last <= acknowledged + 1:
            lost.append((turn, acknowledged, last))
    print(json.dumps({"transactions": last - first, "torn": torn, "lost": lost}))


if __name__ == "__main__":
    if sys.argv[2] == "kill":
        kill(sys.argv[1], int(sys.argv[3]))
    else:
        write(opened(sys.argv[1]), 1 if sys.argv[2] == "once" else None)
