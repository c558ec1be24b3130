# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Notice an SQLite file in a place where it does not do its work: in a container that goes away, or on a network file
system, where locks between machines cannot be relied on."""

from __future__ import annotations

import os
import re
from pathlib import Path

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "afs", "lustre", "gpfs", "beegfs", "ceph", "ceph-fuse", "glusterfs", "sshfs"}
)
# Source: ansible-runner sets the first in its containers, Kubernetes the second in every pod. Other containers may live
# as long as a machine.
JOB_CONTAINER_MARKS = ("AWX_ISOLATED_DATA_DIR", "KUBERNETES_SERVICE_HOST")
_ADVICE = "Use PostgreSQL (managed_tokens_database: postgresql+psycopg://user@host/database)"


def place_remark(path: Path, *, mounts: str | None = None, is_job_container: bool | None = None) -> str:
    """Give one sentence of warning about the place of the SQLite file `path`, "" when it is a good one.

    `mounts` is the text of /proc/self/mountinfo and `is_job_container` whether we are in one; by default both are found
    out.
    """
    mount = _mount_of(path, _read_mounts() if mounts is None else mounts)
    if mount is None:
        return ""
    point, kind = mount
    if kind.removeprefix("fuse.") in NETWORK_FILE_SYSTEMS:
        return (
            f"The state database {path} is on a network file system ({kind}, {point}), where SQLite's locks cannot be "
            f"relied on. {_ADVICE}, or a local file."
        )
    if point == "/" and (_is_job_container() if is_job_container is None else is_job_container):
        return (
            f"The state database {path} is inside this job's container and will be gone with it: nothing is "
            f"remembered from run to run. {_ADVICE}, or mount a directory that stays."
        )
    return ""


def _is_job_container() -> bool:
    return any(mark in os.environ for mark in JOB_CONTAINER_MARKS)


def _read_mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text()
    except OSError:
        return ""


def _mount_of(path: Path, mounts: str) -> tuple[str, str] | None:
    """Give mount point and type of the file system that holds `path`.

    Source: proc(5), /proc/PID/mountinfo: the point is field 5, the type comes after the separator.
    """
    best: tuple[str, str] | None = None
    place = os.path.realpath(path)
    for line in mounts.splitlines():
        before, mark, after = line.partition(" - ")
        fields = before.split()
        if not mark or len(fields) < 5 or not after.split():
            continue
        # Spaces and the like are written as octal numbers.
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        # Of two mounts on one point the later one counts.
        if _holds(point, place) and (best is None or len(point) >= len(best[0])):
            best = (point, after.split()[0])
    return best


def _holds(point: str, place: str) -> bool:
    return point == "/" or place == point or place.startswith(point.rstrip("/") + "/")
