# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember which laboratories run on this machine, and recognise one that died."""

from __future__ import annotations

import json
import os
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from world.namespaces import WorldError

DIRECTORY = Path("/run/managed-tokens-lab")


@dataclass(frozen=True)
class Running:
    """A laboratory that is up: its name, the PID of its first process as seen from outside, and when that process
    started."""

    name: str
    pid: int
    start: str
    is_light: bool


def start_time(pid: int) -> str:
    """Give the kernel's start time of a process, "" when there is none: a PID alone may be somebody else's by now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def path_of(name: str) -> Path:
    return DIRECTORY / f"{name}.json"


def register(name: str, pid: int, *, is_light: bool) -> None:
    DIRECTORY.mkdir(mode=0o755, exist_ok=True)
    temporary = path_of(name).with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"name": name, "pid": pid, "start": start_time(pid), "is_light": is_light}))
    temporary.replace(path_of(name))


def find(name: str) -> Running | None:
    """Give the laboratory `name` if it is up; the file of one that died is removed."""
    try:
        plain: dict[str, t.Any] = json.loads(path_of(name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    running = Running(plain["name"], plain["pid"], plain["start"], plain["is_light"])
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
