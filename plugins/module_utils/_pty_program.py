# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run a program that talks to a person: on a terminal of its own, its words given on as they come, ended as a whole.

htgettoken asks nobody to log in unless one of its three standard files is a terminal.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import select
import signal
import termios
import time
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    KILL_GRACE_S,
    OUTPUT_LIMIT,
    Finished,
    kill_group,
)

# Python answers a signal between two of its own instructions, so nothing may wait for longer.
LONGEST_WAIT_S = 0.5
CHUNK = 65536


def run_on_pty(
    argv: t.Sequence[str],
    *,
    env: t.Mapping[str, str],
    until: t.Callable[[], float],
    said: t.Callable[[bytes], None],
    waited: t.Callable[[], None] = lambda: None,
) -> Finished:
    """Run `argv` in a session of its own whose terminal is its stdin, stdout and stderr.

    `until` gives the end of its time in seconds of the monotonic clock, and may give a later one when it is asked
    again. `said` gets its words as they come, `waited` is called every half second. At the end of its time, when
    anything is raised here, and also after it has ended by itself, everything of its process group is ended. Should
    this process be killed, the terminal goes and the kernel ends the group with SIGHUP.

    Raises: Missing when the program is not there.
    """
    mark = time.monotonic()
    terminal, name = _open_terminal()
    try:
        pid = _start(argv, env, name)
        try:
            output, timed_out = _follow(pid, terminal, until, said, waited)
        except BaseException:
            _end(pid)
            raise
        status = _end(pid) if timed_out else _reap(pid)
        # What it said while it was being ended.
        output += _rest(terminal, said)
    finally:
        os.close(terminal)
    return Finished(
        status, output[-OUTPUT_LIMIT:].decode("utf-8", "replace"), time.monotonic() - mark, timed_out=timed_out
    )


def _open_terminal() -> tuple[int, str]:
    terminal, other = pty.openpty()
    try:
        # As the program writes it, nothing of what we might write sent back.
        modes = termios.tcgetattr(other)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(other, termios.TCSANOW, modes)
        os.set_blocking(terminal, False)
        return terminal, os.ttyname(other)
    finally:
        os.close(other)


def _start(argv: t.Sequence[str], env: t.Mapping[str, str], terminal: str) -> int:
    # A session leader without a terminal gets the first one that it opens for its own.
    files = [
        (os.POSIX_SPAWN_OPEN, 0, terminal, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    ]
    # A worker of Ansible's may ignore signals, and what is ignored stays so in programs.
    defaults = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE]
    try:
        # AnsibleModule.run_command can give a program neither a terminal nor a session.
        return os.posix_spawn(  # pylint: disable=ansible-bad-function
            argv[0], list(argv), dict(env), file_actions=files, setsid=True, setsigdef=defaults
        )
    except OSError as err:
        raise Missing(f"The program {argv[0]} cannot be executed: {err.strerror}.") from err


def _follow(
    pid: int,
    terminal: int,
    until: t.Callable[[], float],
    said: t.Callable[[bytes], None],
    waited: t.Callable[[], None],
) -> tuple[bytes, bool]:
    """Give what the program said until it ended, and whether its time was over first."""
    process = os.pidfd_open(pid)
    output = b""
    try:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        poll.register(terminal, select.POLLIN)
        next_wait = time.monotonic() + LONGEST_WAIT_S
        while True:
            now = time.monotonic()
            left = until() - now
            if left <= 0:
                return output, True
            if now >= next_wait:
                waited()
                next_wait = now + LONGEST_WAIT_S
            ready = {handle for handle, _event in poll.poll(min(left, LONGEST_WAIT_S) * 1000)}
            if terminal in ready:
                found, is_open = _read(terminal)
                if found:
                    said(found)
                    output = (output + found)[-2 * OUTPUT_LIMIT :]
                if not is_open:
                    # Nobody has the terminal open any more, which the poll would go on telling.
                    poll.unregister(terminal)
            if process in ready:
                return output + _rest(terminal, said), False
    finally:
        os.close(process)


def _read(terminal: int) -> tuple[bytes, bool]:
    try:
        found = os.read(terminal, CHUNK)
    except BlockingIOError:
        return b"", True
    except OSError as err:
        if err.errno != errno.EIO:
            raise
        return b"", False
    return found, bool(found)


def _rest(terminal: int, said: t.Callable[[bytes], None]) -> bytes:
    rest = b""
    while len(rest) < OUTPUT_LIMIT:
        found, _is_open = _read(terminal)
        if not found:
            break
        said(found)
        rest += found
    return rest


def _end(pid: int) -> int:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        kill_group(pid, signum)
        deadline = time.monotonic() + KILL_GRACE_S
        while time.monotonic() < deadline:
            if _has_ended(pid):
                return _reap(pid)
            time.sleep(0.02)
    return _reap(pid)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _reap(pid: int) -> int:
    # The leader may be gone while its children are not; as long as it is not reaped, its number is nobody else's.
    kill_group(pid, signal.SIGKILL)
    status = 0
    with contextlib.suppress(ChildProcessError):
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status
