# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Put services' tokens on their nodes in a thread of its own, while other services' tokens are still being obtained.

Nothing depends on it: what it has done is handed over to the push stage of the same run, which does what is left. That
is everything where all tokens are there within half a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import typing as t
from collections import deque
from types import TracebackType

from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import Progress
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_handover import hand_over
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair, plan
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service

if t.TYPE_CHECKING:
    from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pushed

LOOK_EVERY_S = 0.25
# Where storers are that quick there is nothing to gain: to load the library beside them takes longer than after them.
QUICK_S = 0.5


class PushAhead:
    """A thread that serves the nodes of every service that it is offered.

    As a context: at the end of its block what was offered is waited for and handed over; when the block fails, what is
    under way is ended cleanly, and nothing is handed over.
    """

    def __init__(self, options: t.Mapping[str, t.Any], run: Run, progress: Progress) -> None:
        self._options, self._run, self._progress = options, run, progress
        self._pushed: list[Pushed] = []
        self._planned = 0
        self._lock = threading.Lock()
        self._offered: deque[Service | None] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._is_stopped = False
        self._is_over = threading.Event()
        # Not a daemon: its files on the nodes are never left half done, also when the stage fails.
        self._thread = threading.Thread(target=self._work, name="push_ahead")

    def __enter__(self) -> PushAhead:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._is_over.set()
                self._offer(None)
                self._wait()
                if self._pushed:
                    hand_over(self._run.directory, self._pushed)
        finally:
            self.stop()
            self._thread.join()

    def offer(self, service: Service) -> None:
        """Have the nodes of a service served, as soon as there is room."""
        self._offer(service)

    def stop(self) -> None:
        """Have everything end that is under way; does not wait for it."""
        with self._lock:
            # Once: a second time would end what the first has begun, the clean-up on the nodes.
            if not self._is_stopped and self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._is_stopped = True
            self._is_over.set()

    def _offer(self, service: Service | None) -> None:
        with self._lock:
            self._offered.append(service)
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._arrived.set)

    def _wait(self) -> None:
        # In pieces: a signal that comes just before the main thread begins to wait is answered when the wait ends.
        while self._thread.is_alive():
            self._thread.join(LOOK_EVERY_S)
            failed = sum(item.outcome.is_failure for item in tuple(self._pushed))
            self._progress(len(self._pushed), self._planned, failed)

    def _work(self) -> None:
        if self._is_over.wait(QUICK_S):
            return
        # Whatever is wrong here is the push stage's to tell: it meets the same, and its words are the ones for it.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            need_packages("asyncssh", "gssapi")
            # Only in this thread: the library is large, and storers are at work meanwhile.
            from ansible_collections.fife.managed_tokens.plugins.module_utils._push import push_as_they_come
            from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings

            settings = PushSettings.from_options(self._options)
            asyncio.run(
                self._serve(lambda: push_as_they_come(self._arriving(), self._run, settings, self._pushed.append))
            )

    async def _serve(self, push: t.Callable[[], t.Awaitable[None]]) -> None:
        with self._lock:
            if self._is_stopped:
                return
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            self._arrived.set()
        try:
            await push()
        finally:
            with self._lock:
                self._loop = None

    async def _arriving(self) -> t.AsyncIterator[list[Pair]]:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._offered:
                service = self._offered.popleft()
                if service is None:
                    return
                pairs, _skipped = plan(service, unanswered=self._options["unanswered"])
                self._planned += len(pairs)
                yield pairs
