# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run a program with a time limit, so that it can neither hang the run nor outlive it."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import DeadlineReached, Missing

KILL_GRACE_S = 2.0
OUTPUT_LIMIT = 1_000_000
CHUNK = 65536

_running: dict[int, subprocess.Popen[bytes]] = {}
_running_lock = threading.Lock()
_stopping = threading.Event()


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: exit status (negative: killed by that signal), stdout and stderr together, seconds it
    took."""

    status: int
    output: str
    seconds: float
    timed_out: bool = False

    @property
    def is_good(self) -> bool:
        return self.status == 0 and not self.timed_out


class RunProgram(t.Protocol):
    """What C(run_program) looks like, so that tests can put something else in its place."""

    def __call__(self, argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished: ...


def base_environment() -> dict[str, str]:
    """Give the few variables of our own environment that programs need, in the C locale."""
    kept = (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "CONDOR_CONFIG",
        "KRB5_CONFIG",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "X509_CERT_DIR",
    )
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env.update({name: value for name, value in os.environ.items() if name.startswith(("_condor_", "_CONDOR_"))})
    path = env.get("PATH", "").split(os.pathsep)
    env["PATH"] = os.pathsep.join(
        [*filter(None, path), *(item for item in ("/usr/bin", "/usr/sbin", "/bin", "/sbin") if item not in path)]
    )
    env["LC_ALL"] = "C"
    return env


def find_program(*names: str) -> str:
    """Give the path of the first of `names` that is installed.

    Raises: Missing when none is.
    """
    path = base_environment()["PATH"]
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise Missing(f"The program {' or '.join(names)} is not installed on the token host, or not in PATH.")


def run_program(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
    """Run `argv` without a shell, without stdin, in a session of its own, for at most `timeout` seconds.

    At the limit its whole process group is ended, first politely, then not. A grandchild that left the group and
    keeps the output open is not waited for.

    Raises: Missing when the program is not there; DeadlineReached when the whole run is being stopped.
    """
    if _stopping.is_set():
        raise DeadlineReached(f"{os.path.basename(argv[0])} was not started: the run is being stopped.")
    mark = time.monotonic()
    try:
        # AnsibleModule.run_command can neither bound the time nor end a whole process group.
        child = subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(argv),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as err:
        raise Missing(f"The program {argv[0]} is not installed on the token host.") from err
    except OSError as err:
        raise Missing(f"The program {argv[0]} cannot be executed: {err.strerror}.") from err
    with _running_lock:
        _running[child.pid] = child
    if _stopping.is_set():  # whoever ends all programs may have looked before this one was among them
        timeout = 0.0
    output = bytearray()
    timed_out = False
    try:
        if not _has_ended_within(max(timeout, 0.01), child, output):
            timed_out = True
            _end(child, output)
    finally:
        with _running_lock:
            _running.pop(child.pid, None)
        if child.poll() is None:
            kill_group(child.pid, signal.SIGKILL)
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
    return Finished(
        child.returncode, output[-OUTPUT_LIMIT:].decode("utf-8", "replace"), time.monotonic() - mark, timed_out
    )


def _has_ended_within(seconds: float, child: subprocess.Popen[bytes], output: bytearray) -> bool:
    """Wait until the program has ended and nobody holds its output open; tell whether that was within `seconds`.

    What it says is put into `output`, of which the end is kept: C(communicate) would keep all of it.
    """
    end = time.monotonic() + seconds
    if child.stdout is not None:
        handle = child.stdout.fileno()
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return False
            if not poll.poll(left * 1000):
                continue
            chunk = os.read(handle, CHUNK)
            if not chunk:
                break
            output += chunk
            if len(output) > 2 * OUTPUT_LIMIT:
                del output[:-OUTPUT_LIMIT]
    try:
        child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(child: subprocess.Popen[bytes], output: bytearray) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        kill_group(child.pid, signum)
        if _has_ended_within(KILL_GRACE_S, child, output):
            break
    # The leader may be gone while its children are not.
    kill_group(child.pid, signal.SIGKILL)


def kill_group(pid: int, signum: int) -> None:
    """Send `signum` to the process group `pid`; a group that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signum)


def end_all_programs() -> None:
    """End every program that is still running and start no more: this process is being stopped.

    Waiting for them is left to whoever started them; returns after at most two seconds.
    """
    _stopping.set()
    with _running_lock:
        pids = list(_running)
    for pid in pids:
        kill_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + KILL_GRACE_S
    while time.monotonic() < deadline:
        with _running_lock:
            if not any(pid in _running for pid in pids):
                return
        time.sleep(0.05)
    for pid in pids:
        kill_group(pid, signal.SIGKILL)
