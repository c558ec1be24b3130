# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give state databases and certificates to the tests of what uses them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki, make_pki
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import GO_FILE, state_at


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


@pytest.fixture
def go_path(tmp_path: Path) -> Path:
    """Give a copy of the Go service's file."""
    return Path(shutil.copy(GO_FILE, tmp_path / "managed-tokens.db"))


@pytest.fixture
def go_state(go_path: Path) -> State:
    """Give the database in a copy of the Go service's file."""
    return state_at(go_path)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Give certificates for a registry on loopback, made once."""
    return make_pki(tmp_path_factory.mktemp("pki"))
