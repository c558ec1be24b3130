# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the settings of the report from configuration, environment and variables, each by itself.

A bad one costs no other one. Its value is never shown: Ansible's own sentence would quote it, or the line where it
stands, and many settings are secrets.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible import constants
from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import callback_loader

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_active import NAME
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

WANTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a dictionary",
    "str": "a text",
}
UNDEFINED = "it refers to a variable that is not defined."
NO_TEMPLATE = "it cannot be resolved as a template. A text with {{, {% or {# in it needs ansible-vault or !unsafe."


class Template(t.Protocol):
    """What is used of Ansible's templar."""

    def template(self, variable: t.Any) -> t.Any: ...


@dataclass(frozen=True, slots=True)
class Given:
    """The settings as they count, and one sentence for each that does not."""

    settings: ReportSettings
    problems: tuple[str, ...] = ()


def settings_of(variables: t.Mapping[str, t.Any], templar: Template | None = None) -> Given:
    """Give the callback's settings as configuration, environment and these variables say; without a templar no
    variable counts."""
    problems: list[str] = []
    # Ansible knows a plugin's settings once it has loaded the plugin.
    plugin = callback_loader.get(NAME, class_only=True)._load_name
    definitions = constants.config.get_configuration_definitions("callback", plugin)

    def configured(name: str, **own: t.Any) -> t.Any:
        return constants.config.get_config_value(name, plugin_type="callback", plugin_name=plugin, variables=own)

    def option(name: str) -> t.Any:
        definition = definitions[name]
        for variable in (entry["name"] for entry in definition["vars"]):
            if templar is None or variables.get(variable) is None:
                continue
            value, problem = _resolved(variables[variable], templar)
            if value is None and not problem:
                continue
            if not problem:
                try:
                    if definition["type"] == "bool":
                        # Ansible takes every other word for false.
                        boolean(value)
                    return configured(name, **{variable: value})
                except Exception:  # noqa: BLE001 - whatever is wrong with the value, it must not be shown
                    problem = f"it has to be {_wanted(definition)}."
            problems.append(f"{variable} does not count: {problem}")
        try:
            return configured(name)
        except Exception:  # noqa: BLE001 - as above
            places = f"{definition['env'][0]['name']} (or {name} in ansible.cfg)"
            problems.append(f"{places} does not count: it has to be {_wanted(definition)}.")
            return None

    return Given(ReportSettings.from_options(option), tuple(problems))


def _resolved(value: t.Any, templar: Template) -> tuple[t.Any, str]:
    try:
        return templar.template(value), ""
    except AnsibleUndefinedVariable:
        return None, UNDEFINED
    except Exception:  # noqa: BLE001 - a template can fail in any way, and what it says may quote a secret
        return None, NO_TEMPLATE


def _wanted(definition: t.Mapping[str, t.Any]) -> str:
    choices = definition.get("choices")
    return f"one of {', '.join(map(str, choices))}" if choices else WANTED[definition["type"]]
