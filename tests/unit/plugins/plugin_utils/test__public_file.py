# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file for others is replaced whole or not at all, and readable for them whatever the umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._public_file import replace_public


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_replace_public_is_readable_by_everybody_and_leaves_nothing_else(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o600)
    before = os.umask(umask)
    try:
        replace_public(path, b"new")
    finally:
        os.umask(before)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o644)
    assert os.listdir(tmp_path) == ["x"]


def test_replace_public_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "x").symlink_to("target")
    replace_public(tmp_path / "x", b"new")
    assert ((tmp_path / "target").read_text(), (tmp_path / "x").is_symlink()) == ("old", False)


def test_replace_public_that_fails_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "x").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_public(tmp_path / "x", b"new")
    assert ((tmp_path / "x").read_text(), os.listdir(tmp_path)) == ("old", ["x"])


@pytest.mark.parametrize(("name", "error"), [("no/x", FileNotFoundError), ("x\0y", ValueError)])
def test_replace_public_raises_for_what_cannot_be(tmp_path: Path, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        replace_public(tmp_path / name, b"new")
