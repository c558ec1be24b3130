# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Make sure that a run's private directory is removed, whatever happens to the run.

The directory holds Kerberos tickets and staged tokens and lives as long as the whole run, while each stage is a
process of its own. So a small detached process waits for the end of the process that owns the run (also by SIGKILL,
or by running over its time) and then removes the directory and the working files that the storer keeps in /tmp under
names of this run.
"""

from __future__ import annotations

import contextlib
import ctypes
import glob
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path

WORKING_DIRECTORY = Path("/tmp")  # condor_vault_storer knows no other place
MARGIN_S = 60.0
PR_SET_NAME = 15


def working_id(run_id: str, mark: str = "") -> str:
    """Give the storer's ID for one of its runs, which has that `mark`: its working files in /tmp are named after it.

    Without a mark, what the IDs of all of them begin with.
    """
    return f"mt{run_id}x{mark}"


def make_run_directory(run_id: str) -> Path:
    """Make the private directory (0700, unpredictable name) of a run, in the session's runtime directory if there is
    one.

    Raises: OSError when neither that nor the temporary directory takes it.
    """
    # Not /run/user/UID by itself: without a session of its own the run would lose it when somebody else's ends.
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = runtime if runtime and os.access(runtime, os.W_OK | os.X_OK) else None
    return Path(tempfile.mkdtemp(prefix=f"managed-tokens-{run_id}-", dir=base))


def remove_run(directory: str, run_id: str) -> None:
    """Remove everything of the run from this machine; what is gone already is fine."""
    for leftover in glob.glob(str(WORKING_DIRECTORY / f"*t_{glob.escape(working_id(run_id))}*")):
        with contextlib.suppress(OSError):
            os.unlink(leftover)
    if directory and Path(directory).name.startswith(f"managed-tokens-{run_id}-"):
        shutil.rmtree(directory, ignore_errors=True)


def watch(directory: str, run_id: str, owner: int | None, deadline: float) -> None:
    """Start the guardian: it removes the run's files when process `owner` has ended, or a minute after `deadline`
    (seconds since the epoch).

    Without `owner` only the deadline counts. Returns at once; the guardian is no child of the caller.
    """
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        _detach()
        _wait(directory, owner, deadline + MARGIN_S)
        remove_run(directory, run_id)
        # A storer that was just being ended may write its files after the first sweep.
        time.sleep(1.0)
        remove_run(directory, run_id)
    finally:
        os._exit(0)


def _detach() -> None:
    # A terminal's Ctrl-C and a unit's stop signal are meant for the run; its guardian goes when the run has gone.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.closerange(3, max(256, *(int(name) + 1 for name in os.listdir("/proc/self/fd"))))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"mt-guardian", 0, 0, 0)


def _wait(directory: str, owner: int | None, until: float) -> None:
    ended = _end_of(owner)
    while os.path.isdir(directory):
        left = until - time.time()
        if left <= 0:
            return
        # The directory's own removal has no event worth a library: the guardian of a finished run stays a few seconds
        # at the most.
        if ended is None:
            time.sleep(min(left, 5.0))
        elif ended.poll(min(left, 5.0) * 1000):
            return


def _end_of(owner: int | None) -> select.poll | None:
    if owner is None:
        return None
    poll = select.poll()
    try:
        poll.register(os.pidfd_open(owner), select.POLLIN)
    except ProcessLookupError:
        read_end, write_end = os.pipe()
        os.close(write_end)
        poll.register(read_end, select.POLLIN | select.POLLHUP)
    except OSError:
        return None
    return poll
