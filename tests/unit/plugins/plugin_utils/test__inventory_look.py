# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first stage sees of Ansible's inventory, and which settings it refuses."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._inventory_look import (
    addresses,
    check_known_settings,
    check_run_settings,
    look_at,
    raw_variables,
)


class HostVars(dict[str, t.Any]):
    """Give variables as they are written, as Ansible's own does; templating them all would be dear."""

    def raw_get(self, host: str) -> t.Any:
        return super().__getitem__(host)

    def __getitem__(self, host: str) -> t.NoReturn:
        raise AssertionError("all variables of a host were templated")


def with_hosts(**hosts: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"hostvars": HostVars(hosts)}


def never(_value: object, _variables: dict[str, t.Any]) -> t.NoReturn:
    raise AssertionError("something was templated that is no template")


def test_raw_variables_of_a_host_are_not_templated() -> None:
    assert raw_variables(with_hosts(a={"x": "{{ y }}"}), "a") == {"x": "{{ y }}"}


@pytest.mark.parametrize("task_vars", [{}, {"hostvars": {}}, {"hostvars": {"a": None}}])
def test_raw_variables_of_an_unknown_host_are_none(task_vars: dict[str, t.Any]) -> None:
    assert raw_variables(task_vars, "a") == {}


def test_look_at_keeps_of_each_host_what_tells_something() -> None:
    task_vars = with_hosts(a={"ansible_host": "n1", "managed_tokens_push_retries": 1, "other": 1}, b={"other": 2})
    assert look_at(task_vars, "aab") == {"a": {"ansible_host": "n1", "managed_tokens_push_retries": 1}, "b": {}}


def test_addresses_only_of_hosts_that_have_their_own() -> None:
    task_vars = with_hosts(a={"ansible_host": "10.0.0.1", "ansible_port": 2222}, b={"ansible_host": ""}, c={})
    assert addresses(task_vars, look_at(task_vars, "abc"), "abc", never) == {"a": {"address": "10.0.0.1", "port": 2222}}


def test_addresses_templates_are_resolved_with_the_hosts_own_variables() -> None:
    def template(value: object, variables: dict[str, t.Any]) -> str:
        assert value == "{{ short }}.lab"
        return f"{variables['short']}.lab"

    task_vars = with_hosts(
        a={"ansible_host": "{{ short }}.lab", "short": "n1"}, b={"ansible_host": "{{ short }}.lab", "short": "n2"}
    )
    found = addresses(task_vars, look_at(task_vars, "ab"), "ab", template)
    assert found == {"a": {"address": "n1.lab"}, "b": {"address": "n2.lab"}}


SETTING = "managed_tokens_push_retries"


def test_check_run_settings_same_for_all_hosts_is_fine() -> None:
    task_vars = with_hosts(a={SETTING: 1, "other": 1}, b={SETTING: 1, "other": 2})
    check_run_settings(look_at(task_vars, "ab"), ["a", "b"])
    check_run_settings({}, [])


def test_check_run_settings_different_ones_are_told_each_once() -> None:
    task_vars = with_hosts(
        a={SETTING: 1}, b={SETTING: 2, "managed_tokens_vault_ca": "/x"}, c={SETTING: 3, "managed_tokens_vault_ca": "/y"}
    )
    with pytest.raises(BadInput) as caught:
        check_run_settings(look_at(task_vars, "abc"), ["a", "b", "c"])
    assert [text.partition(";")[0] for text in caught.value.problems] == [
        f"{SETTING} is not the same for the hosts a and b",
        "managed_tokens_vault_ca is not the same for the hosts a and b",
    ]


def test_check_known_settings_misspelt_ones_are_told_with_the_nearest() -> None:
    given = {"managed_tokens_push_retrys": 1, "managed_tokens_zzz": 2, SETTING: 3, "other": 4}
    with pytest.raises(BadInput) as caught:
        check_known_settings(given, KNOWN_SETTINGS)
    assert caught.value.problems == (
        "The variable managed_tokens_push_retrys is unknown; did you mean 'managed_tokens_push_retries'?",
        "The variable managed_tokens_zzz is unknown.",
    )
    check_known_settings(dict.fromkeys(KNOWN_SETTINGS, 1), KNOWN_SETTINGS)


MISSPELT_PREFIXES = (
    "managed_token_service", "managedtokens_service", "manage_tokens_service", "manages_tokens_service",
    "mangaed_tokens_service", "MANAGED_TOKENS_SERVICE", "managed_token_servise",
)  # fmt: skip


@pytest.mark.parametrize("name", MISSPELT_PREFIXES)
def test_check_known_settings_misspelt_prefix_of_a_setting_is_told(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_known_settings({name: "dune_production"}, KNOWN_SETTINGS)
    assert caught.value.problems == (f"The variable {name} is unknown; did you mean 'managed_tokens_service'?",)


@pytest.mark.parametrize("name", ["managed_token_zzz", "monitor_tokens_service", "my_tokens_service", "tokens_service"])
def test_check_known_settings_what_may_be_somebody_elses_is_fine(name: str) -> None:
    check_known_settings({name: 1}, KNOWN_SETTINGS)
