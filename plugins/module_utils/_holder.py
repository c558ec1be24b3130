# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Name the process on whose behalf a run works, so that a later run can tell whether it is still alive."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# Source: the kernel's include/linux/proc_ns.h, PROC_PID_INIT_INO.
FIRST_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, for good: `machine` tells whether its `pid` means anything here, `started` (the kernel's clock
    ticks) that the PID has not been given to another since. A `pid` of 0 is a process that nobody here can look at."""

    host: str
    machine: str
    pid: int = 0
    started: int = 0

    @property
    def is_dead(self) -> bool:
        """Tell whether it is certain that the process has ended; only its own machine can be certain."""
        if not self.pid:
            return False
        here = this_machine()
        if self.machine == here:
            return start_of(self.pid) != self.started
        # The same machine, no container on it, since started anew.
        host, _boot, namespace = here.split(" ")
        return namespace == FIRST_NAMESPACE and self.machine.split(" ")[::2] == [host, namespace]

    def describe(self) -> str:
        """Name it for people."""
        return f"PID {self.pid} on {self.host}" if self.pid else self.host


def holder(pid: int | None) -> Holder:
    """Give the holder that is process `pid` of this machine, or one that cannot be looked at for None."""
    started = start_of(pid) if pid else 0
    return Holder(socket.gethostname(), this_machine(), pid if pid and started else 0, started)


def this_machine() -> str:
    """Name what a PID is valid in: host, boot and PID namespace. Two containers on one machine differ."""
    boot = ""
    with contextlib.suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = os.readlink(PROC / "self/ns/pid")
    return f"{socket.gethostname()} {boot} {namespace}"


def start_of(pid: int) -> int:
    """Give when process `pid` started, in clock ticks since the machine's; 0 when there is no such process.

    Source: proc(5), /proc/PID/stat, field 22; a zombie has ended.
    """
    try:
        # As bytes: the kernel cuts names at 15, also in the middle of a character.
        text = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return 0
    # The second field, the name in parentheses, may hold anything.
    fields = text.rpartition(b")")[2].split()
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
