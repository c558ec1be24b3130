# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main process has what its workers share, and not what only one of them needs."""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _door, _preload

PROGRAM = """
import gc, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._preload import preload
preload()
print(gc.get_freeze_count() > 10_000, "sqlalchemy.dialects.sqlite" in sys.modules, "asyncssh" in sys.modules)
"""


def test_preload_loads_what_is_shared_and_freezes_it() -> None:
    root = str(Path(_preload.__file__).parents[5])
    done = subprocess.run([sys.executable, "-c", PROGRAM, root], capture_output=True, check=False)
    assert done.stdout.split() == [b"True", b"True", b"False"], done.stderr.decode()


def test_loading_a_door_prepares_the_process_that_forks_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[bool] = []
    monkeypatch.setattr(_preload, "preload", lambda: called.append(True))
    spec = importlib.util.spec_from_file_location("door_again", _door.__file__)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert called == [True]


def test_preload_of_what_is_not_installed_is_left_to_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[t.Any] = []
    monkeypatch.setattr(_preload, "SHARED", ("no_such_library", "no_such_library.part"))
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(_preload, "tie_forks_to_this_process", lambda: None)
    _preload.preload()
    assert frozen == [True]
