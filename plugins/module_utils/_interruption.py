# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Turn SIGINT and SIGTERM into an orderly end, so that C(finally) blocks run and nothing is left behind.

Ansible's forked worker answers these signals by ending at once, with whatever it had staged still on disk. While a
stage runs, the signals raise C(Interrupted) in the main thread instead; and when the process that runs the playbook
dies without a word (SIGKILL), the kernel sends SIGTERM to the worker, so that no half of a run goes on alone.

For a forked worker that holds from its first moment to its last. Before and after the stage it talks to the process
that forked it, and there it may wait for ever: all workers take turns with one lock for that, and one that was killed
meanwhile keeps it.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import threading
import typing as t
from types import FrameType

PR_SET_PDEATHSIG = 1


class Interrupted(BaseException):
    """The run is being stopped. Not an Exception: no handler of expected errors may swallow it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


def owner_pid() -> int:
    """Give the process on whose behalf this one works: the one that forked it as a worker, even if that is dead by now
    and another has become the parent; without such a one the parent."""
    starter = multiprocessing.parent_process()
    return os.getppid() if starter is None or starter.pid is None else starter.pid


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Raise Interrupted in the main thread on SIGINT and SIGTERM, once, while the block runs; restore the old
    handlers afterwards. A forked worker ends with its owner also after the block.

    Further signals during the clean-up are ignored: the clean-up is bounded by itself. Where the owner is dead already,
    nothing begins.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def answer(signum: int, _frame: FrameType | None) -> t.NoReturn:
        for other in (signal.SIGINT, signal.SIGTERM):
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(signum)

    saved = {signum: signal.signal(signum, answer) for signum in (signal.SIGINT, signal.SIGTERM)}
    owner = owner_pid()
    try:
        _end_with_parent(signal.SIGTERM)
        if os.getppid() != owner:  # it died before the line above could take effect
            raise Interrupted(signal.SIGTERM)
        yield
    finally:
        if multiprocessing.parent_process() is None:
            _end_with_parent(0)
        for signum, handler in saved.items():
            signal.signal(signum, handler)


def tie_forks_to_this_process() -> None:
    """Have the kernel send SIGTERM to whatever this process's main thread forks from now on, when this process ends.

    Programs that are started (C(subprocess)) and what forks fork themselves are not meant and not reached.
    """
    owner, is_main_thread = os.getpid(), False

    def look() -> None:
        # For the kernel the parent is the thread that forked, and one of several threads may end before the process.
        nonlocal is_main_thread
        is_main_thread = threading.current_thread() is threading.main_thread()

    def tie() -> None:
        if is_main_thread and os.getppid() == owner:
            _end_with_parent(signal.SIGTERM)

    os.register_at_fork(before=look, after_in_child=tie)


def _end_with_parent(signum: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
