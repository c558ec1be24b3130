# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an SQLite file does not do its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._state_place import JOB_CONTAINER_MARKS, place_remark

ROOT = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"
CONTAINER = "500 400 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b"
NFS = "30 22 0:40 / /nfsmount rw,relatime shared:2 master:1 - nfs4 files.lab.example:/export rw,vers=4.2"
FILE = Path("/nowhere-else/tokens/state.db")

# The mounts, whether in a job's container, the path, what the remark says ("" for none).
PLACES: dict[str, tuple[list[str], bool, str, str]] = {
    "local": ([ROOT], False, "/nowhere-else/state.db", ""),
    "nfs": ([ROOT, NFS], False, "/nfsmount/state.db", "is on a network file system (nfs4, /nfsmount)"),
    "beside nfs": ([ROOT, NFS], False, "/nfsmount-not/state.db", ""),
    "nfs in a container": ([CONTAINER, NFS], True, "/nfsmount/state.db", "is on a network file system"),
    "root on nfs": ([NFS.replace("/nfsmount", "/")], False, "/nowhere-else/x", "network file system (nfs4, /)"),
    "bind mount of nfs": (
        [ROOT, NFS, "31 22 0:40 /deep /bound rw - nfs4 files.lab.example:/export rw"],
        False,
        "/bound/state.db",
        "(nfs4, /bound)",
    ),
    "local disk below nfs": (
        [ROOT, NFS, "31 30 8:2 / /nfsmount/local rw - xfs /dev/sdb rw"],
        False,
        "/nfsmount/local/state.db",
        "",
    ),
    "mounted over an automount": (
        [ROOT, "29 22 0:39 / /nfsmount rw - autofs auto rw", NFS],
        False,
        "/nfsmount/state.db",
        "(nfs4, /nfsmount)",
    ),
    "sshfs": ([ROOT, "31 22 0:41 / /far rw - fuse.sshfs x: rw"], False, "/far/state.db", "(fuse.sshfs, /far)"),
    "glusterfs": ([ROOT, "31 22 0:41 / /far rw - fuse.glusterfs x: rw"], False, "/far/x.db", "(fuse.glusterfs, /far)"),
    "another fuse": ([ROOT, "31 22 0:41 / /far rw - fuse.encfs x: rw"], False, "/far/x.db", ""),
    "space in the point": (
        [ROOT, NFS.replace("/nfsmount", r"/two\040words")],
        False,
        "/two words/state.db",
        "(nfs4, /two words)",
    ),
    "tab and backslash in the point": (
        [ROOT, NFS.replace("/nfsmount", r"/a\011b\134040c")],
        False,
        "/a\tb\\040c/x.db",
        "(nfs4, ",
    ),
    "container": ([CONTAINER], True, "/nowhere-else/state.db", "is inside this job's container and will be gone"),
    "container that stays": ([CONTAINER], False, "/nowhere-else/state.db", ""),
    "directory mounted into the container": (
        [CONTAINER, "501 500 8:1 /srv/tokens /nowhere-else/tokens rw - ext4 /dev/sda1 rw"],
        True,
        "/nowhere-else/tokens/state.db",
        "",
    ),
    "nothing is known": ([], True, "/nowhere-else/state.db", ""),
    "lines that cannot be read": (["", "22 1", "a b c d /nowhere-else - "], True, "/nowhere-else/state.db", ""),
}


@pytest.mark.parametrize("name", sorted(PLACES))
def test_place_remark_by_mounts(name: str) -> None:
    mounts, is_job_container, path, words = PLACES[name]
    remark = place_remark(Path(path), mounts="\n".join(mounts) + "\n", is_job_container=is_job_container)
    assert (words in remark) if words else not remark
    if remark:
        assert remark.startswith(f"The state database {path} is ")
        assert "Use PostgreSQL (managed_tokens_database: postgresql+psycopg://" in remark


def test_place_remark_goes_by_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/nfsmount/tokens")
    remark = place_remark(tmp_path / "link" / "state.db", mounts=f"{ROOT}\n{NFS}\n", is_job_container=False)
    assert "(nfs4, /nfsmount)" in remark


@pytest.mark.parametrize("mark", JOB_CONTAINER_MARKS)
def test_place_remark_knows_job_containers(monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    for name in JOB_CONTAINER_MARKS:
        monkeypatch.delenv(name, raising=False)
    assert place_remark(FILE, mounts=CONTAINER) == ""
    monkeypatch.setenv(mark, "x")
    assert "is inside this job's container" in place_remark(FILE, mounts=CONTAINER)


def test_place_remark_reads_the_mounts_of_this_process() -> None:
    # Whatever "/" is here, a path that no other mount holds is found on it.
    assert place_remark(FILE, is_job_container=True).startswith(f"The state database {FILE} is ")
    assert place_remark(Path("/proc/state.db"), is_job_container=True) == ""
