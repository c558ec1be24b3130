# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which token files count as being in place, and what altering does to them."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import node_files
import pytest

TOKEN = b"hvs.one\n"
LAYOUT: dict[str, t.Any] = {
    "services": [{"name": "dune_production", "experiment": "dune", "uid": os.getuid()}],
    "nodes": [{"name": "n1", "experiments": ["dune"]}, {"name": "n2", "experiments": ["nova"]}],
}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the /tmp of every node, with the tokens of a run that went well."""
    (tmp_path / "n").mkdir()
    monkeypatch.setattr(node_files, "directory_of", lambda _name: tmp_path / "n")
    for name in node_files.destinations(LAYOUT["services"][0]):
        path = tmp_path / "n" / name
        path.write_bytes(TOKEN)
        path.chmod(0o400)
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "vt_u1-credd1-dune_production").write_bytes(TOKEN)
    (kept / "vt_u1-credd2-dune_production").write_bytes(b"hvs.two\n")
    return tmp_path / "n"


def foreign_mode(path: Path) -> None:
    path.chmod(0o644)


def other_content(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"hvs.old\n")
    path.chmod(0o400)


def gone(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def test_files_of_every_credd_s_token_are_in_place(node: Path) -> None:
    assert node_files.check(LAYOUT, node.parent / "kept") == {"wanted": 2, "in_place": 2}
    other_content(node / f"vt_u{os.getuid()}")
    (node / f"vt_u{os.getuid()}").chmod(0o600)
    (node / f"vt_u{os.getuid()}").write_bytes(b"hvs.two\n")
    (node / f"vt_u{os.getuid()}").chmod(0o400)
    assert node_files.check(LAYOUT, node.parent / "kept") == {"wanted": 2, "in_place": 2}


@pytest.mark.parametrize("spoil", [foreign_mode, other_content, gone, link])
def test_anything_else_is_not_in_place(node: Path, spoil: t.Callable[[Path], None]) -> None:
    spoil(node / f"vt_u{os.getuid()}")
    assert node_files.check(LAYOUT, node.parent / "kept") == {"wanted": 2, "in_place": 1}


def test_altered_files_have_the_same_length_and_another_content(node: Path) -> None:
    layout = {**LAYOUT, "nodes": LAYOUT["nodes"][:1]}
    for path in node.iterdir():
        # The laboratory's root may write what is read-only; whoever runs this test may not.
        path.chmod(0o600)
    assert node_files.alter(layout) == {"altered": 2}
    assert all(len(path.read_bytes()) == len(TOKEN) and path.read_bytes() != TOKEN for path in node.iterdir())
