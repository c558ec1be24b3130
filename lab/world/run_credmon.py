#!/usr/bin/python3 -P
# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run HTCondor's vault credmon, unchanged, without the flaw that lets it hang.

A credd sends its credmon SIGHUP for each credential it has stored. The handler of condor_credmon_vault (HTCondor 23.9)
puts something into a queue, under a lock that cannot be taken twice: a second SIGHUP that comes meanwhile hangs that
process for good, and new credentials are then found only when it looks around by itself, once a minute. Here a thread
waits for the signals and runs the handler for one after the other; what comes meanwhile stays pending, so none is lost.
"""

from __future__ import annotations

import runpy
import signal
import threading
import typing as t

PROGRAM = "/usr/sbin/condor_credmon_vault"
Handler = t.Callable[[int, t.Any], t.Any]


def serve(handler: Handler) -> t.NoReturn:
    """Run `handler` for each SIGHUP, outside of any signal's context."""
    while True:
        handler(signal.sigwait({signal.SIGHUP}), None)


def main() -> None:
    """Become the credmon."""
    install = signal.signal

    def replacement(signum: int, handler: t.Any) -> t.Any:
        if signum != signal.SIGHUP:
            return install(signum, handler)
        # Blocked before the thread starts: it and all later ones inherit that.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        threading.Thread(target=serve, args=(handler,), daemon=True).start()
        return None

    signal.signal = replacement  # type: ignore[assignment]
    runpy.run_path(PROGRAM, run_name="__main__")


if __name__ == "__main__":
    main()
