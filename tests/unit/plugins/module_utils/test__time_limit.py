# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work gives what it gives, and nobody waits for what does not end."""

from __future__ import annotations

import threading
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._time_limit import within


def test_within_gives_the_result() -> None:
    assert within(20.0, lambda: "done") == "done"


def test_within_work_that_does_not_end_is_left_alone() -> None:
    gate, ended = threading.Event(), threading.Event()

    def work() -> str:
        gate.wait()
        ended.set()
        return "late"

    assert within(0.0, work) is None
    assert not ended.is_set()
    gate.set()
    assert ended.wait(20.0)


def test_within_raises_what_the_work_raises() -> None:
    def work() -> t.NoReturn:
        raise KeyError("x")

    with pytest.raises(KeyError):
        within(20.0, work)
