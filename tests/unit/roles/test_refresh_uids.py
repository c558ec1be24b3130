# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the refresh are those of its module, and mean the same as in the other role."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_ferry import ARGUMENT_SPEC
from ansible_collections.fife.managed_tokens.tests.unit.roles.test_settings import documented

CHECKOUT = Path(__file__).resolve().parents[3]
PREFIX = "managed_tokens_"
ASPECTS = (("type", "str"), ("elements", None), ("choices", None), ("default", None), ("required", False))


def options_of(role: str) -> dict[str, t.Any]:
    """Give the settings of a role, without the prefix."""
    plain = yaml.safe_load((CHECKOUT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return {name.removeprefix(PREFIX): item for name, item in plain["argument_specs"]["main"]["options"].items()}


OPTIONS = options_of("refresh_uids")
TASKS: list[dict[str, t.Any]] = yaml.safe_load(
    (CHECKOUT / "roles" / "refresh_uids" / "tasks" / "main.yml").read_text(encoding="utf-8")
)


def test_role_settings_are_the_options_of_the_module_and_the_token_host() -> None:
    assert OPTIONS.keys() - {"token_host", "report"} == ARGUMENT_SPEC.keys()


@pytest.mark.parametrize("name", sorted(ARGUMENT_SPEC))
def test_role_setting_option_and_documentation_agree(name: str) -> None:
    texts = documented("ferry_uids")["options"]
    for aspect, absent in ASPECTS:
        wanted = ARGUMENT_SPEC[name].get(aspect, absent)
        assert (OPTIONS[name].get(aspect, absent), texts[name].get(aspect, absent)) == (wanted, wanted), aspect


def test_role_settings_that_both_roles_have_are_the_same() -> None:
    other = options_of("token_push")
    shared = {name for name in OPTIONS.keys() & other.keys() if not name.startswith("ferry_")}
    assert {"experiments", "database", "token_host"} <= shared
    assert {name: OPTIONS[name] for name in shared} == {name: other[name] for name in shared}


def test_role_hands_on_every_setting_and_omits_what_is_not_set() -> None:
    (handed,) = [task["fife.managed_tokens.ferry_uids"] for task in TASKS if "fife.managed_tokens.ferry_uids" in task]
    assert handed.keys() == ARGUMENT_SPEC.keys()
    for name, value in handed.items():
        assert re.fullmatch(rf"\{{\{{ {PREFIX}{name} \| default\((omit|\{{\}})\) \}}\}}", value), name


def test_role_tasks_are_shaped_by_no_host() -> None:
    for task in TASKS:
        assert task["run_once"] is True, task["name"]
        assert "delegate_to" in task, task["name"]
        assert not {"when", "vars", "become", "become_user", "environment", "loop"} & task.keys(), task["name"]
