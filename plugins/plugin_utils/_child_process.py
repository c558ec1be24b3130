# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Do a piece of work in a process of its own, which can be ended when it takes too long."""

from __future__ import annotations

import multiprocessing
import signal
import typing as t


def in_child(seconds: float, work: t.Callable[[], object]) -> bool:
    """Do the work in a fork of this process; tell whether it was done within `seconds`. Then the fork is gone.

    For what happens while Ansible still forks workers. A thread that is given up may hold a lock of the C library just
    then, inside the name service above all, and the worker would wait for ever for a thread that it does not have.
    """
    child = multiprocessing.get_context("fork").Process(target=_alone, args=(work,), daemon=True, name="limited")
    child.start()
    try:
        child.join(max(0.0, seconds))
    finally:
        child.kill()
        child.join()
    is_done = child.exitcode == 0
    child.close()
    return is_done


def _alone(work: t.Callable[[], object]) -> None:
    # What Ansible does at a signal is its own business; this process has nothing to clean up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        work()
    except Exception as err:
        raise SystemExit(1) from err
