# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say where a run's time went: task by task, what was done at once in each, and what was Ansible's own."""

from __future__ import annotations

import contextlib
import os
import resource
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import start_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

WIDTH = 78
TITLE_WIDTH = 37
MOST_TASKS = 30


@dataclass(slots=True)
class TaskClock:
    """Note when each task of a play begins, seconds since the epoch. The next one's beginning is its end: what
    Ansible does between two tasks counts with the first."""

    marks: list[tuple[float, str]] = field(default_factory=list)

    def begin(self, title: str) -> None:
        """Note that a task begins now."""
        self.marks.append((time.time(), title))


@dataclass(frozen=True, slots=True)
class Spent:
    """What the process of ansible-playbook has used so far: its own CPU seconds, those of its workers and their
    programs, and the most memory that one of them had (MB)."""

    own_cpu: float
    workers_cpu: float
    own_memory: float
    workers_memory: float

    @classmethod
    def so_far(cls) -> Spent:
        own, workers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return cls(
            own.ru_utime + own.ru_stime,
            workers.ru_utime + workers.ru_stime,
            own.ru_maxrss / 1024,
            workers.ru_maxrss / 1024,
        )


def process_began() -> float:
    """Give when this process was started, seconds since the epoch; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        ticks = start_of(os.getpid())
        if ticks:
            since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
            return time.time() - since_boot + ticks / os.sysconf("SC_CLK_TCK")
    return 0.0


def lines(
    marks: t.Sequence[tuple[float, str]], outcomes: t.Sequence[Outcome], *, began: float, ended: float, spent: Spent
) -> list[str]:
    """Give a table within 78 columns; `began` is when the process was started, 0 if that is not known.

    `work` is what the items of a task took one by one: work divided by wall is how many were under way at once.
    """
    if not marks:
        return []
    began = min(began, marks[0][0]) if began else marks[0][0]
    rows = [("before the first task", marks[0][0] - began, "", "", "")]
    for number, (start, title) in enumerate(marks):
        end = marks[number + 1][0] if number + 1 < len(marks) else ended
        rows.append((_name(title), max(0.0, end - start), *_work(outcomes, start, end)))
    if len(rows) > MOST_TASKS:
        least = sorted(row[1] for row in rows)[-MOST_TASKS]
        rows = [row for row in rows if row[1] >= least][:MOST_TASKS]
    total = max(0.0, ended - began)
    shown = [
        f"  {title:<{TITLE_WIDTH}} {wall:>7.2f} s {_share(wall, total):>5} {count:>6} {work:>9} {at_once:>5}".rstrip()
        for title, wall, count, work, at_once in rows
    ]
    return [
        f"Where {total:.2f} s went",
        f"  {'task':<{TITLE_WIDTH}} {'wall':>9} {'':>5} {'items':>6} {'work':>9} {'par.':>5}".rstrip(),
        *shown,
        f"  CPU: ansible-playbook itself {spent.own_cpu:.2f} s, its workers and programs {spent.workers_cpu:.2f} s",
        f"  memory: ansible-playbook {spent.own_memory:.0f} MB, largest other process {spent.workers_memory:.0f} MB",
    ]


def _name(title: str) -> str:
    name = one_line(title.rpartition(" : ")[2], 200)  # without the role's name
    return name if len(name) <= TITLE_WIDTH else f"{name[: TITLE_WIDTH - 3].rstrip()}..."


def _work(outcomes: t.Sequence[Outcome], start: float, end: float) -> tuple[str, str, str]:
    inside = [outcome for outcome in outcomes if start <= outcome.started < end and outcome.seconds > 0]
    if not inside:
        return "", "", ""
    work = sum(outcome.seconds for outcome in inside)
    first = min(outcome.started for outcome in inside)
    last = max(outcome.started + outcome.seconds for outcome in inside)
    at_once = work / (last - first) if last > first else 1.0
    return str(len(inside)), f"{work:.2f} s", f"{at_once:.1f}"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole > 0 else ""
