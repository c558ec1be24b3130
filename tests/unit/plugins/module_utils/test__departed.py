# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stanzas of services that have left the configuration are read like the others, with the nodes that are remembered."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._departed import resolve_all
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    DUNE,
    PRINCIPAL,
    experiments,
    inventory,
)

MEMORY = {"mu2e_production": Remembered("mu2e_production", frozenset({"n8", "n9"}))}


def nodes_of(departed: t.Any, problems: list[str]) -> list[str]:
    """Give the names of the nodes of the one departed service."""
    params = {"experiments": experiments(), "departed": departed, "principal": PRINCIPAL}
    configured, found = resolve_all(params, inventory(), MEMORY, problems)
    assert [item.service.config_name for item in configured.wanted] == ["dune_production"]
    return [node.name for item in found.wanted for node in item.service.nodes]


@pytest.mark.parametrize(
    ("experiment", "role", "expected"),
    [
        ("mu2e", {"production": {"account": "mu2epro"}}, ["n8", "n9"]),
        ("mu2e", {"production": {"account": "mu2epro", "nodes": ["n9"]}}, ["n9"]),
        ("dune", {"old": {"account": "duneold"}}, [*DUNE]),
    ],
)
def test_resolve_all_takes_the_nodes_that_are_given_or_of_the_group_or_remembered(
    experiment: str, role: dict[str, t.Any], expected: list[str]
) -> None:
    problems: list[str] = []
    assert nodes_of({experiment: {"roles": role}}, problems) == expected
    assert problems == []


@pytest.mark.parametrize(
    ("departed", "part"),
    [
        (experiments(), "managed_tokens_departed has dune_production, which is still in managed_tokens_experiments."),
        ({"mu2e": {"roles": {"x": {"account": "mu2e"}}}}, "managed_tokens_departed.mu2e.roles.x has no nodes"),
        ({"mu2e": None}, "managed_tokens_departed.mu2e has to be a dictionary"),
        ({"mu2e": {"roles": []}}, "managed_tokens_departed.mu2e has no roles"),
    ],
)
def test_resolve_all_names_the_setting_in_which_something_is_wrong(departed: t.Any, part: str) -> None:
    problems: list[str] = []
    nodes_of(departed, problems)
    assert any(part in text for text in problems)
