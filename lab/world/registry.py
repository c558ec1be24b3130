# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember which laboratories run on this machine, and recognise one that died."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from world.namespaces import WorldError

DIRECTORY = Path("/run/managed-tokens-lab")
CACHE = Path(os.environ.get("MANAGED_TOKENS_CACHE") or "/var/cache/managed-tokens-lab")


@dataclass(frozen=True)
class Running:
    """A laboratory that is up.

    `pid` is that of its first process as seen from outside, `start` when that process started, `cache` the one it was
    made from.
    """

    name: str
    pid: int
    start: str
    is_light: bool
    cache: Path


def start_time(pid: int) -> str:
    """Give when a live process started, "" when there is none: a PID alone may be somebody else's by now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # A dead process stays listed until its parent asks for it, which not every machine's first process does at once.
    return "" if fields[0] in "ZX" else fields[19]


def path_of(name: str) -> Path:
    """Give the file that remembers the laboratory `name`.

    Raises: WorldError when no laboratory can have such a name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
        raise WorldError(f"A laboratory cannot be named {name!r}: use letters, digits, - and _.")
    return DIRECTORY / f"{name}.json"


def claim(name: str) -> socket.socket:
    """Keep every second `up` of the same name out for as long as the socket that is given is open.

    It has no file: nothing is left behind, however its process ends. Raises: WorldError when somebody else has it.
    """
    path_of(name)
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(f"\0managed-tokens-lab/{name}")
    except OSError as err:
        held.close()
        if err.errno != errno.EADDRINUSE:
            raise
        raise WorldError(f"The laboratory {name!r} is being started by somebody else right now.") from None
    return held


def register(name: str, pid: int, *, is_light: bool) -> None:
    DIRECTORY.mkdir(mode=0o755, exist_ok=True)
    temporary = path_of(name).with_suffix(f".{os.getpid()}")
    temporary.write_text(
        json.dumps({"name": name, "pid": pid, "start": start_time(pid), "is_light": is_light, "cache": str(CACHE)})
    )
    temporary.replace(path_of(name))


def find(name: str) -> Running | None:
    """Give the laboratory `name` if it is up; the file of one that died is removed."""
    try:
        plain: dict[str, t.Any] = json.loads(path_of(name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    running = Running(plain["name"], plain["pid"], plain["start"], plain["is_light"], Path(plain.get("cache", CACHE)))
    if running.start and start_time(running.pid) == running.start:
        return running
    path_of(name).unlink(missing_ok=True)
    return None


def need(name: str) -> Running:
    """Give the laboratory `name`.

    Raises: WorldError when it is not up.
    """
    running = find(name)
    if running is None:
        raise WorldError(f"The laboratory {name!r} is not up; start it with: lab/lab up --name {name}")
    return running


def end(running: Running, grace: float = 5.0) -> None:
    """End a laboratory and wait until its first process is gone."""
    for signum in (15, 9):
        try:
            os.kill(running.pid, signum)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline and start_time(running.pid) == running.start:
            time.sleep(0.02)
        if start_time(running.pid) != running.start:
            break
    path_of(running.name).unlink(missing_ok=True)
