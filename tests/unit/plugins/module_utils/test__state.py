# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading changes nothing, writing is all or nothing, and whatever stands in the file's place is one sentence."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _state
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    StateUnavailable,
    StateUnusable,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import count_failures, setup_counters
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import holds_of_others
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import APPLICATION_ID
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at


def read(state: State) -> dict[str, int]:
    """Read something from each half of the database; give the UIDs."""
    with state.read() as db:
        assert holds_of_others(db, "r", now=0.0) == []
        return {name: known.uid for name, known in known_uids(db).items()}


def write(state: State, **uids: int) -> None:
    """Write UIDs."""
    with state.write() as db:
        store_uids(db, uids, [], now=1.0, source="a test")


def path_of(state: State) -> Path:
    assert state.location.path is not None
    return state.location.path


def test_open_state_of_the_empty_text_is_none() -> None:
    assert open_state("", "x", 1.0) is None


@pytest.mark.parametrize("timeout", [0.0, -1.0, 300.5, float("nan"), float("inf")])
def test_open_state_refuses_a_timeout_that_cannot_be_meant(timeout: float) -> None:
    with pytest.raises(BadInput, match=r"^managed_tokens_database_timeout is .*more than 0 and at most 300 seconds\.$"):
        open_state("/srv/state.db", "", timeout)


def test_open_state_touches_nothing(state: State) -> None:
    assert list(path_of(state).parent.iterdir()) == []
    assert state.label == str(path_of(state))


# -- nothing there yet ---------------------------------------------------------


