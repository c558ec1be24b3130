# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say which settings a role may have, and give each one's value: role level, else the general setting, else the
default."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._names import suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import TOKEN_GETTERS

EXPERIMENT_KEYS = ("emails", "roles", "token_experiment")

# Settings that exist under the same name for all roles and for one; the type is what a value is turned into.
SHARED_SETTINGS: dict[str, str] = {
    "principal": "str",
    "credds": "list",
    "collectors": "list",
    "schedd_constraint": "str",
    "vault_server": "str",
    "token_getter": "str",
    "default_role_file": "str",
    "token_dir": "str",
    "notify": "bool",
}
ROLE_ONLY = {"account": "str", "uid": "int", "nodes": "list", "keytab": "str", "ssh_port": "int"}
ROLE_KEYS: dict[str, str] = {**SHARED_SETTINGS, **ROLE_ONLY}

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,30}\Z")
_TRUE = ("yes", "on", "true", "1")
_FALSE = ("no", "off", "false", "0")


class Unusable(Exception):
    """A value cannot be turned into what the setting needs; the text says what that is."""


def as_type(value: t.Any, kind: str) -> t.Any:
    """Turn `value` into a str, int, bool or list of str.

    Raises: Unusable when that would be a guess.
    """
    if kind == "list":
        return _as_list(value)
    if kind == "bool":
        return _as_bool(value)
    if kind == "int":
        text = str(value).strip()
        if isinstance(value, bool) or not _WHOLE_NUMBER.match(text):
            raise Unusable("a whole number")
        return int(text)
    if isinstance(value, (dict, list, tuple, bool)) or value is None:
        raise Unusable("text")
    return str(value)


def _as_list(value: t.Any) -> list[str]:
    if isinstance(value, str):
        return value.replace(",", " ").split()
    if isinstance(value, (list, tuple)) and all(
        isinstance(item, (str, int)) and not isinstance(item, bool) for item in value
    ):
        return [str(item).strip() for item in value]
    raise Unusable("a list of names")


def _as_bool(value: t.Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE + _FALSE:
        return text in _TRUE
    raise Unusable("true or false")


class RoleSettings:
    """The settings of one role, with the place they stand at for messages; `problems` collects what is wrong."""

    def __init__(
        self, where: str, values: t.Mapping[str, t.Any], general: t.Mapping[str, t.Any], problems: list[str]
    ) -> None:
        self.where = where
        self._values = {key: value for key, value in values.items() if value is not None}
        self._general = {key: value for key, value in general.items() if value is not None}
        self._problems = problems
        problems.extend(
            f"{where} has an unknown key {key!r}{suggestion(str(key), ROLE_KEYS)}"
            for key in self._values
            if key not in ROLE_KEYS
        )
        if self.get("token_getter", TOKEN_GETTERS[0]) not in TOKEN_GETTERS:
            problems.append(
                f"{where}.token_getter is {self.get('token_getter')!r}; it has to be {' or '.join(TOKEN_GETTERS)}."
            )

    def has(self, key: str) -> bool:
        """Tell whether the role itself or the general settings give `key`."""
        return key in self._values or key in self._general

    def place(self, key: str) -> str:
        """Give the name under which `key` is set: the role's own, or the general setting."""
        return f"{self.where}.{key}" if key in self._values else f"managed_tokens_{key}"

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """Give the value of `key` in its type; a value of another type is a problem and counts as absent."""
        for place, values in ((f"{self.where}.{key}", self._values), (f"managed_tokens_{key}", self._general)):
            if key in values:
                try:
                    return as_type(values[key], ROLE_KEYS[key])
                except Unusable as err:
                    text = f"{place} is {values[key]!r}; it has to be {err}."
                    if text not in self._problems:
                        self._problems.append(text)
                    return default
        return default
