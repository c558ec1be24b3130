# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The UIDs that the database gave last: kept privately, replaced whole, and none when they cannot be read."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile
from ansible_collections.fife.managed_tokens.plugins.module_utils._last_known_uids import (
    FILE_NAME,
    LastKnown,
    forget,
    recall,
    remember,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import plain_data

UIDS = {"novapro": 2, "dunepro": 1}


def test_remember_and_recall(tmp_path: Path) -> None:
    remember(tmp_path / "kept", UIDS, now=10.0)
    assert recall(tmp_path / "kept") == LastKnown(UIDS, 10.0)
    assert stat.S_IMODE((tmp_path / "kept" / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [FILE_NAME]


def test_recall_where_nothing_is_kept_is_none(tmp_path: Path) -> None:
    assert recall(tmp_path) == recall(tmp_path / "nowhere") == LastKnown()


def test_remember_the_same_keeps_its_time_and_file(tmp_path: Path) -> None:
    remember(tmp_path, UIDS, now=10.0)
    before = (tmp_path / FILE_NAME).stat().st_ino
    remember(tmp_path, dict(reversed(UIDS.items())), now=20.0)
    assert recall(tmp_path).read == 10.0
    assert (tmp_path / FILE_NAME).stat().st_ino == before
    remember(tmp_path, {"dunepro": 1}, now=30.0)
    assert recall(tmp_path) == LastKnown({"dunepro": 1}, 30.0)


def test_remember_nothing_leaves_what_was_known(tmp_path: Path) -> None:
    remember(tmp_path, {}, now=5.0)
    assert list(tmp_path.iterdir()) == []
    remember(tmp_path, UIDS, now=10.0)
    remember(tmp_path, {}, now=20.0)
    assert recall(tmp_path) == LastKnown(UIDS, 10.0)


def test_remember_that_cannot_write_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadFile, match="Cannot make the directory"):
        remember(tmp_path / "file", UIDS, now=10.0)


DAMAGED: tuple[bytes, ...] = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b'{"uids": {"a": 1}}',
    b'{"uids": 3, "read": 1}',
    b'{"uids": {"a": "x"}, "read": 1}',
    b'{"uids": {"a": null}, "read": 1}',
    b'{"uids": {"a": Infinity}, "read": 1}',
    b'{"uids": {"a": 1}, "read": "then"}',
    b'{"uids": {"a": 1}, "read": [' + b"1, " * 40_000 + b"1]}",
)


@pytest.mark.parametrize("content", DAMAGED)
def test_recall_of_a_damaged_copy_is_none_and_it_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert recall(tmp_path) == LastKnown()
    remember(tmp_path, UIDS, now=10.0)
    assert recall(tmp_path) == LastKnown(UIDS, 10.0)


def test_recall_does_not_follow_a_link(tmp_path: Path) -> None:
    remember(tmp_path / "a", UIDS, now=10.0)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / FILE_NAME).symlink_to(tmp_path / "a" / FILE_NAME)
    assert recall(tmp_path / "b") == LastKnown()


def test_recall_never_gives_the_uid_of_root(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"uids": {"a": 0, "b": -1, "c": 3}, "read": 1}')
    assert recall(tmp_path).uids == {"c": 3}


@given(plain=plain_data() | st.dictionaries(st.sampled_from(("uids", "read")), plain_data()))
def test_recall_of_any_json_is_no_crash(tmp_path_factory: pytest.TempPathFactory, plain: t.Any) -> None:
    directory = tmp_path_factory.mktemp("kept")
    (directory / FILE_NAME).write_text(json.dumps(plain, skipkeys=True))
    assert all(uid > 0 for uid in recall(directory).uids.values())


def test_forget_takes_out_these_accounts_and_keeps_the_time(tmp_path: Path) -> None:
    remember(tmp_path, UIDS, now=10.0)
    gone, *rest = sorted(UIDS)
    forget(tmp_path, [gone, "nobody"])
    assert recall(tmp_path) == LastKnown({name: UIDS[name] for name in rest}, 10.0)


def test_forget_writes_nothing_where_nothing_is_to_be_forgotten(tmp_path: Path) -> None:
    forget(tmp_path, ["nobody"])
    assert list(tmp_path.iterdir()) == []
