# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was pushed ahead reaches the push stage of the same run, once, and never costs more than a second look."""

from __future__ import annotations

import stat
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Change, Pushed
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_handover import (
    NAME,
    PASSING,
    Served,
    hand_over,
    served,
    take_over,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, TOKEN, node, outcome, service

PAIR = Pair(service(), node("a"), (("/tmp/vt_u50100", TOKEN),))
DONE = Pushed(PAIR, outcome(node="a", seconds=0.25), (Change("/tmp/vt_u50100", "absent", "file, mode 0400"),))
FAILED = Pushed(PAIR, outcome("push", "failed", node="b", kind="account_refused", message="dune_production on b: no."))


def test_take_over_gives_once_what_was_handed_over(tmp_path: Path) -> None:
    hand_over(str(tmp_path), [DONE, FAILED])
    path = tmp_path / NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert CANARY not in path.read_text()
    assert take_over(str(tmp_path)) == {
        ("dune_production", "a"): Served(DONE.outcome, (("/tmp/vt_u50100", "absent", "file, mode 0400"),)),
        ("dune_production", "b"): served(FAILED),
    }
    assert not path.exists()
    assert take_over(str(tmp_path)) == {}


@pytest.mark.parametrize("kind", sorted(PASSING))
def test_hand_over_leaves_out_what_may_have_passed_unless_the_node_did_not_answer_ping_either(
    tmp_path: Path, kind: str
) -> None:
    failed = Pushed(PAIR, outcome("push", "failed", node="c", kind=kind))
    silent = Pushed(replace(PAIR, is_unanswered=True), outcome("push", "failed", node="d", kind=kind))
    hand_over(str(tmp_path), [failed, silent, DONE])
    assert sorted(node for _service, node in take_over(str(tmp_path))) == ["a", "d"]


@pytest.mark.parametrize("directory", ["", "/nonexistent/directory"])
def test_take_over_without_a_directory_there_is_nothing(
    directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hand_over(directory, [DONE])
    assert list(tmp_path.iterdir()) == []
    hand_over(str(tmp_path), [DONE])
    assert take_over(directory) == {}


def test_hand_over_never_follows_what_somebody_else_put_there(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"kept")
    (tmp_path / NAME).symlink_to(elsewhere)
    hand_over(str(tmp_path), [DONE])
    assert elsewhere.read_bytes() == b"kept"
    assert take_over(str(tmp_path)) == {}


@given(st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"[1]", b"[[{},1]]", b"[[{},[[1,2]]]]", b"null"]))
def test_take_over_of_anything_else_is_nothing_or_an_empty_outcome(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, NAME).write_bytes(content)
        assert take_over(directory) == {}
