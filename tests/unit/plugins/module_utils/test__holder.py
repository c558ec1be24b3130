# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the process behind a run is alive, certainly dead, or not to be known."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder, holder, start_of, this_machine


def test_holder_that_is_alive_is_not_dead() -> None:
    found = holder(os.getpid())
    assert (found.pid, found.machine) == (os.getpid(), this_machine())
    assert found.started > 0
    assert not found.is_dead


def test_holder_that_has_ended_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = holder(child.pid)
        assert (found.pid, found.is_dead) == (child.pid, False)
    assert found.is_dead


def test_holder_that_is_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        # Waits for its end, and leaves it as the zombie that it is.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert start_of(child.pid) == 0


CHANGES: tuple[tuple[dict[str, t.Any], bool], ...] = (
    ({"started": 1}, True),
    ({"machine": "another boot"}, False),
    ({"machine": "another boot", "started": 1}, False),
    ({"pid": 0, "started": 0}, False),
)


@pytest.mark.parametrize(("changes", "is_dead"), CHANGES)
def test_is_dead_only_when_that_is_certain(changes: dict[str, t.Any], is_dead: bool) -> None:
    assert replace(holder(os.getpid()), **changes).is_dead is is_dead


@pytest.mark.parametrize("pid", [None, 0, 2**31 - 2])
def test_holder_without_a_process_cannot_be_looked_at(pid: int | None) -> None:
    found = holder(pid)
    assert (found.pid, found.started, found.is_dead) == (0, 0, False)
    assert found.describe() == found.host


def test_describe_names_process_and_host() -> None:
    assert Holder("h", "m", 7, 1).describe() == "PID 7 on h"


STATS: tuple[tuple[bytes, int], ...] = (
    (b"7 (ansible) S 1 1 1 0 -1 1 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0", 4711),
    (b"7 (a) R (b) c) S 1 1 1 0 -1 1 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0", 4711),
    # The kernel has cut the name in the middle of a character.
    (b"7 (tokens-f\xc3\xbcr-j\xc3) S 1 1 1 0 -1 1 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0", 4711),
    (b"7 (ansible) Z 1 1 1 0 -1 1 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0", 0),
    (b"7 (ansible) X 1 1 1 0 -1 1 0 0 0 0 1 2 3 4 20 0 1 0 4711 0 0", 0),
)


@pytest.mark.parametrize(("stat", "started"), STATS)
def test_start_of_reads_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stat: bytes, started: int) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_bytes(stat)
    monkeypatch.setattr(_holder, "PROC", tmp_path)
    assert (start_of(7), start_of(8)) == (started, 0)


def test_this_machine_without_proc_is_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = this_machine()
    monkeypatch.setattr(_holder, "PROC", tmp_path)
    assert whole.startswith(this_machine().strip() + " ")


REBOOTS = (
    ("h after pid:[4026531836]", "h before pid:[4026531836]", True),
    ("h after pid:[4026531836]", "other before pid:[4026531836]", False),
    ("h after pid:[4026531836]", "h before pid:[4026532000]", False),
    ("h after pid:[4026532000]", "h before pid:[4026532000]", False),
)


@pytest.mark.parametrize(("here", "machine", "is_dead"), REBOOTS)
def test_is_dead_before_a_reboot(monkeypatch: pytest.MonkeyPatch, here: str, machine: str, is_dead: bool) -> None:
    monkeypatch.setattr(_holder, "this_machine", lambda: here)
    assert Holder("h", machine, os.getpid(), 1).is_dead is is_dead
