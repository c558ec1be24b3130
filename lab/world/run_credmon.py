#!/usr/bin/python3 -P
# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run HTCondor's vault credmon, unchanged, without the flaw that lets it hang.

A credd sends its credmon SIGHUP for each credential it has stored. The handler of condor_credmon_vault (HTCondor 23.9)
puts something into a queue, under a lock that cannot be taken twice: a second SIGHUP that comes meanwhile hangs that
process for good, and new credentials are then found only when it looks around by itself, once a minute. Here a
SIGHUP that interrupts the handler of another is dropped. Nothing is lost: the scan that the first one asks for has not
begun.
"""

from __future__ import annotations

import runpy
import signal
import typing as t

PROGRAM = "/usr/sbin/condor_credmon_vault"
Handler = t.Callable[[int, t.Any], t.Any]


def one_at_a_time(handler: Handler) -> Handler:
    """Give a handler that does nothing while it is already being run."""
    is_running = False

    def answer(signum: int, frame: t.Any) -> None:
        nonlocal is_running
        if is_running:
            return
        is_running = True
        try:
            handler(signum, frame)
        finally:
            is_running = False

    return answer


def main() -> None:
    """Become the credmon."""
    install = signal.signal

    def replacement(signum: int, handler: t.Any) -> t.Any:
        return install(signum, one_at_a_time(handler) if signum == signal.SIGHUP and callable(handler) else handler)

    signal.signal = replacement  # type: ignore[assignment]
    runpy.run_path(PROGRAM, run_name="__main__")


if __name__ == "__main__":
    main()
