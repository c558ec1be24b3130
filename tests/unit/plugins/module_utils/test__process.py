# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program can neither hang the run nor outlive it, and is told nothing it need not know."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import tracemalloc
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _process as process
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import DeadlineReached, Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    Finished,
    base_environment,
    end_all_programs,
    find_program,
    run_program,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Be less patient than in real life, and forget afterwards that programs had to be ended."""
    monkeypatch.setattr(process, "KILL_GRACE_S", 0.2)
    yield
    process._stopping.clear()


def python(source: str, timeout: float = 20.0) -> Finished:
    """Run a Python program."""
    return run_program([sys.executable, "-ISc", source], env=ENV, timeout=timeout)


def test_run_program_gives_status_and_both_outputs_together() -> None:
    done = python("import sys; print('a', flush=True); print('b', file=sys.stderr); sys.exit(3)")
    assert (done.status, done.output, done.timed_out, done.is_good) == (3, "a\nb\n", False, False)
    assert python("").is_good


def test_run_program_has_exactly_the_given_environment_no_stdin_and_a_session_of_its_own() -> None:
    done = python("import os, sys; print(sorted(os.environ), os.getsid(0) == os.getpid(), repr(sys.stdin.read()))")
    # Python itself may add LC_CTYPE.
    assert done.output.replace("'LC_CTYPE', ", "") == "['LC_ALL', 'PATH'] True ''\n"


def test_run_program_bytes_that_are_no_text_do_not_matter() -> None:
    assert python("import sys; sys.stdout.buffer.write(b'\\xff\\x00ok')").output.endswith("ok")


def test_run_program_of_a_megabyte_and_more_keeps_the_end() -> None:
    done = python("print('start'); print('x' * 3_000_000); print('end')")
    assert done.is_good
    assert len(done.output) == process.OUTPUT_LIMIT
    assert done.output.endswith("x\nend\n")


def test_run_program_that_says_very_much_costs_no_more_memory_than_what_is_kept() -> None:
    tracemalloc.start()
    try:
        done = python("import sys; [sys.stdout.write('x' * 1_000_000) for _turn in range(40)]; print('end')")
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.is_good
    assert done.output.endswith("xend\n")
    assert most < 8 * process.OUTPUT_LIMIT


def test_run_program_that_never_stops_talking_is_ended_and_its_last_words_are_kept() -> None:
    done = shell("exec yes")
    assert done.timed_out
    assert len(done.output) == process.OUTPUT_LIMIT


def shell(source: str) -> Finished:
    """Run a shell's program, which starts in no time, for a second."""
    return run_program(["/bin/sh", "-c", source], env=ENV, timeout=1.0)


def test_run_program_over_its_time_is_ended_and_its_words_are_kept() -> None:
    done = shell("echo so far; exec sleep 600")
    assert (done.status, done.output) == (-15, "so far\n")
    assert done.timed_out
    assert not done.is_good


def test_run_program_that_ignores_sigterm_is_ended_all_the_same() -> None:
    done = shell("trap '' TERM; echo deaf; exec sleep 600")
    assert (done.status, done.output, done.timed_out) == (-9, "deaf\n", True)


def test_run_program_children_are_ended_with_it() -> None:
    # The second one is deaf, and nobody who reads the output notices that it lives.
    done = shell("sleep 600 & echo $!; (trap '' TERM; exec sleep 600 > /dev/null 2>&1) & echo $!; exec sleep 600")
    assert done.timed_out
    children = [int(word) for word in done.output.split()]
    assert len(children) == 2
    assert all(ends(pid) for pid in children)


def ends(pid: int) -> bool:
    """Wait until a process has ended; one that nobody has waited for yet has."""
    limit = time.monotonic() + 20.0
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


def test_run_program_grandchild_that_left_the_group_and_holds_the_pipe_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # The grandchild lives until the test closes its end.
    release = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    try:
        done = shell(f"setsid cat '{fifo}' & echo leader; exec sleep 600")
    finally:
        os.close(release)
    assert done.timed_out
    assert done.output == "leader\n"


def test_run_program_that_is_not_there_or_not_executable_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="is not installed on the token host"):
        run_program([str(tmp_path / "nothing")], env=ENV, timeout=1.0)
    (tmp_path / "text").write_text("x", encoding="ascii")
    with pytest.raises(Missing, match="cannot be executed: Permission denied"):
        run_program([str(tmp_path / "text")], env=ENV, timeout=1.0)


def test_run_program_file_that_is_no_program_is_missing(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no interpreter line", encoding="ascii")
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(Missing, match="cannot be executed: Exec format error"):
        run_program([str(tmp_path / "text")], env=ENV, timeout=1.0)


def test_end_all_programs_ends_those_that_run_and_starts_no_more(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    results: list[Finished] = []
    source = f"import time; open({str(fifo)!r}, 'w').close(); time.sleep(600)"
    thread = threading.Thread(target=lambda: results.append(python(source)))
    thread.start()
    with open(fifo, "rb"):
        pass
    end_all_programs()
    thread.join(20.0)
    assert [(done.status, done.timed_out) for done in results] == [(-15, False)]
    with pytest.raises(DeadlineReached, match="was not started: the run is being stopped"):
        python("")


def test_end_all_programs_ends_one_that_is_just_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def start_while_all_are_ended(*arguments: t.Any, **options: t.Any) -> subprocess.Popen[bytes]:
        child = start(*arguments, **options)
        end_all_programs()
        return child

    monkeypatch.setattr(subprocess, "Popen", start_while_all_are_ended)
    assert not python("import time; time.sleep(600)", timeout=600.0).is_good


def test_base_environment_holds_what_programs_need_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VAULT_TOKEN", "BEARER_TOKEN", "KRB5CCNAME", "LD_PRELOAD", "PYTHONPATH", "ANSIBLE_VAULT_PASSWORD"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("_condor_POOL", "x")
    monkeypatch.setenv("KRB5_CONFIG", "/etc/k")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PATH", ":/opt/bin:")
    env = base_environment()
    assert CANARY not in env.values()
    assert (env["LC_ALL"], env["_condor_POOL"], env["KRB5_CONFIG"]) == ("C", "x", "/etc/k")
    # An empty part would be the current directory.
    assert env["PATH"] == "/opt/bin:/usr/bin:/usr/sbin:/bin:/sbin"


def test_find_program_gives_the_first_that_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "newer-name").write_text("#!/bin/sh\n", encoding="ascii")
    (tmp_path / "newer-name").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("older-name", "newer-name") == str(tmp_path / "newer-name")
    with pytest.raises(Missing, match=r"^The program older-name or other is not installed"):
        find_program("older-name", "other")
