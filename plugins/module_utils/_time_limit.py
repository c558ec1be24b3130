# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Wait for a piece of work no longer than it may take."""

from __future__ import annotations

import queue
import threading
import typing as t

Result = t.TypeVar("Result")


def within(seconds: float, work: t.Callable[[], Result]) -> Result | None:
    """Give what `work` gives, None when it is not done after `seconds`; what it raises is raised here.

    Work that takes longer goes on by itself and dies with the process, so it should begin nothing new once its time
    is over. It may hold a lock then: where the process is still to be forked, in_child is the way.
    """
    done: queue.SimpleQueue[tuple[Result | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except Exception as err:  # noqa: BLE001 - it is raised where somebody waits for it
            done.put((None, err))

    # A daemon, because nothing else bounds a name service, or a server that says one byte a second.
    threading.Thread(target=run, daemon=True, name="limited").start()
    try:
        result, error = done.get(timeout=max(0.0, seconds))
    except queue.Empty:
        return None
    if error is not None:
        raise error
    return result
