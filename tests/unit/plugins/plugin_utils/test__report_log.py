# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log grows by whole lines, survives rotation, and says in one sentence when it cannot be written."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STAGES
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_log import write
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    bad_run,
    delivery,
    good_run,
    many_failures,
    nasty_run,
)


def settings(path: Path) -> ReportSettings:
    return ReportSettings(log_file=str(path))


def events(path: Path) -> list[str]:
    """Give what the file's lines tell of."""
    return [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_write_without_file_does_nothing() -> None:
    assert write(good_run(), ReportSettings()) == ""


def test_write_appends_the_run(tmp_path: Path) -> None:
    path = tmp_path / "log"
    mask = os.umask(0o077)
    try:
        assert write(bad_run(), settings(path), [delivery()]) == ""
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o600)
    assert write(good_run(), settings(path)) == ""
    assert events(path) == ["outcome", "outcome", "run", "message", "run"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_write_after_rotation_makes_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write(good_run(), settings(path))
    path.rename(tmp_path / "log.1")
    assert write(good_run(), settings(path)) == ""
    assert (events(path), events(tmp_path / "log.1")) == (["run"], ["run"])


def test_write_after_half_a_line_begins_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"event": "ru')
    assert write(good_run(), settings(path)) == ""
    half, whole = path.read_text().splitlines()
    assert (half, json.loads(whole)["event"]) == ('{"event": "ru', "run")


def test_write_is_one_call_for_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = os.write

    def counted(handle: int, content: bytes) -> int:
        sizes.append(len(content))
        return real(handle, content)

    monkeypatch.setattr(os, "write", counted)
    assert write(many_failures(3000), settings(tmp_path / "log")) == ""
    assert sizes == [(tmp_path / "log").stat().st_size]


def test_write_of_runs_that_end_together_keeps_their_lines_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    threads = [threading.Thread(target=write, args=(many_failures(200), settings(path))) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events(path) == [*["outcome"] * 200, "run"] * 6


def test_write_through_a_link_makes_the_file_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "disk")
    assert write(good_run(), settings(tmp_path / "log")) == ""
    assert events(tmp_path / "disk") == ["run"]


def test_write_hostile_texts_keeps_one_line_for_each(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert write(nasty_run(), settings(path), [delivery(CANARY)]) == ""
    assert sorted(events(path)) == ["message", *["outcome"] * len(STAGES), "refusal", "run"]
    assert CANARY not in path.read_text(encoding="utf-8")


PROBLEMS: tuple[tuple[str, str], ...] = (
    ("missing/log", "its directory does not exist."),
    ("file/log", "its directory does not exist."),
    ("directory", "Is a directory."),
    ("pipe", "it is no plain file."),
    ("n" * 300, "File name too long."),
    ("nul\0", "no file has such a name."),
)


@pytest.mark.parametrize(("name", "reason"), PROBLEMS)
def test_write_where_no_log_can_be_says_so(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    problem = write(good_run(), settings(tmp_path / name))
    assert problem.startswith("The log ")
    assert problem.endswith(f" cannot be written: {reason}")
