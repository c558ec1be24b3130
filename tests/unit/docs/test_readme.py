# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README asks of a site is what everything here runs with."""

from __future__ import annotations

import ast
import configparser
import re
import textwrap
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import (
    REPORT_SETTINGS,
    STAGE_SETTINGS,
)

ROOT = Path(__file__).parents[3]


def settings(text: str) -> dict[str, dict[str, str]]:
    """Give an ansible.cfg's sections."""
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def test_the_sites_ansible_cfg_is_the_laboratorys_and_in_the_checkouts() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    asked = settings(textwrap.dedent(readme.partition("```ini\n")[2].partition("```")[0]))
    inventory = ast.parse((ROOT / "lab/world/inventory.py").read_text(encoding="utf-8"))
    (laboratory,) = (
        ast.literal_eval(node.value)
        for node in inventory.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ANSIBLE_CFG"
    )
    assert settings(laboratory) == asked
    ours = settings((ROOT / "ansible.cfg").read_text(encoding="utf-8"))
    assert {name: {key: ours[name][key] for key in section} for name, section in asked.items()} == asked


DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("setting", sorted(STAGE_SETTINGS | REPORT_SETTINGS))
def test_every_setting_is_named_where_people_read(setting: str) -> None:
    assert any(re.search(rf"\b{setting}\b", path.read_text(encoding="utf-8")) for path in DOCUMENTS)
