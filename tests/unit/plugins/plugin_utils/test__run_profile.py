# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a run's time is said to have gone."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_profile import (
    MOST_TASKS,
    WIDTH,
    Spent,
    TaskClock,
    lines,
    process_began,
)

SPENT = Spent(1.25, 3.5, 80.0, 60.0)


def push(started: float, seconds: float) -> Outcome:
    return Outcome("push", "ok", started=started, seconds=seconds)


def test_tasks_work_and_what_came_before_them() -> None:
    marks = [(101.0, "Read"), (102.0, "a.b.token_push : Put the tokens on the nodes"), (105.0, "Verdict")]
    outcomes = [push(102.5, 1.0), push(102.5, 2.0), push(102.5, 2.0)]
    shown = lines(marks, outcomes, began=100.0, ended=106.0, spent=SPENT)
    assert shown == [
        "Where 6.00 s went",
        "  task                                       wall        items      work  par.",
        "  before the first task                    1.00 s  17 %",
        "  Read                                     1.00 s  17 %",
        "  Put the tokens on the nodes              3.00 s  50 %      3    5.00 s   2.5",
        "  Verdict                                  1.00 s  17 %",
        "  CPU: ansible-playbook itself 1.25 s, its workers and programs 3.50 s",
        "  memory: ansible-playbook 80 MB, largest other process 60 MB",
    ]


def test_without_a_task_there_is_nothing_to_tell() -> None:
    assert lines([], [push(1.0, 1.0)], began=0.0, ended=2.0, spent=SPENT) == []


def test_without_a_known_beginning_the_first_task_is_it() -> None:
    assert lines([(5.0, "Read")], [], began=0.0, ended=7.0, spent=SPENT)[0] == "Where 2.00 s went"


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.text()), max_size=80),
    st.lists(st.builds(push, st.floats(0, 1e9), st.floats(0, 1e6)), max_size=20),
    st.floats(0, 1e9),
)
def test_any_run_is_a_table_of_bounded_size(
    marks: list[tuple[float, str]], outcomes: list[Outcome], ended: float
) -> None:
    marks.sort()
    shown = lines(marks, outcomes, began=0.0, ended=ended, spent=SPENT)
    assert len(shown) <= MOST_TASKS + 4
    assert all("\n" not in line for line in shown)


def test_a_process_began_before_now_and_after_the_machine() -> None:
    began = process_began()
    assert 0 < began <= time.time()


def test_the_clock_notes_the_order_of_tasks() -> None:
    clock = TaskClock()
    clock.begin("one")
    clock.begin("two")
    assert [title for _when, title in clock.marks] == ["one", "two"]
    assert clock.marks[0][0] <= clock.marks[1][0]


def test_what_a_process_used_is_counted() -> None:
    spent = Spent.so_far()
    assert spent.own_cpu > 0
    assert spent.own_memory > 1
    assert max(len(line) for line in lines([(1.0, "Read")], [], began=0.0, ended=2.0, spent=spent)) <= WIDTH
