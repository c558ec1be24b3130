# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document for people who come from the Go service says what the translation does, all of it and nothing else."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.fife.managed_tokens.plugins.inventory import managed_tokens_config
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import EXPERIMENT_KEYS
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import ROLE_KEYS as OUR_ROLE_KEYS
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_keys as keys
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_file import PLUGIN
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_settings import DEFAULT_DATABASE
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_templates import ROLE_FILE_FIELDS

CHECKOUT = Path(__file__).resolve().parents[3]
TEXT = (CHECKOUT / "docs" / "coming-from-managed-tokens.md").read_text(encoding="utf-8")
TABLES = {
    "At the top": keys.TOP_KEYS,
    "Flags": keys.FLAG_KEYS,
    "Experiments": keys.EXPERIMENT_KEYS,
    "Roles": keys.ROLE_KEYS,
}


def rows(heading: str) -> list[list[str]]:
    """Give the cells of each row of the table below a heading, without its head."""
    part = re.split(r"\n#+ ", TEXT.partition(f"\n### {heading}\n")[2])[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("heading", sorted(TABLES))
def test_a_table_holds_every_key_with_what_it_is_here(heading: str) -> None:
    assert rows(heading) == [
        [f"`{key.name}`", f"`{key.ours}`" if key.ours else "nothing", key.note] for key in TABLES[heading]
    ]


def test_what_keys_become_are_settings_that_exist() -> None:
    for key in (*keys.TOP_KEYS, *keys.FLAG_KEYS):
        if key.ours:
            variable, _dot, part = key.ours.partition(".")
            assert variable in KNOWN_SETTINGS, key.name
            assert not part or part in Timeouts.__dataclass_fields__, key.name
    assert {key.ours for key in keys.EXPERIMENT_KEYS} <= set(EXPERIMENT_KEYS)
    assert {key.ours for key in keys.ROLE_KEYS if key.ours} <= OUR_ROLE_KEYS.keys()


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"\bmanaged_tokens_[a-z_]+", TEXT)) - {"managed_tokens_config"}
    assert named - KNOWN_SETTINGS == set()


def test_every_field_of_a_template_is_named() -> None:
    for field in ROLE_FILE_FIELDS:
        assert f"`{{{{.{field}}}}}`" in TEXT


def test_the_two_lines_and_the_way_to_enable_are_right() -> None:
    lead = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0])
    options: dict[str, t.Any] = yaml.safe_load(managed_tokens_config.DOCUMENTATION)["options"]
    assert lead["plugin"] == PLUGIN
    assert lead.keys() <= options.keys()
    shipped = re.findall(r"enable_plugins = (.*)", (CHECKOUT / "ansible.cfg").read_text(encoding="utf-8"))
    assert re.findall(r"enable_plugins = (.*)", TEXT) == shipped
    assert re.findall(r"ANSIBLE_INVENTORY_ENABLED=(\S+)", TEXT) == [text.replace(" ", "") for text in shipped]
    order = shipped[0].split(", ")
    assert order.index(PLUGIN) < order.index("yaml")


def test_the_places_are_those_of_the_translation() -> None:
    assert f"`{DEFAULT_DATABASE}`" in TEXT


def test_playbooks_and_files_that_are_named_exist() -> None:
    named = set(re.findall(r"\bfife\.managed_tokens\.([a-z_]+)", TEXT))
    assert {"token_push", "refresh_uids", "services", "onboarding"} <= named
    for name in named:
        places = (
            f"playbooks/{name}.yml",
            *(f"plugins/{kind}/{name}.py" for kind in ("modules", "callback", "inventory")),
        )
        assert any((CHECKOUT / place).is_file() for place in places), name
    for file in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (CHECKOUT / "docs" / file).is_file(), file
