# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file on a node: looked at, decided on, replaced so that nobody ever sees half of it."""

from __future__ import annotations

import asyncio
import os
import typing as t
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _delivery as delivery
from ansible_collections.fife.managed_tokens.plugins.module_utils import _unfinished as unfinished
from ansible_collections.fife.managed_tokens.plugins.module_utils._delivery import Found, Step, Wanted
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokensError
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import OTHER_TOKEN, TOKEN
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_node import NodeFiles, transfer

UID = os.geteuid()
PATH = "/tmp/vt_u50100"
WANTED = Wanted(PATH, TOKEN, UID, "n1")
ABSENT = Wanted(PATH, None, UID, "n1")
UNKNOWN = Wanted(PATH, None, UID, "n1", is_unknown=True)
SAME = Found(True, True, False, UID, 0o400, TOKEN)

# What stands there, what is wanted, what has to happen.
STEPS: tuple[tuple[Found, Wanted, Step], ...] = (
    (Found(False), WANTED, Step.WRITE),
    (Found(False), ABSENT, Step.KEEP),
    (Found(False), UNKNOWN, Step.WRITE),
    (SAME, WANTED, Step.KEEP),
    (SAME, ABSENT, Step.REMOVE),
    (SAME, UNKNOWN, Step.WRITE),
    (Found(True, True, False, UID, 0o400, OTHER_TOKEN), WANTED, Step.WRITE),
    (Found(True, True, False, UID, 0o400, None), WANTED, Step.WRITE),
    (Found(True, True, False, UID, 0o600, TOKEN), WANTED, Step.WRITE),
    (Found(True, True, False, UID, 0o444, TOKEN), WANTED, Step.WRITE),
)


@pytest.mark.parametrize(("found", "wanted", "step"), STEPS)
def test_decide_compares_content_and_mode(found: Found, wanted: Wanted, step: Step) -> None:
    assert delivery.decide(found, wanted) is step


LINK = Found(True, False, True, UID, 0o777)
REFUSALS: tuple[tuple[Found, str], ...] = (
    (LINK, "destination_symlink"),
    (Found(True, False, True, UID + 1, 0o777), "destination_symlink"),
    (Found(True, False, False, UID, 0o755), "destination_foreign"),
    (Found(True, True, False, UID + 1, 0o400), "destination_foreign"),
    (Found(True, True, False, -1, 0o400), "destination_foreign"),
)


@pytest.mark.parametrize("wanted", [WANTED, ABSENT, UNKNOWN])
@pytest.mark.parametrize(("found", "kind"), REFUSALS)
def test_decide_what_is_not_the_accounts_own_plain_file_is_never_touched(
    found: Found, kind: str, wanted: Wanted
) -> None:
    with pytest.raises(TokensError, match=f"^{PATH} on n1 ") as caught:
        delivery.decide(found, wanted)
    assert caught.value.kind == kind


def test_describe_both_sides_say_the_same_of_the_same_and_never_the_content() -> None:
    assert delivery.describe(SAME) == delivery.describe_wanted(WANTED)
    assert delivery.describe(Found(False)) == delivery.describe_wanted(ABSENT) == "absent"
    assert delivery.describe_wanted(UNKNOWN).endswith("other content")
    assert "Canary" not in delivery.describe(SAME)


Work = t.Callable[[asyncssh.SFTPClient], t.Coroutine[t.Any, t.Any, t.Any]]


def with_node(root: Path, work: Work, base: type[NodeFiles] = NodeFiles) -> t.Any:
    """Give what `work` gives with a session to a node whose files stand below `root`."""

    async def main() -> t.Any:
        async with asyncio.timeout(20.0), transfer(root, base) as sftp:
            return await work(sftp)

    return asyncio.run(main())


def there(root: Path) -> Path:
    """Give the destination's place in the test's own file system."""
    (root / "tmp").mkdir(exist_ok=True)
    return root / "tmp" / "vt_u50100"


def put(root: Path, content: bytes, mode: int = 0o400) -> None:
    """Put a file at the destination."""
    there(root).write_bytes(content)
    there(root).chmod(mode)


def look(root: Path, wanted: Wanted = WANTED, base: type[NodeFiles] = NodeFiles) -> Found:
    """Look at the destination on the node."""
    found: Found = with_node(root, lambda sftp: delivery.look(sftp, wanted), base)
    return found


def test_look_nothing_there(tmp_path: Path) -> None:
    assert look(tmp_path) == Found(False)


