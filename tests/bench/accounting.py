# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Account for CPU and memory of groups of processes with control groups.

CPU comes from version 2's cpu.stat, which counts without any controller and also what has ended; where only version 1
is mounted, from cpuacct. Peak memory comes from the memory controller of either version; it holds what the processes
read into the page cache as well. Where there is none, memory is not known.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

GONE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Hierarchies:
    """Where control groups can be made: for CPU (by version) and for memory; None: not here."""

    unified: Path | None
    cpuacct: Path | None
    memory: Path | None


def hierarchies(mounts: str) -> Hierarchies:
    """Find the mounted hierarchies in the text of /proc/mounts."""
    unified: Path | None = None
    first: dict[str, Path] = {}
    for line in mounts.splitlines():
        _source, target, kind, options, *_rest = line.split()
        if kind == "cgroup2":
            unified = Path(target)
        elif kind == "cgroup":
            for option in options.split(","):
                first.setdefault(option, Path(target))
    return Hierarchies(unified, first.get("cpuacct"), first.get("memory"))


def cpu_seconds(directory: Path) -> float:
    """Give the CPU seconds used in a control group of either version, by what has ended as well."""
    usage = directory / "cpuacct.usage"
    if usage.exists():
        return int(usage.read_text()) / 1e9
    words = (directory / "cpu.stat").read_text().split()
    return int(words[words.index("usage_usec") + 1]) / 1e6


class Account:
    """A group of processes whose CPU is counted, and their memory if wanted; what they start belongs to it as well."""

    def __init__(self, name: str, *, with_memory: bool = False) -> None:
        found = hierarchies(Path("/proc/mounts").read_text())
        top = found.unified or found.cpuacct
        if top is None:
            raise SystemExit("bench: no control groups are mounted, so CPU cannot be accounted for.")
        own = f"managed-tokens-bench-{os.getpid()}-{name}"
        self._cpu = top / own
        self._memory = found.memory / own if with_memory and found.memory else self._cpu
        try:
            for directory in self.directories:
                directory.mkdir()
        except OSError as err:
            raise SystemExit(f"bench: cannot make the control group {err.filename}: {err.strerror}.") from err

    @property
    def directories(self) -> tuple[Path, ...]:
        return (self._cpu,) if self._memory == self._cpu else (self._cpu, self._memory)

    def enter(self, pids: t.Iterable[int]) -> None:
        """Move processes into it; those that have ended meanwhile are left out."""
        for pid in pids:
            for directory in self.directories:
                with contextlib.suppress(ProcessLookupError):
                    (directory / "cgroup.procs").write_text(str(pid))

    def wrapped(self, argv: t.Sequence[str]) -> list[str]:
        """Give the words that run a command in it from its first instant on."""
        script = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'
        files = [str(directory / "cgroup.procs") for directory in self.directories]
        return ["sh", "-c", script, "sh", *files, "--", *argv]

    def cpu(self) -> float:
        """Give the CPU seconds used so far."""
        return cpu_seconds(self._cpu)

    def pids(self) -> list[int]:
        return [int(word) for word in (self._cpu / "cgroup.procs").read_text().split()]

    def peak_memory(self) -> float | None:
        """Give the most bytes that were in use at once; None where nothing counts them."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            with contextlib.suppress(OSError):
                return float((self._memory / name).read_text())
        return None

    def close(self) -> None:
        """Remove it, once the last process has left; one that stays longer keeps it."""
        deadline = time.monotonic() + GONE_WITHIN_S
        while self.pids() and time.monotonic() < deadline:
            time.sleep(0.05)
        for directory in self.directories:
            # What stays until the laboratory ends goes back to where it came from.
            for word in (directory / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (directory.parent / "cgroup.procs").write_text(word)
            with contextlib.suppress(OSError):
                directory.rmdir()


@contextlib.contextmanager
def account(name: str, *, with_memory: bool = False) -> t.Iterator[Account]:
    """Give an account for the length of a block."""
    opened = Account(name, with_memory=with_memory)
    try:
        yield opened
    finally:
        opened.close()
