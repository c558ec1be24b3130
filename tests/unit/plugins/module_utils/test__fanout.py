# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many things at once, a bounded number at a time, and no result lost."""

from __future__ import annotations

import threading
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils import _fanout, _process
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import fan_out


@pytest.fixture(autouse=True)
def forget() -> t.Iterator[None]:
    """Forget afterwards that programs had to be ended."""
    yield
    _process._stopping.clear()


@given(st.lists(st.integers(), max_size=20), st.integers(-1, 5))
def test_fan_out_gives_every_result_in_the_order_of_the_items(items: list[int], concurrency: int) -> None:
    told: list[tuple[int, int, int]] = []

    def progress(done: int, total: int, failed: int) -> None:
        told.append((done, total, failed))

    noted: list[tuple[int, int]] = []
    found = fan_out(
        items,
        lambda item: -item,
        concurrency=concurrency,
        progress=progress,
        is_failure=lambda result: result > 0,
        note=lambda item, result: noted.append((item, result)),
    )
    assert sorted(noted) == sorted((item, -item) for item in items)
    assert found == [-item for item in items]
    assert [done for done, _total, _failed in told] == list(range(1, len(items) + 1))
    if items:
        assert told[-1] == (len(items), len(items), sum(item < 0 for item in items))


def test_fan_out_keeps_to_its_concurrency() -> None:
    lock = threading.Lock()
    full = threading.Barrier(3)
    running = 0
    most = 0

    def work(_item: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait(20.0)  # breaks unless three are at work together
        with lock:
            running -= 1

    fan_out(range(12), work, concurrency=3)
    assert most == 3


@pytest.mark.parametrize("error", [ValueError("bug"), KeyboardInterrupt()])
def test_fan_out_error_ends_the_batch_after_what_has_begun_has_ended(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    cleaned: list[int] = []
    begun: list[int] = []
    second = threading.Event()
    monkeypatch.setattr(_fanout, "end_all_programs", ended.set)

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            second.wait(20.0)
            raise error
        second.set()
        assert ended.wait(20.0)
        cleaned.append(item)

    with pytest.raises(type(error)):
        fan_out(range(50), work, concurrency=2)
    # A thread may take one more item before it is told; what has begun is waited for, and the others never begin.
    assert sorted([0, *cleaned]) == sorted(begun)
    assert len(begun) <= 3


def test_fan_out_error_ends_also_what_work_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    waits = threading.Event()
    monkeypatch.setattr(_fanout, "end_all_programs", lambda: None)

    def work(item: int) -> bool:
        if item == 0:
            waits.wait(20.0)
            raise ValueError("bug")
        waits.set()
        return ended.wait(20.0)

    with pytest.raises(ValueError, match="bug"):
        fan_out(range(2), work, concurrency=2, at_early_end=ended.set)
    assert ended.is_set()
