# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's private directory and working files go when the run goes, whatever ended it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _guardian
from ansible_collections.fife.managed_tokens.plugins.module_utils._guardian import (
    make_run_directory,
    remove_run,
    working_id,
)

LOAD = f"""
import importlib.util, os, sys, time
found = importlib.util.spec_from_file_location("guardian", {str(_guardian.__file__)!r})
guardian = importlib.util.module_from_spec(found)
found.loader.exec_module(guardian)
from pathlib import Path
guardian.WORKING_DIRECTORY = Path(sys.argv[1])
"""


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the storer's working directory and the runtime directory into the test's own."""
    monkeypatch.setattr(_guardian, "WORKING_DIRECTORY", tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def new_run(working: Path) -> tuple[str, Path, list[Path]]:
    """Give the ID, the directory and the files in the working directory of a run."""
    run_id = uuid.uuid4().hex[:12]
    directory = make_run_directory(run_id)
    (directory / "krb5cc_x").write_bytes(b"ticket")
    names = [
        f"vt_{working_id(run_id, '3a')}",
        f"vt_{working_id(run_id, '3a')}-dune_production",
        f"bt_{working_id(run_id, '12')}",
    ]
    files = [working / name for name in names]
    for file in files:
        file.write_bytes(b"token")
    return run_id, directory, files


def test_make_run_directory_is_private_and_cannot_be_guessed(working: Path) -> None:
    one, other = make_run_directory("abc"), make_run_directory("abc")
    assert one != other
    assert one.stat().st_mode & 0o777 == 0o700
    assert one.parent == working


@pytest.mark.parametrize("runtime", ["nowhere", None])
def test_make_run_directory_without_a_runtime_directory_uses_the_temporary_one(
    working: Path, monkeypatch: pytest.MonkeyPatch, runtime: str | None
) -> None:
    # Also where others of the same user have one: theirs goes when they log out.
    if runtime is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        monkeypatch.setattr(os, "access", lambda *_what: True)
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(working / runtime))
    monkeypatch.setattr(tempfile, "tempdir", str(working))
    assert make_run_directory("abc").parent == working


def test_remove_run_removes_its_own_and_nothing_else(working: Path) -> None:
    run_id, directory, files = new_run(working)
    _other_id, other_directory, other_files = new_run(working)
    stranger = working / "vt_u50100-dune_production"
    stranger.write_bytes(b"token")
    remove_run(str(directory), run_id)
    remove_run(str(directory), run_id)
    assert not any(path.exists() for path in (directory, *files))
    assert all(path.exists() for path in (other_directory, *other_files, stranger))


@pytest.mark.parametrize("directory", ["", "/", "/etc", "relative"])
def test_remove_run_never_removes_a_directory_that_is_not_a_runs(
    working: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    removed: list[object] = []
    monkeypatch.setattr(shutil, "rmtree", lambda path, **_options: removed.append(path))
    remove_run(directory, "abc")
    remove_run(str(working / "managed-tokens-other-x"), "abc")
    assert removed == []


def test_remove_run_link_in_place_of_the_directory_is_not_followed(working: Path) -> None:
    (working / "precious").mkdir()
    (working / "precious" / "file").write_bytes(b"x")
    (working / "managed-tokens-abc-x").symlink_to(working / "precious")
    remove_run(str(working / "managed-tokens-abc-x"), "abc")
    assert (working / "precious" / "file").exists()


def appears(is_so: t.Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()


def guardians(directory: Path) -> list[int]:
    """List the processes named like guardians whose run has this directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "comm").read_text(encoding="utf-8") == "mt-guardian\n" and str(directory).encode() in (
                entry / "cmdline"
            ).read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def owner_with_guardian(working: Path, run_id: str, directory: Path, life_s: float = 600.0) -> subprocess.Popen[bytes]:
    """Start a process that owns the run and has started its guardian."""
    source = f"""{LOAD}
guardian.MARGIN_S = 0.0
guardian.watch({str(directory)!r}, {run_id!r}, os.getpid(), time.time() + {life_s})
print("watched", flush=True)
time.sleep(600)
"""
    program = subprocess.Popen([sys.executable, "-ISc", source, str(working), str(directory)], stdout=subprocess.PIPE)
    assert program.stdout is not None
    assert program.stdout.readline() == b"watched\n"
    return program


def test_watch_owner_killed_everything_of_the_run_goes_and_nothing_else(working: Path) -> None:
    run_id, directory, files = new_run(working)
    _other_id, other_directory, other_files = new_run(working)
    owner = owner_with_guardian(working, run_id, directory)
    try:
        assert appears(lambda: bool(guardians(directory)))
        assert directory.exists()
        owner.kill()
        owner.wait()
        assert appears(lambda: not any(path.exists() for path in (directory, *files)))
        # What a storer that was just being ended writes late goes too.
        files[0].write_bytes(b"late")
        assert appears(lambda: not files[0].exists())
        assert appears(lambda: not guardians(directory))
        assert all(path.exists() for path in (other_directory, *other_files))
    finally:
        owner.kill()
        owner.communicate()


def test_watch_run_over_its_time_everything_goes_although_the_owner_lives(working: Path) -> None:
    run_id, directory, files = new_run(working)
    owner = owner_with_guardian(working, run_id, directory, life_s=0.2)
    try:
        assert appears(lambda: not any(path.exists() for path in (directory, *files)))
        assert owner.poll() is None
    finally:
        owner.kill()
        owner.communicate()


def test_watch_holds_nothing_of_the_caller_open(working: Path) -> None:
    """Whoever waits for the end of the playbook's output must not wait for the guardian."""
    run_id, directory, _files = new_run(working)
    owner = owner_with_guardian(working, run_id, directory)
    try:
        assert appears(lambda: bool(guardians(directory)))
        (pid,) = guardians(directory)
        assert os.getsid(pid) not in (os.getsid(0), owner.pid)
        handles = {os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()}
        assert not any(handle.startswith("pipe:") for handle in handles)
    finally:
        owner.kill()
        owner.communicate()
