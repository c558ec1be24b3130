# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file is replaced whole, is for everybody to read, and nothing is left behind when it cannot be written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._last_run import write
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    bad_run,
    good_run,
    nasty_run,
)


def test_write_without_path_does_nothing() -> None:
    assert write(good_run(), "") == ""


def test_write_replaces_the_file_for_everybody_to_read(tmp_path: Path) -> None:
    path = tmp_path / "last_run.json"
    mask = os.umask(0o077)
    try:
        assert write(bad_run(), str(path)) == ""
        before = path.stat()
        assert write(good_run(), str(path), ()) == ""
    finally:
        os.umask(mask)
    assert json.loads(path.read_text(encoding="utf-8"))["verdict"] == "ok"
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.stat().st_ino != before.st_ino
    assert os.listdir(tmp_path) == ["last_run.json"]


def test_write_through_a_link_replaces_the_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "last_run.json").symlink_to(other)
    assert write(good_run(), str(tmp_path / "last_run.json")) == ""
    assert other.read_text() == "kept"


def test_write_hostile_texts_gives_one_line_of_json(tmp_path: Path) -> None:
    assert write(nasty_run(), str(tmp_path / "x")) == ""
    content = (tmp_path / "x").read_bytes()
    assert (content.count(b"\n"), CANARY.encode() in content) == (1, False)
    json.loads(content)


PROBLEMS: tuple[tuple[str, str], ...] = (
    ("missing/x", "its directory does not exist."),
    ("file/x", "its directory does not exist."),
    ("directory", "Is a directory."),
    ("n" * 300, "File name too long."),
    ("nul\0", "no file has such a name."),
)


@pytest.mark.parametrize(("name", "reason"), PROBLEMS)
def test_write_where_nothing_can_be_written_says_so_and_leaves_nothing(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    problem = write(good_run(), str(tmp_path / name))
    assert problem.startswith("The file ")
    assert problem.endswith(f" cannot be written: {reason}")
    assert sorted(os.listdir(tmp_path)) == ["directory", "file"]