def test_read_what_is_not_there_is_empty_and_stays_away(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    for path in (tmp_path / "missing.db", tmp_path / "no" / "directory" / "missing.db", tmp_path / "empty.db"):
        assert read(state_at(path)) == {}
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [("empty.db", 0)]


def test_write_makes_directory_and_file_for_the_running_user_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(state_at(tmp_path / "a" / "state.db"), dunepro=1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a" / "state.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["state.db"]


def test_write_takes_an_empty_file_and_leaves_its_mode(state: State) -> None:
    path_of(state).touch(mode=0o640)
    path_of(state).chmod(0o640)
    write(state, dunepro=1)
    assert read(state) == {"dunepro": 1}
    assert stat.S_IMODE(path_of(state).stat().st_mode) == 0o640


def test_write_goes_through_a_link_to_a_database(tmp_path: Path) -> None:
    write(state_at(tmp_path / "state.db"), dunepro=1)
    (tmp_path / "link.db").symlink_to("state.db")
    write(state_at(tmp_path / "link.db"), novapro=2)
    assert read(state_at(tmp_path / "state.db")) == {"dunepro": 1, "novapro": 2}


def test_read_of_a_file_that_has_none_of_the_tables_is_empty(state: State) -> None:
    with contextlib.closing(sqlite3.connect(path_of(state))) as db:
        db.execute("CREATE TABLE other (a)")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.commit()
    assert read(state) == {}
    write(state, dunepro=1)
    assert read(state) == {"dunepro": 1}


# -- something else is there ---------------------------------------------------------


def with_sql(*statements: str) -> t.Callable[[Path], None]:
    def run(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    return run


def of_a_newer_release(path: Path) -> None:
    write(state_at(path))
    with_sql("UPDATE mt_meta SET value = '2' WHERE name = 'version'")(path)


def damaged(path: Path) -> None:
    write(state_at(path), dunepro=1)
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))


OURS = f"PRAGMA application_id = {APPLICATION_ID}"
OBSTACLES: dict[str, tuple[t.Callable[[Path], object], type[TokensError], str]] = {
    "a text": (lambda path: path.write_text("no database " * 100), StateUnusable, "is not an SQLite database."),
    "a short text": (lambda path: path.write_text("no"), StateUnusable, "is not an SQLite database."),
    "a directory": (Path.mkdir, StateUnavailable, "cannot be opened, or its directory cannot be written."),
    "a link to nothing": (
        lambda path: path.symlink_to("/nowhere/x.db"),
        StateUnavailable,
        "cannot be opened, or its directory cannot be written.",
    ),
    "tables without an application": (
        with_sql("CREATE TABLE uids (a)"),
        StateUnusable,
        (
            "is an SQLite database of something else: its application_id is 0x00000000, "
            "that of managed tokens is 0x5da82553."
        ),
    ),
    "another application": (
        with_sql("PRAGMA application_id = -2", "CREATE TABLE t (a)"),
        StateUnusable,
        (
            "is an SQLite database of something else: its application_id is 0xfffffffe, "
            "that of managed tokens is 0x5da82553."
        ),
    ),
    "a newer Go service": (
        with_sql(OURS, "PRAGMA user_version = 2"),
        StateUnusable,
        "has version 2, and this release knows version 1.",
    ),
    "a newer release": (
        of_a_newer_release,
        StateUnusable,
        "was written by a newer release: its own tables have version 2, and this release knows version 1.",
    ),
    "a damaged one": (
        damaged,
        StateUnusable,
        "is damaged; restore it, or move it away to begin a new one.",
    ),
}


@pytest.mark.parametrize("use", [read, write])
@pytest.mark.parametrize("name", sorted(OBSTACLES))
def test_use_of_something_else_is_one_sentence_and_changes_nothing(
    state: State, name: str, use: t.Callable[[State], object]
) -> None:
    if name == "a link to nothing" and use is read:
        # What is not there reads as empty.
        path_of(state).symlink_to("/nowhere/x.db")
        assert read(state) == {}
        return
    make, expected, words = OBSTACLES[name]
    path = path_of(state)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(expected) as caught:
        use(state)
    assert caught.value.__class__ is expected
    assert caught.value.msg.endswith(f"{path} {words}")
    assert caught.value.msg.count("\n") == 0
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


PLACES: tuple[tuple[str, str], ...] = (
    ("/proc/nowhere/state.db", "cannot be made: No such file or directory."),
    ("/proc/self/status/state.db", "cannot be opened, or its directory cannot be written."),
)


def test_read_of_a_directory_of_no_size_is_one_sentence() -> None:
    # As all of /proc; some file systems have empty ones like that.
    assert Path("/proc/self").stat().st_size == 0
    with pytest.raises(StateUnavailable, match=r"^The state database /proc/self cannot be "):
        read(state_at(Path("/proc/self")))


@pytest.mark.parametrize(("place", "words"), PLACES)
def test_write_where_no_file_can_be_made_is_one_sentence(place: str, words: str) -> None:
    assert read(state_at(Path(place))) == {}
    with pytest.raises(StateUnavailable) as caught:
        write(state_at(Path(place)))
    assert caught.value.msg == f"The state database {place} {words}"


def test_read_only_file_is_read_and_not_written(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    write(state, dunepro=1)
    # As for another user than root, whom modes do not stop: the same mode of opening for reading and for writing.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    genuine = _state._sqlite
    monkeypatch.setattr(_state, "_sqlite", lambda path, timeout, is_write: genuine(path, timeout, is_write=False))
    assert read(state) == {"dunepro": 1}
    with pytest.raises(StateUnavailable) as caught:
        write(state, novapro=2)
    assert caught.value.msg == f"The state database {path_of(state)} cannot be written by the running user."
    assert read(state) == {"dunepro": 1}


# -- others are there ---------------------------------------------------------


@pytest.mark.parametrize("use", [read, write])
def test_use_while_another_program_has_a_lock_is_told_after_the_timeout(
    state: State, use: t.Callable[[State], object]
) -> None:
    write(state, dunepro=1)
    impatient = state_at(path_of(state), 0.05)
    with contextlib.closing(sqlite3.connect(path_of(state), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateUnavailable) as caught:
            use(impatient)
        other.execute("ROLLBACK")
    assert caught.value.msg == (
        f"The state database {path_of(state)} is locked by another program, for longer than 0.05 s."
    )
    assert caught.value.retryable
    use(impatient)


def test_write_whose_commit_waits_too_long_for_a_reader_is_undone(state: State) -> None:
    write(state, dunepro=1)
    with contextlib.closing(sqlite3.connect(path_of(state), isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM uids").fetchall()
        with pytest.raises(StateUnavailable, match="is locked by another program"):
            write(state_at(path_of(state), 0.05), novapro=2)
        other.execute("ROLLBACK")
    assert read(state) == {"dunepro": 1}


def test_read_goes_on_while_another_writes(state: State) -> None:
    write(state, dunepro=1)
    with state.write() as db:
        store_uids(db, {"novapro": 2}, [], now=1.0, source="a test")
        assert read(state) == {"dunepro": 1}
    assert read(state) == {"dunepro": 1, "novapro": 2}


def write_then_raise(state: State, error: type[BaseException]) -> None:
    with state.write() as db:
        store_uids(db, {"dunepro": 7, "novapro": 2}, [], now=1.0, source="a test")
        count_failures(db, [outcome(STORE, FAILED)])
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("is_new", [True, False])
def test_write_is_undone_by_any_exception(state: State, is_new: bool, error: type[BaseException]) -> None:
    if not is_new:
        write(state, dunepro=1)
        before = path_of(state).read_bytes()
    with pytest.raises(error):
        write_then_raise(state, error)
    if is_new:
        assert path_of(state).stat().st_size == 0
    else:
        assert path_of(state).read_bytes() == before
    assert [path.name for path in path_of(state).parent.iterdir()] == [path_of(state).name]
    write(state, novapro=3)
    assert read(state)["novapro"] == 3


def count_then_write(state: State, **uids: int) -> None:
    with state.write() as db:
        count_failures(db, [outcome(STORE, FAILED)])
        store_uids(db, uids, [], now=1.0, source="a test")


def test_write_error_of_the_database_undoes_all_of_it(state: State) -> None:
    write(state, dunepro=1)
    with pytest.raises(StateUnusable, match=r"failed: UNIQUE constraint failed: uids\.uid\.$"):
        count_then_write(state, novapro=1)
    with state.read() as db:
        assert not setup_counters(db)


WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import count_failures
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
state = open_state(sys.argv[1], "", 60.0)
number = int(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
with state.write() as db:
    store_uids(db, {f"account{number}": number + 1}, [], now=1.0, source="a test")
    count_failures(db, [Outcome("store", "failed", "x_y", "x_y", started=1.0)])
"""


def test_write_of_eight_processes_at_once_makes_one_database(state: State) -> None:
    collections = str(_state.__file__).partition("/ansible_collections/")[0]
    command = [sys.executable, "-c", WRITER, str(path_of(state))]
    writers = [
        subprocess.Popen(
            [*command, str(number), collections],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(8)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.close()
            writer.stdin = None
        assert [writer.communicate(timeout=120)[1] for writer in writers] == [b""] * 8
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert read(state) == {f"account{number}": number + 1 for number in range(8)}
    with state.read() as db:
        assert setup_counters(db) == {"x_y": 8}
