# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start many programs at once and wait for them with as little work as possible, so that what is measured is theirs."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """A program with its environment, and the one that follows when it ends well."""

    argv: t.Sequence[str]
    environment: t.Mapping[str, str]
    then: Job | None = None


class Crowd:
    """Programs that run at once; a chain of them has `limit` seconds from its start."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._running: dict[int, tuple[Job, float]] = {}
        self._null = os.open(os.devnull, os.O_RDWR)

    def start(self, job: Job, deadline: float | None = None) -> None:
        """Start a program whose output nobody reads."""
        actions = [(os.POSIX_SPAWN_DUP2, self._null, number) for number in (0, 1, 2)]
        pid = os.posix_spawn(job.argv[0], [*job.argv], job.environment, file_actions=actions)
        self._running[pid] = job, deadline or time.monotonic() + self._limit

    def wait(self) -> int:
        """Wait for all, ending those that are late; give how many chains failed."""
        failed = 0
        previous = signal.signal(signal.SIGALRM, lambda _signum, _frame: self._end_late())
        self._set_alarm()
        try:
            while self._running:
                pid, status = os.waitpid(-1, 0)
                if pid not in self._running:
                    continue
                job, deadline = self._running.pop(pid)
                if status:
                    failed += 1
                elif job.then is not None:
                    self.start(job.then, deadline)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            os.close(self._null)
        return failed

    def _end_late(self) -> None:
        now = time.monotonic()
        for pid, (_job, deadline) in list(self._running.items()):
            if deadline <= now:
                # It may have been waited for within this very instant.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._set_alarm(after=now)

    def _set_alarm(self, after: float = 0.0) -> None:
        later = [deadline for _job, deadline in self._running.values() if deadline > after]
        if later:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, min(later) - time.monotonic()))
