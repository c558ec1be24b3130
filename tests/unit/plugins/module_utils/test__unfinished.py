# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed run leaves on a node is found again, and nobody else's file is taken for it."""

from __future__ import annotations

import asyncio
import os
import time
import typing as t
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _unfinished as unfinished
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_node import NodeFiles, transfer

UID = os.geteuid()
PATH = "/tmp/vt_u50100"
FIXED = ".vt_u50100.managed-tokens.tmp"
RANDOM = ".vt_u50100.0123456789abcdef.tmp"
HOUR = 3600.0


class Slow(NodeFiles):
    """Have a clock that is three hours behind."""

    def _behind(self, found: asyncssh.SFTPAttrs) -> asyncssh.SFTPAttrs:
        found.mtime = (found.mtime or 0) - int(3 * HOUR)
        return found

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self._behind(asyncssh.SFTPAttrs.from_local(t.cast("os.stat_result", super().lstat(path))))

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        return self._behind(asyncssh.SFTPAttrs.from_local(t.cast("os.stat_result", super().fstat(file_obj))))


class Unlisted(NodeFiles):
    """Not let anybody list a directory."""

    def scandir(self, path: bytes) -> t.NoReturn:
        raise asyncssh.SFTPPermissionDenied("no")


def on_node(root: Path, work: t.Callable[[asyncssh.SFTPClient], t.Awaitable[t.Any]], base: type[NodeFiles]) -> t.Any:
    """Give what `work` gives with a session to a node whose files stand below `root`."""

    async def main() -> t.Any:
        async with asyncio.timeout(20.0), transfer(root, base) as sftp:
            return await work(sftp)

    return asyncio.run(main())


def created(root: Path, base: type[NodeFiles] = NodeFiles) -> str:
    """Make a file, write to it, and give its name."""

    async def work(sftp: asyncssh.SFTPClient) -> str:
        path, file = await unfinished.create(sftp, PATH, UID)
        await file.write(b"whole")
        await file.close()
        return path

    name: str = on_node(root, work, base)
    assert (root / name.lstrip("/")).read_bytes() == b"whole"
    assert (root / name.lstrip("/")).stat().st_mode & 0o7777 == 0o400
    return Path(name).name


def put(root: Path, name: str, age: float = 0.0) -> Path:
    """Put a file of this age in seconds into the node's /tmp."""
    path = root / "tmp" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_create_takes_the_fixed_name_when_it_is_free(tmp_path: Path) -> None:
    assert created(tmp_path) == FIXED


@pytest.mark.parametrize("base", [NodeFiles, Slow])
@pytest.mark.parametrize(("age", "stays"), [(10.0, True), (0.9 * HOUR, True), (1.1 * HOUR, False), (-HOUR, True)])
def test_create_leftover_goes_when_it_is_old_by_the_nodes_own_clock(
    tmp_path: Path, base: type[NodeFiles], age: float, stays: bool
) -> None:
    path = put(tmp_path, FIXED, age)
    name = created(tmp_path, base)
    assert name not in (FIXED, RANDOM)
    assert path.exists() is stays
    assert not stays or path.read_bytes() == b"half"


def test_create_link_at_the_fixed_name_is_neither_followed_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    trap = tmp_path / "tmp" / FIXED
    trap.symlink_to("/tmp/trap")
    os.utime(trap, (time.time() - 2 * HOUR,) * 2, follow_symlinks=False)
    assert created(tmp_path) != FIXED
    assert trap.is_symlink()
    assert not (tmp_path / "tmp" / "trap").exists()


def find(root: Path, uid: int = UID, base: type[NodeFiles] = NodeFiles) -> tuple[str, ...]:
    """Look for what killed runs left beside PATH."""
    found: tuple[str, ...] = on_node(root, lambda sftp: unfinished.find(sftp, PATH, uid), base)
    return found


def test_find_both_names_and_nothing_that_only_looks_like_them(tmp_path: Path) -> None:
    for name in (
        FIXED,
        RANDOM,
        "vt_u50100",
        ".vt_u50100.tmp",
        ".vt_u50100.0123.tmp",
        ".vt_u50100-dune_production.managed-tokens.tmp",
        ".vt_u501001.managed-tokens.tmp",
        f"{FIXED}.bak",
    ):
        put(tmp_path, name)
    (tmp_path / "tmp" / ".vt_u50100.fedcba9876543210.tmp").symlink_to("/etc/passwd")
    with open(os.fsencode(tmp_path / "tmp") + b"/\xff\xfe", "wb"):
        pass
    assert find(tmp_path) == (f"/tmp/{RANDOM}", f"/tmp/{FIXED}")
    assert find(tmp_path, UID + 1) == ()


def test_find_nothing_where_nothing_is_or_may_be_seen(tmp_path: Path) -> None:
    assert find(tmp_path) == ()
    put(tmp_path, FIXED)
    assert find(tmp_path, base=Unlisted) == ()
