# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Understand the words given to lab/lab."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from world import registry
from world.faults import FAULTS
from world.init import main as be_init
from world.layout import PATHS, SERVICE_ACCOUNT, SERVICE_UID, demo_layout, grid_layout
from world.namespaces import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    WorldError,
    enter_argv,
    unshare,
)

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("MANAGED_TOKENS_CACHE") or "/var/cache/managed-tokens-lab")
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
    up.add_argument("--light", action="store_true", help="without HTCondor")
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
    return top


def main() -> int:
    """Give the exit status: 0, that of the command that was run, or 2 with one sentence on stderr."""
    arguments = parser().parse_args()
    try:
        if os.geteuid() != 0:
            raise WorldError("A laboratory is made of namespaces and needs root.")
        return VERBS[arguments.verb](arguments)
    except (WorldError, OSError) as err:
        print(f"lab: {err}", file=sys.stderr)
        return 2


def up(arguments: argparse.Namespace) -> int:
    sizes = (arguments.experiments, arguments.roles, arguments.nodes)
    if any(size is not None and size < 1 for size in sizes):
        raise WorldError("The sizes of a laboratory are numbers from 1 on.")
    if registry.find(arguments.name):
        raise WorldError(
            f"The laboratory {arguments.name!r} is up already; end it with: lab/lab down --name {arguments.name}"
        )
    if not (CACHE / "venv" / ".installed").exists() and not (CACHE / "venv" / "bin" / "htgettoken").exists():
        raise WorldError("The programs of the laboratory are not installed: run lab/install first.")
    if any(size is not None for size in sizes):
        layout = grid_layout(sizes[0] or 1, sizes[1] or 1, sizes[2] or 1, is_light=arguments.light)
    else:
        layout = demo_layout(is_light=arguments.light)
    mark = time.monotonic()
    plan = {"layout": layout, "checkout": str(CHECKOUT), "cache": str(CACHE)}
    pid = _start(plan)
    registry.register(arguments.name, pid, is_light=arguments.light)
    print(
        f"  up in {time.monotonic() - mark:.1f} s: {len(layout.services)} services, {len(layout.nodes)} nodes. "
        f"Inventory: {PATHS['inventory']} (inside)"
    )
    return 0


def _start(plan: dict[str, t.Any]) -> int:
    """Fork the world's first process and give its PID when all is ready; if this process ends earlier, so does the
    world."""
    report_read, report_write = os.pipe()
    watch_read, watch_write = os.pipe()
    pid_read, pid_write = os.pipe()
    starter = os.fork()
    if starter == 0:
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
                os.write(watch_write, b"k")
                return pid
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
    running = registry.find(arguments.name)
    if running is None:
        print(f"  the laboratory {arguments.name!r} is not up")
        return 1
    layout = _layout(running)
    processes = _inside(running, ["ps", "-e", "-o", "comm="]).split()
    parts = {"krb5kdc": 1, "sshd": len(layout["nodes"])} | (
        {} if running.is_light else {"condor_master": 3, "condor_credd": 2}
    )
    print(f"  laboratory {running.name}, PID {running.pid}{', without HTCondor' if running.is_light else ''}")
    for part, wanted in parts.items():
        print(f"  {part:<16}{processes.count(part)} of {wanted}")
    names = [service["name"] for service in layout["services"]]
    print(f"  {'services':<16}{', '.join(names[:5])}{f' and {len(names) - 5} more' if len(names) > 5 else ''}")
    broken = _inside(running, ["/usr/bin/python3", f"{INSIDE}/faults.py", "active"]).splitlines()
    print(f"  {'broken':<16}{'; '.join(broken) or 'nothing'}")
    return 0


def _inside(running: registry.Running, argv: t.Sequence[str]) -> str:
    done = subprocess.run([*enter_argv(running.pid), *argv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(
            (done.stderr or done.stdout).strip().removeprefix("lab: ") or f"{argv[0]} ended with {done.returncode}."
        )
    return done.stdout


def _layout(running: registry.Running) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = json.loads(_inside(running, ["cat", "/srv/lab/layout.json"]))
    return plain


def _words(command: t.Sequence[str]) -> list[str]:
    words = list(command[1:] if command[:1] == ["--"] else command)
    if not words:
        raise WorldError("There is no command to run; give it after --.")
    return words


def environment(user: str) -> list[str]:
    """Give the assignments of the clean environment of everything that runs inside."""
    is_service = user == SERVICE_ACCOUNT
    home = "/root" if user == "root" else f"/home/{user}"
    path = f"{PATHS['bin']}:{CACHE}/venv/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    assignments = {
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "PATH": path,
        "LC_ALL": "C.UTF-8",
        "TERM": os.environ.get("TERM", "dumb"),
        "ANSIBLE_COLLECTIONS_PATH": "/srv/ansible",
        "ANSIBLE_INVENTORY": PATHS["inventory"],
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "CONDOR_CONFIG": "/srv/lab/condor/client.conf",
    }
    if is_service:
        assignments["XDG_RUNTIME_DIR"] = f"/run/user/{SERVICE_UID}"
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        if name in os.environ:
            assignments[name] = os.environ[name]
    return [f"{name}={value}" for name, value in assignments.items()]


def run(arguments: argparse.Namespace) -> int:
    running = registry.need(arguments.name)
    command = _words(arguments.command)
    as_user = (
        []
        if arguments.user == "root"
        else ["setpriv", f"--reuid={arguments.user}", f"--regid={arguments.user}", "--clear-groups", "--no-new-privs"]
    )
    home = "/root" if arguments.user == "root" else f"/home/{arguments.user}"
    argv = [*enter_argv(running.pid), "env", "-i", *environment(arguments.user), f"--chdir={home}", *as_user, *command]
    os.execvp(argv[0], argv)


def node(arguments: argparse.Namespace) -> int:
    running = registry.need(arguments.name)
    command = _words(arguments.command)
    names = [item["name"] for item in _layout(running)["nodes"]]
    full = next((name for name in names if arguments.node in (name, name.partition(".")[0])), None)
    if full is None:
        near = difflib.get_close_matches(arguments.node, [*names, *(name.partition(".")[0] for name in names)], n=1)
        raise WorldError(
            f"There is no node {arguments.node!r}"
            + (f"; did you mean {near[0]!r}?" if near else f": {', '.join(names)}.")
        )
    holder = _inside(running, ["cat", f"/srv/lab/nodes/{full}/holder.pid"]).strip()
    argv = [
        *enter_argv(running.pid),
        *enter_argv(int(holder), node=True),
        "env",
        "-i",
        *environment("root"),
        "--chdir=/",
        *command,
    ]
    os.execvp(argv[0], argv)


def fault(arguments: argparse.Namespace) -> int:
    _inside(
        registry.need(arguments.name),
        ["/usr/bin/python3", f"{INSIDE}/faults.py", "make", arguments.fault, *arguments.words],
    )
    return 0


def heal(arguments: argparse.Namespace) -> int:
    _inside(registry.need(arguments.name), ["/usr/bin/python3", f"{INSIDE}/faults.py", "heal", *arguments.faults])
    return 0


def faults(_arguments: argparse.Namespace) -> int:
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
}
