# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Understand the words given to lab/lab."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import textwrap
import time
import typing as t
from pathlib import Path

from world import registry
from world.faults import FAULTS
from world.init import main as be_init
from world.layout import PATHS, SERVICE_ACCOUNT, Layout, demo_layout, grid_layout, simulated_layout
from world.namespaces import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    WorldError,
    unshare,
)
from world.visit import inside, layout_of, node, run

CHECKOUT = Path(__file__).resolve().parents[2]
INSIDE = "/srv/ansible/ansible_collections/fife/managed_tokens/lab/world"


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="lab/lab", description="A whole small laboratory on one machine, gone without a trace when it ends."
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text)
        added.add_argument(
            "--name", default=os.environ.get("LAB_NAME", "default"), help="which laboratory (default: %(default)s)"
        )
        return added

    up = verb("up", "Start a laboratory: the demo's by default, a regular one when sizes are given.")
    up.add_argument("--experiments", type=int, metavar="E")
    up.add_argument("--roles", type=int, metavar="R", help="roles of each experiment")
    up.add_argument("--nodes", type=int, metavar="N", help="nodes of each experiment")
    up.add_argument("--simulated", type=int, metavar="N", help="N nodes in all that are simulated, all in one process")
    up.add_argument("--light", action="store_true", help="without HTCondor")
    up.add_argument(
        "--postgres", action="store_true", help="with PostgreSQL as the state database (takes some seconds)"
    )
    up.add_argument(
        "--report", action="store_true", help="with what the report is sent to: mail, Slack, Prometheus, Loki and so on"
    )
    verb("down", "End it.")
    verb("status", "Say what runs, and what is broken.")
    run = verb("run", "Run a command inside, as the service account.")
    run.add_argument("--user", default=SERVICE_ACCOUNT)
    run.add_argument("command", nargs=argparse.REMAINDER)
    node = verb("node", "Run a command on a node, as root.")
    node.add_argument("node")
    node.add_argument("command", nargs=argparse.REMAINDER)
    fault = verb("fault", "Break something; `faults` lists what can be broken.")
    fault.add_argument("fault")
    fault.add_argument("words", nargs="*")
    heal = verb("heal", "Mend everything, or the named faults.")
    heal.add_argument("faults", nargs="*")
    verb("faults", "List what can be broken.")
    approve = verb("approve", "Approve the login that is waiting, as a person with a browser.")
    approve.add_argument("login", metavar="SERVICE_OR_CODE")
    newcomer = verb("newcomer", "Make a new experiment known to all but the inventory.")
    newcomer.add_argument("experiment")
    return top


def main() -> int:
    """Give the exit status: 0, that of the command that was run, or 2 with one sentence on stderr."""
    arguments = parser().parse_args()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if os.geteuid() != 0:
            raise WorldError("A laboratory is made of namespaces and needs root.")
        return VERBS[arguments.verb](arguments)
    except (WorldError, OSError) as err:
        print(f"lab: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"lab: {arguments.verb} was interrupted.", file=sys.stderr)
        return 130


def up(arguments: argparse.Namespace) -> int:
    sizes = (arguments.experiments, arguments.roles, arguments.nodes, arguments.simulated)
    if any(size is not None and size < 1 for size in sizes):
        raise WorldError("The sizes of a laboratory are numbers from 1 on.")
    if not (registry.CACHE / "venv" / "bin" / "htgettoken").exists():
        raise WorldError("The programs of the laboratory are not installed: run lab/install first.")
    layout = _layout(arguments)
    mark = time.monotonic()
    plan = {"layout": layout, "checkout": str(CHECKOUT), "cache": str(registry.CACHE)}
    with registry.claim(arguments.name) as claimed:
        if registry.find(arguments.name):
            raise WorldError(
                f"The laboratory {arguments.name!r} is up already; end it with: lab/lab down --name {arguments.name}"
            )
        _start(plan, claimed, lambda pid: registry.register(arguments.name, pid, is_light=arguments.light))
    print(
        f"  up in {time.monotonic() - mark:.1f} s: {len(layout.services)} services, {len(layout.nodes)} nodes. "
        f"Inventory: {PATHS['inventory']} (inside)"
    )
    return 0


def _layout(arguments: argparse.Namespace) -> Layout:
    parts = {"is_light": arguments.light, "postgres": arguments.postgres, "report": arguments.report}
    experiments, roles, nodes = arguments.experiments, arguments.roles, arguments.nodes
    if arguments.simulated is not None:
        if nodes is not None:
            raise WorldError("Give --simulated, the number of all nodes, or --nodes, that of each experiment's.")
        return simulated_layout(arguments.simulated, experiments, roles, **parts)
    if any(size is not None for size in (experiments, roles, nodes)):
        return grid_layout(experiments or 1, roles or 1, nodes or 1, **parts)
    return demo_layout(**parts)


def _start(plan: dict[str, t.Any], claimed: socket.socket, register: t.Callable[[int], None]) -> None:
    """Fork the world's first process and `register` its PID when all is ready.

    If this process ends before that, so does the world.
    """
    report_read, report_write = os.pipe()
    watch_read, watch_write = os.pipe()
    pid_read, pid_write = os.pipe()
    starter = os.fork()
    if starter == 0:
        # Ours alone: the world lives longer.
        claimed.close()
        for handle in (report_read, watch_write, pid_read):
            os.close(handle)
        os.setsid()
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        try:
            unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)
        except WorldError as err:
            os.write(report_write, f"!{err}\n".encode())
            os._exit(1)
        init = os.fork()
        if init == 0:
            os.close(pid_write)
            null = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(null, number)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            be_init(plan, report_write, watch_read)
        os.write(pid_write, str(init).encode())
        os._exit(0)
    for handle in (report_write, watch_read, pid_write):
        os.close(handle)
    os.waitpid(starter, 0)
    pid = int(os.read(pid_read, 32) or 0)
    os.close(pid_read)
    with os.fdopen(report_read, encoding="utf-8") as report:
        for line in report:
            text = line.rstrip("\n")
            if text == "=ready":
                # In this order: a world that is let go is always written down.
                register(pid)
                os.write(watch_write, b"k")
                return
            if text.startswith("!"):
                raise WorldError(text[1:])
            print(f"  {text}", flush=True)
    raise WorldError("The laboratory's first process ended while it was being built.")


