# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say on what a bench was run: machine, programs, sources, and how busy the machine is with other things."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import typing as t
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# Columns of the first line of /proc/stat in which the machine did something (proc(5)): guest time is part of user time.
_BUSY = (0, 1, 2, 5, 6)


def cores() -> int:
    return len(os.sched_getaffinity(0))


def load() -> float:
    """Give the load average of the last minute."""
    return os.getloadavg()[0]


def busy_seconds(stat: str) -> float:
    """Give the CPU seconds that the whole machine has worked since it started, from the text of /proc/stat."""
    fields = [int(word) for word in stat.splitlines()[0].split()[1:]]
    return sum(fields[column] for column in _BUSY) * _TICK_S


def busy_now() -> float:
    return busy_seconds(Path("/proc/stat").read_text())


def cpu_model(cpuinfo: str) -> str:
    """Give the name of the first processor, from the text of /proc/cpuinfo."""
    match = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return " ".join(match[1].split()) if match else platform.machine()


def description(now: datetime | None = None) -> list[str]:
    """Give date, machine and versions in a few lines."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    gigabytes = int(memory[1]) / 1024**2 if memory else 0.0
    packages = ", ".join(f"{name} {_version(name)}" for name in ("ansible-core", "asyncssh", "cryptography"))
    hardware = f"{cpu_model(Path('/proc/cpuinfo').read_text())}, {cores()} cores, {gigabytes:.0f} GB"
    system = f"Linux {platform.release().partition('-')[0]}; client, nodes and servers on this one machine."
    ssh = _output("ssh", "-V").partition(" ")[0]
    rsync = " ".join(_output("rsync", "--version").split()[:3]).replace(" version", "")
    return [
        f"{(now or datetime.now(UTC)):%Y-%m-%d %H:%M} UTC; {hardware}, {system}",
        f"fife.managed_tokens {_sources()}; Python {platform.python_version()}, {packages}, {ssh}, {rsync}.",
    ]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "?"


def _sources() -> str:
    match = re.search(r"^version: *(\S+)", (ROOT / "galaxy.yml").read_text(), re.MULTILINE)
    commit = _output("git", "-C", str(ROOT), "describe", "--always", "--abbrev=7")
    # What a bench has just written down is no change of what the next one measures.
    if _output("git", "-C", str(ROOT), "status", "--porcelain", "-uno", "--", ".", ":!docs/performance.md"):
        commit += "-dirty"
    return f"{match[1] if match else '?'}{f' ({commit})' if commit else ''}"


def _output(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else ""


def quietness(others: t.Sequence[float], walls: t.Sequence[float]) -> str:
    """Say in a sentence how much of the machine was not the bench's; `others` are CPU seconds, run by run."""
    shares = [100 * used / (wall * cores()) for used, wall in zip(others, walls, strict=True) if wall > 0]
    most = max(shares, default=0.0)
    if most < 5:
        return f"The machine was quiet: anything else took at most {most:.1f} % of it."
    return f"**The machine was not quiet: something else took up to {most:.0f} % of it.** Measure again."
