# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that talks to a person has a terminal, is heard at once, and never outlives whoever started it."""

from __future__ import annotations

import os
import sys
import time
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._pty_program import run_on_pty
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
LONG_S = 60.0


def python(
    source: str,
    said: t.Callable[[bytes], None] = lambda _piece: None,
    until: t.Callable[[], float] | None = None,
    waited: t.Callable[[], None] = lambda: None,
) -> Finished:
    """Run a Python program on a terminal."""
    end = time.monotonic() + LONG_S
    argv = [sys.executable, "-ISc", source]
    return run_on_pty(argv, env=ENV, until=until or (lambda: end), said=said, waited=waited)


def has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or dead and only not yet asked for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for_end(pid: int) -> None:
    end = time.monotonic() + LONG_S
    while not has_ended(pid):
        assert time.monotonic() < end, "it goes on"
        os.sched_yield()


def test_run_on_pty_gives_status_and_what_was_said_as_it_was_written() -> None:
    heard: list[bytes] = []
    source = "import sys; print('a'); print('b', file=sys.stderr); print('c', end=''); sys.exit(3)"
    done = python(source, heard.append)
    assert (done.status, done.output, done.timed_out, done.is_good) == (3, "a\nb\nc", False, False)
    assert b"".join(heard).decode() == done.output


def test_run_on_pty_gives_a_controlling_terminal_and_only_the_given_environment() -> None:
    source = (
        "import os; print([os.isatty(n) for n in (0, 1, 2)], os.getsid(0) == os.getpid(),"
        " os.isatty(os.open('/dev/tty', os.O_RDWR)), sorted(os.environ))"
    )
    assert python(source).output.strip() == f"[True, True, True] True True {sorted(ENV)}"


def test_run_on_pty_words_are_heard_before_the_program_goes_on() -> None:
    """The program waits for an answer that is given only when its question was heard."""
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)

    def answer(piece: bytes) -> None:
        if b"who?" in piece:
            os.write(write_end, b"me")

    try:
        done = python(f"import os; print('who?', end='', flush=True); print(os.read({read_end}, 9))", answer)
    finally:
        os.close(read_end)
        os.close(write_end)
    assert done.output == "who?b'me'\n"


def test_run_on_pty_at_the_end_of_its_time_its_whole_group_is_ended() -> None:
    pids: list[int] = []
    # A child of the program that answers nothing polite.
    source = (
        "import os, signal, time\nif not os.fork():\n signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        " print(os.getpid(), flush=True)\ntime.sleep(1000)"
    )
    done = python(source, lambda piece: pids.append(int(piece)), lambda: 0.0 if pids else time.monotonic() + LONG_S)
    assert (done.timed_out, done.is_good) == (True, False)
    assert done.output == f"{pids[0]}\n"
    wait_for_end(pids[0])


@pytest.mark.parametrize("where", ["said", "waited"])
def test_run_on_pty_what_is_raised_ends_the_program(where: str) -> None:
    pids: list[int] = []

    def said(piece: bytes) -> None:
        pids.append(int(piece))
        if where == "said":
            raise Interrupted(2)

    def waited() -> None:
        raise Interrupted(2)

    with pytest.raises(Interrupted):
        python("import os, time; print(os.getpid(), flush=True); time.sleep(1000)", said, waited=waited)
    wait_for_end(pids[0])


def test_run_on_pty_end_of_whoever_started_it_ends_the_program() -> None:
    """Nobody who is killed can clean up; the kernel does, as the terminal goes."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:

        def tell(said: bytes) -> None:
            os.write(write_end, said)

        python("import os, time; print(os.getpid(), flush=True); time.sleep(1000)", tell)
        os._exit(0)
    program = int(os.read(read_end, 20))
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(read_end)
    os.close(write_end)
    wait_for_end(program)


def test_run_on_pty_program_that_is_not_there_is_missing() -> None:
    with pytest.raises(Missing, match="/nowhere/storer cannot be executed"):
        run_on_pty(["/nowhere/storer"], env={"SECRET": CANARY}, until=lambda: 0.0, said=lambda _piece: None)


def test_run_on_pty_descriptors_do_not_become_more() -> None:
    python("print('x')")
    before = len(os.listdir("/proc/self/fd"))
    python("print('x')")
    python("import time; time.sleep(1000)", until=lambda: 0.0)
    assert len(os.listdir("/proc/self/fd")) == before
