# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands inside a laboratory: as a user, on a node, or for the laboratory's own needs."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import typing as t
from pathlib import Path

from world import registry
from world.layout import PATHS, SERVICE_ACCOUNT, SERVICE_UID
from world.namespaces import WorldError, enter_argv, nearest


def inside(running: registry.Running, argv: t.Sequence[str]) -> str:
    env = {**os.environ, "MANAGED_TOKENS_CACHE": str(running.cache)}
    done = subprocess.run([*enter_argv(running.pid), *argv], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorldError(
            (done.stderr or done.stdout).strip().removeprefix("lab: ") or f"{argv[0]} ended with {done.returncode}."
        )
    return done.stdout


def layout_of(running: registry.Running) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = json.loads(inside(running, ["cat", "/srv/lab/layout.json"]))
    return plain


def _words(command: t.Sequence[str]) -> list[str]:
    words = list(command[1:] if command[:1] == ["--"] else command)
    if not words:
        raise WorldError("There is no command to run; give it after --.")
    return words


def environment(user: str, cache: Path) -> list[str]:
    """Give the assignments of the clean environment of everything that runs inside."""
    is_service = user == SERVICE_ACCOUNT
    home = "/root" if user == "root" else f"/home/{user}"
    path = f"{PATHS['bin']}:{cache}/venv/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
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
    _become(entering(running, arguments.user, _words(arguments.command)))


def entering(running: registry.Running, user: str, command: t.Sequence[str]) -> list[str]:
    """Give the words that run a command inside as this user.

    Raises: WorldError when there is no such user.
    """
    users = [SERVICE_ACCOUNT, "root", *(service["account"] for service in layout_of(running)["services"])]
    if user not in users:
        raise WorldError(f"There is no user {user!r}" + nearest(user, users))
    as_user = (
        [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
    )
    as_user = [*(as_user or ["setpriv"]), "--pdeathsig=TERM"]
    home = "/root" if user == "root" else f"/home/{user}"
    # A command whose nsenter is killed ends as well, instead of going on unseen.
    return [
        *enter_argv(running.pid),
        "env",
        "-i",
        f"--chdir={home}",
        *environment(user, running.cache),
        *as_user,
        *command,
    ]


def _become(argv: list[str]) -> t.NoReturn:
    # Python ignores this signal, and what it becomes would go on ignoring it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(argv[0], argv)


def node(arguments: argparse.Namespace) -> int:
    running = registry.need(arguments.name)
    command = _words(arguments.command)
    layout = layout_of(running)
    if layout["simulated"]:
        raise WorldError("The nodes of this laboratory are simulated; world/ask_simulator.py shows their files.")
    names = [item["name"] for item in layout["nodes"]]
    full = next((name for name in names if arguments.node in (name, name.partition(".")[0])), None)
    if full is None:
        raise WorldError(
            f"There is no node {arguments.node!r}" + nearest(arguments.node, [name.partition(".")[0] for name in names])
        )
    holder = inside(running, ["cat", f"/srv/lab/nodes/{full}/holder.pid"]).strip()
    argv = [
        *enter_argv(running.pid),
        *enter_argv(int(holder), node=True),
        "setpriv",
        "--pdeathsig=TERM",
        "env",
        "-i",
        "--chdir=/",
        *environment("root", running.cache),
        *command,
    ]
    _become(argv)