def test_look_reads_the_content_only_if_everything_else_is_right(tmp_path: Path) -> None:
    put(tmp_path, TOKEN)
    assert look(tmp_path) == SAME
    assert look(tmp_path, ABSENT).content is None
    put_again = there(tmp_path)
    put_again.chmod(0o600)
    assert look(tmp_path) == Found(True, True, False, UID, 0o600, None)
    put_again.chmod(0o400)
    assert look(tmp_path, Wanted(PATH, TOKEN + b"x", UID, "n1")).content is None
    assert look(tmp_path, Wanted(PATH, TOKEN, UID + 1, "n1")).content is None


def test_look_link_and_directory_are_told_and_not_followed(tmp_path: Path) -> None:
    there(tmp_path).symlink_to("/etc/passwd")
    assert (look(tmp_path).is_link, look(tmp_path).content) == (True, None)
    there(tmp_path).unlink()
    there(tmp_path).mkdir()
    assert (look(tmp_path).exists, look(tmp_path).is_file) == (True, False)


class Foreign(NodeFiles):
    """Say that everything belongs to somebody else."""

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        found = t.cast("os.stat_result", super().lstat(path))
        return asyncssh.SFTPAttrs(size=found.st_size, uid=UID + 1, gid=0, permissions=found.st_mode)


def test_look_somebody_elses_file_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, TOKEN)
    assert look(tmp_path, base=Foreign) == Found(True, True, False, UID + 1, 0o400, None)


class Sealed(NodeFiles):
    """Refuse to say anything."""

    def lstat(self, path: bytes) -> t.NoReturn:
        raise asyncssh.SFTPPermissionDenied("no")


def test_look_refused_is_an_error_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match=f"^{PATH} on n1 cannot be looked at: permission denied.$"):
        look(tmp_path, base=Sealed)


def apply(root: Path, step: Step = Step.WRITE, wanted: Wanted = WANTED, base: type[NodeFiles] = NodeFiles) -> None:
    """Do what was decided on the node."""
    with_node(root, lambda sftp: delivery.apply(sftp, wanted, step), base)


@pytest.mark.parametrize("before", [None, OTHER_TOKEN])
def test_apply_write_puts_the_token_there_for_its_owner_alone(tmp_path: Path, before: bytes | None) -> None:
    if before is not None:
        put(tmp_path, before)
    apply(tmp_path)
    assert there(tmp_path).read_bytes() == TOKEN
    assert there(tmp_path).stat().st_mode & 0o7777 == 0o400
    assert [path.name for path in there(tmp_path).parent.iterdir()] == ["vt_u50100"]


def test_apply_write_reader_of_the_old_file_keeps_it_whole(tmp_path: Path) -> None:
    put(tmp_path, OTHER_TOKEN)
    with there(tmp_path).open("rb") as reader:
        apply(tmp_path)
        assert reader.read() == OTHER_TOKEN


@pytest.mark.parametrize("before", [None, TOKEN])
def test_apply_remove_leaves_nothing_also_if_nothing_was_there(tmp_path: Path, before: bytes | None) -> None:
    if before is not None:
        put(tmp_path, before)
    apply(tmp_path, Step.REMOVE, ABSENT)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_apply_keep_and_unknown_content_touch_nothing(tmp_path: Path) -> None:
    apply(tmp_path, Step.KEEP)
    apply(tmp_path, Step.WRITE, UNKNOWN)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_look_and_remove_what_a_killed_run_left_goes_with_the_file(tmp_path: Path) -> None:
    half = there(tmp_path).parent / ".vt_u50100.managed-tokens.tmp"
    half.write_bytes(b"half")
    found = look(tmp_path, ABSENT)
    assert (found.exists, found.leftovers) == (False, ("/tmp/.vt_u50100.managed-tokens.tmp",))
    assert delivery.decide(found, ABSENT) is Step.REMOVE
    assert delivery.describe(found) == "absent, 1 unfinished beside it"
    put(tmp_path, TOKEN)
    with_node(tmp_path, lambda sftp: delivery.apply(sftp, ABSENT, Step.REMOVE, found.leftovers))
    assert look(tmp_path, ABSENT) == Found(False)
    assert list(half.parent.iterdir()) == []


class Full(NodeFiles):
    """Have no room."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        raise asyncssh.SFTPFailure("Failure")

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        return asyncssh.SFTPVFSAttrs(bavail=0, files=0)


class Unwritable(NodeFiles):
    """Refuse new files."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> t.NoReturn:
        raise asyncssh.SFTPPermissionDenied("no")


class WithoutRename(NodeFiles):
    """Not know posix-rename."""

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> t.NoReturn:
        raise asyncssh.SFTPOpUnsupported("no")


class OtherUid(NodeFiles):
    """Let the account have another UID than configured."""

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(uid=UID + 7, gid=0, permissions=0o100600, size=0)


