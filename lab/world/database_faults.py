# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the state database: the SQLite file, or the PostgreSQL server."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

from world import postgres
from world.accounts import own_by_service_account
from world.fault_words import Pair, seconds
from world.layout import PATHS, SERVICE_ACCOUNT
from world.namespaces import WorldError

DATABASE = Path(PATHS["database"])
# What mending needs to know stands beside the state and not in it: the directory of the state is part of what breaks.
HOLDER = Path("/srv/lab/database-locked.pid")
OWNERS = Path("/srv/lab/database-readonly.json")
AWAY = Path("/srv/lab/database-garbage.away")
GARBAGE = "This was a database once.\n" * 100
HOLD = """\
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def _lock(words: list[str]) -> None:
    """Let another process of the service account hold the lock, and return when it does."""
    duration = seconds("database-locked", words[0])
    if not DATABASE.exists():
        raise WorldError(f"There is no {DATABASE} yet, so nobody can lock it.")
    if _holder():
        raise WorldError("The state database is locked already; heal database-locked first.")
    user = [f"--reuid={SERVICE_ACCOUNT}", f"--regid={SERVICE_ACCOUNT}", "--clear-groups"]
    child = subprocess.Popen(
        ["setpriv", *user, "/usr/bin/python3", "-c", HOLD, str(DATABASE), str(duration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    if child.stdout is None or child.stdout.readline() != "held\n":
        raise WorldError("The state database cannot be locked: somebody else has locked it, or it is none.")
    HOLDER.write_text(str(child.pid))


def _unlock(_words: list[str]) -> None:
    pid = _holder()
    HOLDER.unlink(missing_ok=True)
    if not pid:
        return
    # The lock is gone when the process is, which is no child of this one.
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])


def _holder() -> int:
    """Give the PID of the process that holds the lock; 0 when its time is over."""
    with contextlib.suppress(FileNotFoundError):
        pid = int(HOLDER.read_text())
        if HOLD.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return 0


def _forbid_writing(_words: list[str]) -> None:
    """Take the file, what SQLite keeps beside it, and the directory from the service account, which may still read."""
    directory = DATABASE.parent
    taken = [directory, *directory.glob(f"{DATABASE.name}*")]
    looks = [(path, path.stat()) for path in taken]
    OWNERS.write_text(
        json.dumps([[str(path), look.st_uid, look.st_gid, look.st_mode & 0o7777] for path, look in looks])
    )
    for path in taken:
        os.chown(path, 0, 0)
        path.chmod(0o555 if path.is_dir() else 0o444)


def _allow_writing(_words: list[str]) -> None:
    for path, uid, gid, mode in json.loads(OWNERS.read_text()):
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, uid, gid)
            os.chmod(path, mode)
    OWNERS.unlink()


def _spoil(_words: list[str]) -> None:
    """Replace the content only: owner and mode may be another fault's."""
    if DATABASE.exists():
        AWAY.touch(mode=0o600)
        shutil.copyfile(DATABASE, AWAY)
    _make_sure_of_the_file()
    DATABASE.write_text(GARBAGE)


def _restore(_words: list[str]) -> None:
    if AWAY.exists():
        _make_sure_of_the_file()
        shutil.copyfile(AWAY, DATABASE)
        AWAY.unlink()
    else:
        DATABASE.unlink(missing_ok=True)


def _make_sure_of_the_file() -> None:
    if not DATABASE.exists():
        DATABASE.touch(mode=0o600)
        own_by_service_account(DATABASE, 0o600)


LOCKED: Pair = (_lock, _unlock)
READONLY: Pair = (_forbid_writing, _allow_writing)
GARBAGE_INSIDE: Pair = (_spoil, _restore)
DOWN: Pair = (lambda _words: postgres.stop(), lambda _words: postgres.resume())
