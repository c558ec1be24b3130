# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands in a laboratory and account for what they took, on their own side, on the nodes, and in the other
servers."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import tempfile
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import machine
from accounting import Account, account
from figures import Sample
from laboratory import Laboratory
from world import registry
from world.layout import SERVICE_ACCOUNT
from world.visit import entering

INSIDE = "/srv/ansible/ansible_collections/fife/managed_tokens"
# What a run causes in servers after its end (a credmon fetches bearer tokens) is over then.
SETTLE_S = 2.0
POLL_S = 0.2
NODE_SERVERS = ("sshd", "node_simulator.py")


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended: exit status, output, and what it took; the sample knows nothing of files yet."""

    status: int
    output: str
    sample: Sample


class Meter:
    """Measure in one laboratory, which is up."""

    def __init__(self, laboratory: Laboratory, nodes: Account, servers: Account) -> None:
        self._laboratory, self._nodes, self._servers = laboratory, nodes, servers
        self._running = registry.need(laboratory.name)
        self._numbers = itertools.count()
        self._adopt()

    def _adopt(self) -> None:
        """Sort all processes of the laboratory into nodes and other servers; what they start follows them."""
        namespace = os.readlink(f"/proc/{self._running.pid}/ns/pid")
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(path / "ns/pid") == namespace:
                    words = (path / "cmdline").read_text().split("\0")
                    # A server of OpenSSH calls itself "sshd: /usr/sbin/sshd -D ...".
                    programs = {Path(word.split()[0]).name.rstrip(":") for word in words if word.split()}
                    is_node = not programs.isdisjoint(NODE_SERVERS)
                    (self._nodes if is_node else self._servers).enter([int(path.name)])

    def run(self, *command: str, connections: t.Callable[[], int], timeout: float = 1800) -> Ran:
        """Run a command as the service account; `connections` counts those that the nodes have served so far."""
        time.sleep(SETTLE_S)
        load, served = machine.load(), connections()
        argv = ["timeout", "--kill-after=20", str(timeout), *entering(self._running, SERVICE_ACCOUNT, command)]
        with account(f"client-{next(self._numbers)}", with_memory=True) as client, tempfile.TemporaryFile() as output:
            nodes, servers, busy = self._nodes.cpu(), self._servers.cpu(), machine.busy_now()
            mark = time.monotonic()
            child = subprocess.Popen(
                client.wrapped(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
            with main_process(client) as main:
                status = child.wait()
                wall = time.monotonic() - mark
            used = client.cpu(), self._nodes.cpu() - nodes, self._servers.cpu() - servers
            others = max(0.0, machine.busy_now() - busy - sum(used))
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
            sample = Sample(
                wall=wall,
                client_cpu=used[0],
                node_cpu=used[1],
                server_cpu=used[2],
                others_cpu=others,
                memory=client.peak_memory(),
                main=main.memory or None,
                connections=connections() - served,
                in_place=0,
                wanted=0,
                load=load,
                cores=machine.cores(),
            )
        return Ran(status, text, sample)


@dataclass
class MainProcess:
    """The most memory that ansible-playbook's first process has had, in bytes; 0 when no such process was seen."""

    memory: float = 0.0


@contextlib.contextmanager
def main_process(client: Account) -> t.Iterator[MainProcess]:
    """Watch ansible-playbook's first process for the length of a block."""
    found, ended = MainProcess(), threading.Event()

    def watch() -> None:
        pid = 0
        while not ended.wait(POLL_S):
            pid = pid or _first_of(client, "ansible-playboo")
            with contextlib.suppress(OSError, ValueError):
                status = Path(f"/proc/{pid}/status").read_text().split() if pid else []
                found.memory = max(found.memory, float(status[status.index("VmHWM:") + 1]) * 1024)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _first_of(client: Account, name: str) -> int:
    """Give the oldest process of that name (of which the kernel keeps 15 letters); 0 when there is none."""
    ages: dict[int, int] = {}
    for pid in client.pids():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/stat").read_text()
            if words.partition("(")[2].rpartition(")")[0] == name:
                ages[pid] = int(words.rpartition(")")[2].split()[19])
    return min(ages, key=lambda pid: (ages[pid], pid), default=0)


@contextlib.contextmanager
def measured_laboratory(*options: str) -> t.Iterator[tuple[Laboratory, Meter]]:
    """Start a laboratory of its own for the length of a block."""
    laboratory = Laboratory(os.environ.get("MANAGED_TOKENS_BENCH_LAB") or "bench")
    with account("nodes") as nodes, account("servers") as servers:
        try:
            laboratory.up(*options)
            yield laboratory, Meter(laboratory, nodes, servers)
        finally:
            laboratory.lab("down", check=False)
