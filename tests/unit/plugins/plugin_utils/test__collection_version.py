# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version is that of the installed collection, or of the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collection_version import collection_version

CHECKOUT = Path(__file__).resolve().parents[4]
MANIFEST = json.dumps({"collection_info": {"version": "1.2.3"}})


def test_collection_version_of_this_checkout_is_in_galaxy_yml() -> None:
    said = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["version"]
    assert collection_version(CHECKOUT) == str(said)


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"MANIFEST.json": MANIFEST, "galaxy.yml": "version: 9.9.9\n"}, "1.2.3"),
        ({"galaxy.yml": "name: x\nversion: '2.0.0-rc1'  # soon\n"}, "2.0.0-rc1"),
        ({"MANIFEST.json": "{", "galaxy.yml": "version: 2.0.0"}, "2.0.0"),
        ({"MANIFEST.json": '{"collection_info": 3}'}, "unknown"),
        ({"galaxy.yml": "name: x\n"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_collection_version_of_a_directory(tmp_path: Path, files: dict[str, str], version: str) -> None:
    for name, words in files.items():
        (tmp_path / name).write_text(words)
    assert collection_version(tmp_path) == version
