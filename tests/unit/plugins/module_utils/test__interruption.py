# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals end a stage in order: what it has to clean up is cleaned up."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _interruption
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted, interruptible

LOAD = f"""
import importlib.util, os, signal, sys, time
found = importlib.util.spec_from_file_location("interruption", {str(_interruption.__file__)!r})
interruption = importlib.util.module_from_spec(found)
sys.modules["interruption"] = interruption
found.loader.exec_module(interruption)
"""
STAGE = """
def stage():
    try:
        with interruption.interruptible():
            try:
                print("started", os.getpid(), flush=True)
                time.sleep(600)
            finally:
                print("cleaned", flush=True)
    except interruption.Interrupted as err:
        print("interrupted by", err, flush=True)
"""


@pytest.fixture
def start() -> t.Iterator[t.Callable[[str], subprocess.Popen[str]]]:
    """Give a function that starts a program with the module loaded and a stage defined."""
    started: list[subprocess.Popen[str]] = []

    def run(source: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-ISc", LOAD + STAGE + source]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for program in started:
        program.kill()
        program.wait()
        if program.stdout is not None:
            program.stdout.close()


def line(program: subprocess.Popen[str]) -> str:
    """Give the next line that the program writes."""
    assert program.stdout is not None
    return program.stdout.readline()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_interruptible_signal_runs_finally_blocks(
    start: t.Callable[[str], subprocess.Popen[str]], signum: signal.Signals
) -> None:
    program = start("stage()")
    assert line(program).startswith("started")
    program.send_signal(signum)
    assert line(program) == "cleaned\n"
    assert line(program) == f"interrupted by {signum.name}\n"
    assert program.wait(20.0) == 0


def test_interruptible_further_signals_do_not_disturb_the_clean_up(
    start: t.Callable[[str], subprocess.Popen[str]],
) -> None:
    program = start(
        """
try:
    with interruption.interruptible():
        try:
            print("started", flush=True)
            time.sleep(600)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            print("cleaned", flush=True)
except interruption.Interrupted:
    print("end", flush=True)
"""
    )
    line(program)
    program.send_signal(signal.SIGTERM)
    assert [line(program), line(program)] == ["cleaned\n", "end\n"]


def test_interruptible_death_of_the_parent_ends_the_worker_in_order(
    start: t.Callable[[str], subprocess.Popen[str]],
) -> None:
    parent = start("if os.fork() == 0:\n    stage()\n    os._exit(0)\ntime.sleep(600)")
    worker = os.pidfd_open(int(line(parent).split()[1]))
    try:
        parent.kill()
        assert line(parent) == "cleaned\n"
        assert line(parent) == "interrupted by SIGTERM\n"
        assert select.select([worker], [], [], 20.0)[0], "the worker outlives its parent"
    finally:
        os.close(worker)


def test_interruptible_worker_whose_owner_died_before_begins_nothing(
    start: t.Callable[[str], subprocess.Popen[str]],
) -> None:
    """Between the fork of a worker and the beginning of its stage there is time enough to die."""
    parent = start(
        """
import multiprocessing
def work(owner):
    while os.getppid() == owner:
        time.sleep(0.01)
    stage()
multiprocessing.get_context("fork").Process(target=work, args=(os.getpid(),)).start()
print("forked", flush=True)
time.sleep(600)
"""
    )
    assert line(parent) == "forked\n"
    parent.kill()
    assert line(parent) == "interrupted by SIGTERM\n"


def test_interruptible_worker_ends_with_its_owner_also_after_its_stage(
    start: t.Callable[[str], subprocess.Popen[str]],
) -> None:
    """Handing over its result, a worker may wait for a lock that nobody gives back."""
    parent = start(
        """
import multiprocessing
def work():
    with interruption.interruptible():
        pass
    print("stage over", os.getpid(), flush=True)
    time.sleep(600)
multiprocessing.get_context("fork").Process(target=work).start()
time.sleep(600)
"""
    )
    worker = os.pidfd_open(int(line(parent).split()[2]))
    try:
        parent.kill()
        assert select.select([worker], [], [], 20.0)[0], "the worker outlives its parent"
    finally:
        os.close(worker)


@pytest.mark.parametrize(
    ("forks_in", "is_tied"),
    [("work()", True), ("thread = threading.Thread(target=work); thread.start(); thread.join()", False)],
)
def test_tie_forks_to_this_process_reaches_what_its_main_thread_forks(
    start: t.Callable[[str], subprocess.Popen[str]], forks_in: str, is_tied: bool
) -> None:
    """A fork of another thread would get the signal already when that thread ends."""
    parent = start(
        f"""
import threading
interruption.tie_forks_to_this_process()
def work():
    if os.fork() == 0:
        # What it forks itself is not tied.
        if os.fork() == 0:
            time.sleep(1)
            print("grandchild", flush=True)
            os._exit(0)
        print("forked", os.getpid(), flush=True)
        time.sleep(600)
{forks_in}
time.sleep(600)
"""
    )
    number = int(line(parent).split()[1])
    child = os.pidfd_open(number)
    try:
        parent.kill()
        assert line(parent) == "grandchild\n"
        assert bool(select.select([child], [], [], 20.0 if is_tied else 0.0)[0]) is is_tied
    finally:
        if not is_tied:
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)


def test_interruptible_handlers_are_restored() -> None:
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)]
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before
    with pytest.raises(Interrupted, match=r"^SIGTERM$"), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)] == before


def test_interruptible_outside_of_the_main_thread_does_nothing(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with interruptible():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_interrupted_is_not_swallowed_as_an_ordinary_error() -> None:
    assert not issubclass(Interrupted, Exception)
