# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Do many independent things at once, a bounded number at a time, and let no failure or interruption lose a result."""

from __future__ import annotations

import contextlib
import queue
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

from ansible_collections.fife.managed_tokens.plugins.module_utils._process import end_all_programs

# A signal that comes just before the main thread begins to wait is answered when the wait ends (CPython runs handlers
# between its own instructions only), which without a limit may be when the last program has ended.
LONGEST_WAIT_S = 0.5

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


class Progress(t.Protocol):
    """Told after every finished item: how many are done, of how many, and how many of them failed."""

    def __call__(self, done: int, total: int, failed: int) -> None: ...


def fan_out(
    items: t.Sequence[Item],
    work: t.Callable[[Item], Result],
    *,
    concurrency: int,
    progress: Progress | None = None,
    is_failure: t.Callable[[Result], bool] = lambda _result: False,
    at_early_end: t.Callable[[], None] = lambda: None,
    note: t.Callable[[Item, Result], None] = lambda _item, _result: None,
) -> list[Result]:
    """Apply `work` to every item in threads, at most `concurrency` (at least 1) at a time; give the results in the
    order of the items.

    `note` is told of each result when it is there, in the calling thread. `work` turns its expected errors into
    results itself; anything it raises ends the whole batch. When the batch ends early, programs still running are
    ended, `at_early_end` is called to end what else `work` waits for, and everything that has begun is waited for, so
    that its own clean-up has happened on return.
    """
    if not items:
        return []
    results: dict[int, Result] = {}
    failed = 0
    pool = ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(items))), thread_name_prefix="fan_out")
    try:
        finished: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
        numbers: dict[Future[Result], int] = {}
        for number, item in enumerate(items):
            future = pool.submit(work, item)
            numbers[future] = number
            future.add_done_callback(finished.put)
        while len(results) < len(items):
            future = next_of(finished)
            number = numbers[future]
            results[number] = future.result()
            failed += is_failure(results[number])
            note(items[number], results[number])
            if progress is not None:
                progress(len(results), len(items), failed)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        at_early_end()
        end_all_programs()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [results[number] for number in range(len(items))]


def next_of(finished: queue.SimpleQueue[Future[Result]]) -> Future[Result]:
    """Wait for what finishes next."""
    while True:
        with contextlib.suppress(queue.Empty):
            return finished.get(timeout=LONGEST_WAIT_S)
