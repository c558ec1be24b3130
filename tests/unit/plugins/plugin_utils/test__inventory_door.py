# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage that reads the configuration is told what the inventory says, and refuses settings that would not count."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._inventory_door import InventoryDoor

VARIABLES: dict[str, t.Any] = {
    "groups": {"all": ["a", "b"], "dune": ["a"]},
    "hostvars": {"a": {"ansible_host": "{{ x }}", "x": "10.0.0.1"}, "b": {}},
    "ansible_play_hosts_all": ["a"],
}


class FakeTemplar:
    """Know one template."""

    def copy_with_new_env(self, available_variables: dict[str, t.Any]) -> FakeTemplar:
        self.variables = available_variables
        return self

    def template(self, value: str) -> t.Any:
        return self.variables[value.strip("{ }")]


def completed(options: dict[str, t.Any], **task_vars: t.Any) -> dict[str, t.Any]:
    """Give the options that the stage gets."""
    connection = types.SimpleNamespace(transport="local")
    fakes: list[t.Any] = [types.SimpleNamespace(), connection, None, None, FakeTemplar(), None]
    return InventoryDoor(*fakes).complete(options, {**VARIABLES, **task_vars})


def test_complete_adds_groups_hosts_and_addresses() -> None:
    assert completed({"experiments": {}}) == {
        "experiments": {},
        "groups": {"all": ["a", "b"], "dune": ["a"]},
        "hosts": ["a"],
        "addresses": {"a": {"address": "10.0.0.1"}},
    }


def test_complete_what_is_given_wins() -> None:
    given = {"groups": {"all": ["z"]}, "hosts": ["z"], "addresses": {}}
    assert completed(dict(given)) == given


def test_complete_misspelt_setting_is_refused() -> None:
    with pytest.raises(BadInput, match="did you mean 'managed_tokens_principal'"):
        completed({}, managed_tokens_principle="x")


def test_complete_setting_that_differs_between_hosts_is_refused() -> None:
    hosts = {"a": {"managed_tokens_principal": "x"}, "b": {}}
    with pytest.raises(BadInput, match="is not the same for the hosts a and b"):
        completed({}, hostvars=hosts, ansible_play_hosts_all=["a", "b"])


def test_complete_experiments_that_are_a_list_are_refused() -> None:
    with pytest.raises(
        BadInput, match="managed_tokens_experiments is a list; it has to be a dictionary of experiments"
    ):
        completed({"experiments": [{"dune": {}}]})
