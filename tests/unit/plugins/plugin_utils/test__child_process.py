# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done in a child is done within its time or ended, and nothing of it is left."""

from __future__ import annotations

import os
import signal
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._child_process import in_child


def refuse() -> t.NoReturn:
    raise ValueError("CanaryWord")


def wait_for_ever() -> None:
    threading.Event().wait()


def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait_for_ever()


@pytest.mark.parametrize(
    ("seconds", "work", "is_done"),
    [(60.0, os.getpid, True), (60.0, refuse, False), (0.1, wait_for_ever, False), (0.1, deaf, False)],
)
def test_in_child_ends_with_the_work_or_its_time_and_leaves_no_process(
    seconds: float, work: t.Callable[[], object], is_done: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    threads = threading.enumerate()
    assert in_child(seconds, work) is is_done
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    # Those of other tests may end meanwhile.
    assert set(threading.enumerate()) <= set(threads)
    assert capfd.readouterr() == ("", "")


def test_in_child_is_another_process(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    assert in_child(60.0, lambda: file.write_text(str(os.getpid())))
    assert int(file.read_text()) != os.getpid()
