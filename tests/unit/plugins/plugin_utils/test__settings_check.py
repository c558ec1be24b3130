# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting of a role that is of no use is told in one sentence with its place, and no secret is quoted."""

from __future__ import annotations

import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._settings_check import problems_of

SPECS: dict[str, dict[str, t.Any]] = {
    "managed_tokens_experiments": {"type": "dict", "required": True},
    "managed_tokens_principal": {"type": "str"},
    "managed_tokens_credds": {"type": "list", "elements": "str"},
    "managed_tokens_push_concurrency": {"type": "int", "default": 40},
    "managed_tokens_token_getter": {"choices": ["condor", "htgettoken"]},
    "managed_tokens_database_password": {"type": "str", "no_log": True},
    "managed_tokens_take_over": {"type": "bool", "no_log": True},
}
GOOD: dict[str, t.Any] = {"managed_tokens_experiments": {"dune": {"roles": {}}}}


def trusted(value: t.Any) -> t.Any:
    """Give variables as they come from an inventory: their texts are templates."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


def told(**variables: t.Any) -> list[str]:
    given = trusted({**GOOD, **variables})
    return problems_of(SPECS, given, Templar(loader=DataLoader(), variables=given).template)


HINT = "; placeholders of its own are written in single braces, like {account}."
TOLD: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"managed_tokens_experiments": ["dune"]}, "managed_tokens_experiments is a list; it has to be a dictionary."),
    ({"managed_tokens_experiments": 5}, "managed_tokens_experiments is 5; it has to be a dictionary."),
    ({"managed_tokens_credds": {"a": 1}}, "managed_tokens_credds is a dictionary; it has to be a list."),
    (
        {"managed_tokens_push_concurrency": "abc"},
        "managed_tokens_push_concurrency is 'abc'; it has to be a whole number.",
    ),
    (
        {"managed_tokens_token_getter": "x"},
        "value of managed_tokens_token_getter must be one of: condor, htgettoken, got: x.",
    ),
    ({"managed_tokens_take_over": "Canary"}, "managed_tokens_take_over is (not shown); it has to be true or false."),
    (
        {"managed_tokens_database_password": "Canary{{x}}"},
        "managed_tokens_database_password is a template that Ansible cannot resolve.",
    ),
    (
        {"managed_tokens_credds": ["a", "{{ x }}"]},
        "managed_tokens_credds[1] is a template that Ansible cannot resolve ('x' is undefined).",
    ),
    (
        {"managed_tokens_principal": "{{ account }}@R"},
        f"managed_tokens_principal is a template that Ansible cannot resolve ('account' is undefined){HINT}",
    ),
    (
        {"managed_tokens_experiments": {"dune": {"roles": {"production": {"principal": "{{.Account}}"}}}}},
        (
            "managed_tokens_experiments.dune.roles.production.principal is a template that Ansible cannot resolve "
            f"(Syntax error in template: unexpected '.'){HINT}"
        ),
    ),
)


@pytest.mark.parametrize(("variables", "sentence"), TOLD)
def test_problems_of_a_bad_setting_is_one_sentence(variables: dict[str, t.Any], sentence: str) -> None:
    assert told(**variables) == [sentence]


def test_problems_of_what_is_not_set() -> None:
    assert problems_of(SPECS, {}, str) == ["managed_tokens_experiments is not set."]


def test_problems_of_good_settings_are_none() -> None:
    assert told() == []
    assert (
        told(
            managed_tokens_principal="{account}@{{ realm }}",
            realm="R",
            managed_tokens_credds="a,b",
            managed_tokens_push_concurrency="{{ 2 * 20 }}",
            managed_tokens_experiments="{{ elsewhere }}",
            elsewhere={"dune": {}},
        )
        == []
    )