class OwnMode(NodeFiles):
    """Give every new file a mode of the server's own choice."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        return super().open(path, pflags, asyncssh.SFTPAttrs(permissions=0o644))


class Meddled(NodeFiles):
    """Have another program that makes its own file of the new one at once."""

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().posix_rename(oldpath, newpath)
        os.chmod(self.map_path(newpath), 0o644)


class Breaking(NodeFiles):
    """Lose the connection in the middle."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self.channel.get_connection().abort()
        return len(data)


FAILURES: tuple[tuple[type[NodeFiles], str, str], ...] = (
    (Full, "destination_unwritable", f"{PATH} on n1 cannot be replaced: no space left on its file system."),
    (Unwritable, "destination_unwritable", f"{PATH} on n1 cannot be replaced: permission denied."),
    (WithoutRename, "destination_unwritable", "the node's sftp server cannot rename a file over another."),
    (
        OtherUid,
        "uid_mismatch",
        f"The account has UID {UID + 7} on n1, not {UID} as configured; {PATH} was not written.",
    ),
    (Breaking, "connection_broken", f"The ssh connection broke while {PATH} on n1 was being replaced."),
)


@pytest.mark.parametrize(("base", "kind", "words"), FAILURES)
def test_apply_failed_write_keeps_the_old_file_and_says_why(
    tmp_path: Path, base: type[NodeFiles], kind: str, words: str
) -> None:
    put(tmp_path, OTHER_TOKEN)
    with pytest.raises(TokensError) as caught:
        apply(tmp_path, base=base)
    assert caught.value.kind == kind
    assert words in caught.value.msg
    assert there(tmp_path).read_bytes() == OTHER_TOKEN
    # Over a broken connection nobody can tidy up; the next run does.
    left = [path.name for path in there(tmp_path).parent.iterdir() if path != there(tmp_path)]
    assert left == ([".vt_u50100.managed-tokens.tmp"] if base is Breaking else [])


def test_apply_new_file_is_private_from_its_first_moment_and_whatever_the_server_thinks(tmp_path: Path) -> None:
    modes: list[int] = []

    class Watched(NodeFiles):
        def fsync(self, file_obj: object) -> None:
            modes.append(os.fstat(t.cast("t.Any", file_obj).fileno()).st_mode & 0o777)

    apply(tmp_path, base=Watched)
    assert modes == [0o400]
    there(tmp_path).unlink()
    apply(tmp_path, base=OwnMode)
    assert there(tmp_path).stat().st_mode & 0o777 == 0o400


def test_apply_write_that_another_program_spoilt_is_told(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match="another program writes it too"):
        apply(tmp_path, base=Meddled)


def test_apply_write_without_its_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(TokensError, match=r"^/nowhere/x on n1 cannot be replaced: its directory does not exist.$"):
        apply(tmp_path, wanted=Wanted("/nowhere/x", TOKEN, UID, "n1"))


class Stuck(NodeFiles):
    """Not finish a write before it is let go on."""

    started: t.ClassVar[asyncio.Event]
    released: t.ClassVar[asyncio.Event]

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self.started.set()
        await self.released.wait()
        return len(data)


def test_apply_cancelled_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "CLEAN_UP_S", 0.05)
    put(tmp_path, OTHER_TOKEN)

    async def work(sftp: asyncssh.SFTPClient) -> None:
        Stuck.started, Stuck.released = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(delivery.apply(sftp, WANTED, Step.WRITE))
        await Stuck.started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        Stuck.released.set()

    with_node(tmp_path, work, Stuck)
    assert there(tmp_path).read_bytes() == OTHER_TOKEN
    assert [path.name for path in there(tmp_path).parent.iterdir()] == ["vt_u50100"]


class SlowToOpen(NodeFiles):
    """Make a new file at once, and say so only when it is let go on."""

    started: t.ClassVar[asyncio.Event]
    released: t.ClassVar[asyncio.Event]

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        made = super().open(path, pflags, attrs)
        self.started.set()
        await self.released.wait()
        return made


def test_apply_cancelled_while_the_server_makes_the_file_leaves_none(tmp_path: Path) -> None:
    put(tmp_path, OTHER_TOKEN)

    async def work(sftp: asyncssh.SFTPClient) -> None:
        SlowToOpen.started, SlowToOpen.released = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(delivery.apply(sftp, WANTED, Step.WRITE))
        await SlowToOpen.started.wait()
        assert len(list(there(tmp_path).parent.iterdir())) == 2
        task.cancel()
        await asyncio.sleep(0)
        SlowToOpen.released.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    with_node(tmp_path, work, SlowToOpen)
    assert [path.name for path in there(tmp_path).parent.iterdir()] == ["vt_u50100"]
