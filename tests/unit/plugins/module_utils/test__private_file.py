# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small secret files: never readable by others, never half written, never through a link."""

from __future__ import annotations

import builtins
import errno
import io
import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import (
    SIZE_LIMIT,
    create_private,
    ensure_private_directory,
    read_private,
    replace_private,
)


def mode_of(path: Path) -> int:
    """Give the permission bits."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(autouse=True)
def open_umask() -> t.Iterator[None]:
    """Prove the modes under the worst umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_read_private_gives_the_content_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert read_private(tmp_path / "a") == b"x"
    assert read_private(tmp_path / "b") is None


def make_link(path: Path) -> None:
    (path.parent / "target").write_bytes(b"x")
    path.symlink_to("target")


def make_large(path: Path) -> None:
    path.write_bytes(b"x" * (SIZE_LIMIT + 1))


OBSTACLES: tuple[tuple[t.Callable[[Path], object], str], ...] = (
    (make_link, "Cannot read "),
    (lambda path: path.symlink_to("/nowhere"), "Cannot read "),
    (lambda path: path.mkdir(), "is not a plain file"),
    (os.mkfifo, "is not a plain file"),
    (make_large, "is larger than 65536 bytes"),
)


@pytest.mark.parametrize(("obstacle", "words"), OBSTACLES)
def test_read_private_of_anything_but_a_small_plain_file_is_a_bad_file(
    tmp_path: Path, obstacle: t.Callable[[Path], object], words: str
) -> None:
    obstacle(tmp_path / "a")
    with pytest.raises(BadFile, match=words):
        read_private(tmp_path / "a")


def test_read_private_of_somebody_elses_file_is_a_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"x")
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(BadFile, match=f"owner UID {owner}"):
        read_private(tmp_path / "a")


def test_read_private_takes_no_more_memory_than_the_file_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    asked: list[int] = []

    class Watched(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return super().read(size) or b""

    monkeypatch.setattr(builtins, "open", lambda handle, _mode, **options: Watched(handle, **options))
    assert read_private(tmp_path / "file", 1 << 40) == b"abc"
    assert asked == [4]


def test_read_private_of_a_file_that_grows_is_a_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    look = os.fstat

    def look_and_let_grow(handle: int) -> os.stat_result:
        found = look(handle)
        with path.open("ab") as file:
            file.write(b"d")
        return found

    monkeypatch.setattr(os, "fstat", look_and_let_grow)
    with pytest.raises(BadFile, match="grew while it was being read"):
        read_private(path)


def test_create_private_makes_a_file_for_nobody_else(tmp_path: Path) -> None:
    create_private(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    assert mode_of(tmp_path / "a") == 0o600


def test_create_private_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    os.umask(0o777)
    create_private(tmp_path / "a", b"x")
    assert mode_of(tmp_path / "a") == 0o600


def test_create_private_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to("elsewhere")
    for name in ("a", "link"):
        with pytest.raises(BadFile, match=r"^Cannot create .*File exists"):
            create_private(tmp_path / name, b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert not (tmp_path / "elsewhere").exists()


def full(_handle: int) -> t.NoReturn:
    raise OSError(28, "No space left on device")


def test_create_private_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadFile, match="No space left on device"):
        create_private(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []


def test_replace_private_puts_the_new_in_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o644)
    replace_private(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert mode_of(tmp_path / "a") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_replace_private_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "a").symlink_to("target")
    replace_private(tmp_path / "a", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "a").is_symlink()


def test_replace_private_failed_write_keeps_the_old_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadFile):
        replace_private(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_replace_private_failed_rename_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(BadFile, match=r"^Cannot replace "):
        replace_private(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_ensure_private_directory_makes_it_and_tightens_what_is_ours(tmp_path: Path) -> None:
    ensure_private_directory(tmp_path / "a" / "b")
    assert mode_of(tmp_path / "a" / "b") == 0o700
    (tmp_path / "a" / "b").chmod(0o775)
    ensure_private_directory(tmp_path / "a" / "b")
    assert mode_of(tmp_path / "a" / "b") == 0o700


def test_ensure_private_directory_of_a_file_or_of_somebody_else_is_a_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(BadFile, match=r"^Cannot make the directory "):
        ensure_private_directory(tmp_path / "a")
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(BadFile, match=f"belongs to UID {owner}"):
        ensure_private_directory(tmp_path)


def test_ensure_private_directory_that_cannot_be_closed_is_a_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o770)

    def refuse(*_arguments: object) -> t.NoReturn:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "chmod", refuse)
    with pytest.raises(BadFile, match=r"^Cannot close the directory .* to others .*: Read-only file system\.$"):
        ensure_private_directory(tmp_path)
