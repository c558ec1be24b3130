# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Compare the variables of a play with the settings of a role, and say what is wrong with each in one sentence."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import ArgumentTypeError, RequiredError

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import PREFIX

Specs = t.Mapping[str, t.Mapping[str, t.Any]]
Template = t.Callable[[t.Any], t.Any]
TYPES = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "str": "text",
}
# They have placeholders of their own.
WITH_PLACEHOLDERS = ("principal", "default_role_file")
_VALUE_LIMIT = 100


def problems_of(specs: Specs, variables: t.Mapping[str, t.Any], template: Template) -> list[str]:
    """Give one sentence for each setting that cannot be resolved, is missing, or is not of its type or choices.

    `variables` are as they are written; `template` resolves one. A setting that is a secret is not quoted.
    """
    problems: list[str] = []
    for name, spec in specs.items():
        values: dict[str, t.Any] = {}
        if name in variables:
            try:
                values[name] = template(variables[name])
            except AnsibleError:
                is_secret = bool(spec.get("no_log"))
                problems += _unresolved(name, variables[name], template, is_secret=is_secret)
                continue
        for error in ArgumentSpecValidator({name: dict(spec)}).validate(values).errors:
            problems.append(_sentence(name, spec, values.get(name), error))
    return problems


def _unresolved(place: str, value: t.Any, template: Template, *, is_secret: bool) -> list[str]:
    """Find where in a setting the text stands that cannot be resolved."""
    if isinstance(value, t.Mapping):
        inner = [(f"{place}.{key}", item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        inner = [(f"{place}[{number}]", item) for number, item in enumerate(value)]
    else:
        try:
            template(value)
        except AnsibleError as err:
            why = "" if is_secret else f" ({one_line(err.message.partition(chr(10))[0], _VALUE_LIMIT).rstrip('.')})"
            return [f"{place} is a template that Ansible cannot resolve{why}{_hint(place)}."]
        return []
    return [sentence for name, item in inner for sentence in _unresolved(name, item, template, is_secret=is_secret)]


def _hint(place: str) -> str:
    if place.rpartition(".")[2].removeprefix(PREFIX) not in WITH_PLACEHOLDERS:
        return ""
    return "; placeholders of its own are written in single braces, like {account}"


def _sentence(name: str, spec: t.Mapping[str, t.Any], value: t.Any, error: Exception) -> str:
    if isinstance(error, RequiredError):
        return f"{name} is not set."
    if not isinstance(error, ArgumentTypeError):
        return f"{one_line(str(error)).rstrip('.')}."
    wanted = TYPES.get(str(spec.get("type", "str")), "of another type")
    return f"{name} is {_shown(value, is_secret=bool(spec.get('no_log')))}; it has to be {wanted}."


def _shown(value: t.Any, *, is_secret: bool) -> str:
    if isinstance(value, t.Mapping):
        return "a dictionary"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "(not shown)" if is_secret else one_line(repr(value)[:_VALUE_LIMIT])
