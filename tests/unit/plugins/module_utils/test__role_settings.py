# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The type and the place of every setting of a role."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import (
    ROLE_KEYS,
    RoleSettings,
    Unusable,
    as_type,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import plain_data

GOOD: tuple[tuple[t.Any, str, t.Any], ...] = (
    ("50100", "int", 50100),
    (" 7 ", "int", 7),
    (-1, "int", -1),
    ("a, b c", "list", ["a", "b", "c"]),
    (["a ", 5], "list", ["a", "5"]),
    ([], "list", []),
    ("", "list", []),
    ("Yes", "bool", True),
    (0, "bool", False),
    (False, "bool", False),
    (12, "str", "12"),
    ("x", "str", "x"),
)


@pytest.mark.parametrize(("value", "kind", "wanted"), GOOD)
def test_as_type_of_a_clear_value_gives_it(value: t.Any, kind: str, wanted: t.Any) -> None:
    assert as_type(value, kind) == wanted


BAD: tuple[tuple[t.Any, str], ...] = (
    (True, "int"),
    ("abc", "int"),
    ("+-5", "int"),
    ("²", "int"),
    ("1.5", "int"),
    ("", "int"),
    ("9" * 5000, "int"),
    (None, "list"),
    ({"a": 1}, "list"),
    ([["a"]], "list"),
    ([True], "list"),
    (5, "list"),
    ("maybe", "bool"),
    (2, "bool"),
    (["a"], "str"),
    ({}, "str"),
    (True, "str"),
)


@pytest.mark.parametrize(("value", "kind"), BAD)
def test_as_type_of_an_unclear_value_is_unusable(value: t.Any, kind: str) -> None:
    with pytest.raises(Unusable):
        as_type(value, kind)


@given(plain_data(), st.sampled_from(("str", "int", "bool", "list")))
def test_as_type_of_anything_gives_that_type_or_is_unusable(value: t.Any, kind: str) -> None:
    try:
        found = as_type(value, kind)
    except Unusable:
        return
    assert type(found).__name__ == kind


def settings_of(values: dict[str, t.Any], general: dict[str, t.Any] | None = None) -> tuple[RoleSettings, list[str]]:
    """Give the settings of a role and the list that its problems go to."""
    problems: list[str] = []
    return RoleSettings("dune.production", values, general or {}, problems), problems


def test_get_role_level_wins_over_general_over_default() -> None:
    settings, problems = settings_of({"principal": "own"}, {"principal": "general", "vault_server": "v"})
    assert settings.get("principal") == "own"
    assert settings.get("vault_server") == "v"
    assert settings.get("keytab", "default") == "default"
    assert problems == []


def test_get_null_counts_as_absent() -> None:
    settings, problems = settings_of({"principal": None}, {"principal": "general", "vault_server": None})
    assert settings.get("principal") == "general"
    assert not settings.has("vault_server")
    assert problems == []


def test_get_wrong_type_is_one_problem_however_often_asked() -> None:
    settings, problems = settings_of({"credds": {"a": 1}})
    assert settings.get("credds", ()) == ()
    assert settings.get("credds", ()) == ()
    assert problems == ["dune.production.credds is {'a': 1}; it has to be a list of names."]


def test_get_wrong_type_of_a_general_setting_names_the_variable() -> None:
    settings, problems = settings_of({}, {"collectors": 5})
    settings.get("collectors")
    assert problems == ["managed_tokens_collectors is 5; it has to be a list of names."]


@pytest.mark.parametrize("key", sorted(ROLE_KEYS))
def test_unknown_key_is_told_with_the_nearest_known_one(key: str) -> None:
    _settings, problems = settings_of({f"{key}x": "a"})
    assert problems == [f"dune.production has an unknown key '{key}x'; did you mean '{key}'?"]


def test_unknown_token_getter_is_told_with_the_known_ones() -> None:
    _settings, problems = settings_of({"token_getter": "magic"})
    assert problems == ["dune.production.token_getter is 'magic'; it has to be condor or htgettoken."]