def down(arguments: argparse.Namespace) -> int:
    running = registry.find(arguments.name)
    if running is None:
        print(f"  the laboratory {arguments.name!r} is not up")
        return 0
    registry.end(running)
    print(f"  the laboratory {arguments.name!r} is gone")
    return 0


def status(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    running = registry.find(arguments.name)
    if running is None:
        print(f"  the laboratory {arguments.name!r} is not up")
        return 1
    layout = layout_of(running)
    print(f"  laboratory {running.name}, PID {running.pid}{', without HTCondor' if running.is_light else ''}")
    parts: dict[str, list[int]] = {}
    for line in inside(running, ["/usr/bin/python3", f"{INSIDE}/parts.py"]).splitlines():
        part, pid = line.split()
        parts.setdefault(part, []).append(int(pid))
    for part, pids in parts.items():
        up_now = [str(pid) for pid in pids if pid]
        shown = ", ".join(up_now[:6]) + (" ..." if len(up_now) > 6 else "")
        state = "up" if len(up_now) == len(pids) else "DOWN"
        count = f"{len(up_now)} of {len(pids)}"
        print(f"  {part:<12}{state:<6}{count:<12}{f'PID {shown} (inside)' if shown else ''}".rstrip())
    names = textwrap.wrap(
        ", ".join(service["name"] for service in layout["services"]), 64, max_lines=3, placeholder=" ..."
    )
    print(f"  {'services':<12}" + f"\n{'':14}".join(names))
    broken = inside(running, ["/usr/bin/python3", f"{INSIDE}/faults.py", "active"]).splitlines()
    print(f"  {'broken':<12}" + f"\n{'':14}".join(broken or ["nothing"]))
    return 0


def fault(arguments: argparse.Namespace) -> int:
    inside(
        registry.need(arguments.name),
        ["/usr/bin/python3", f"{INSIDE}/faults.py", "make", arguments.fault, *arguments.words],
    )
    return 0


def heal(arguments: argparse.Namespace) -> int:
    inside(registry.need(arguments.name), ["/usr/bin/python3", f"{INSIDE}/faults.py", "heal", *arguments.faults])
    return 0


def approve(arguments: argparse.Namespace) -> int:
    running = registry.need(arguments.name)
    print(inside(running, ["/usr/bin/python3", f"{INSIDE}/browser.py", arguments.login]), end="")
    return 0


def newcomer(arguments: argparse.Namespace) -> int:
    running = registry.need(arguments.name)
    print(inside(running, ["/usr/bin/python3", f"{INSIDE}/newcomer.py", arguments.experiment]), end="")
    return 0


def faults(_arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for name, known in FAULTS.items():
        print(f"  {name + ' ' + known.words:<38} {known.text}")
    return 0


VERBS: dict[str, t.Callable[[argparse.Namespace], int]] = {
    "up": up,
    "down": down,
    "status": status,
    "run": run,
    "node": node,
    "fault": fault,
    "heal": heal,
    "faults": faults,
    "approve": approve,
    "newcomer": newcomer,
}
