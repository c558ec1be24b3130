# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a name stands for, and where they are reached."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import DUNE, NOVA, inventory


def test_expand_hosts_and_groups_gives_each_host_once_in_order() -> None:
    problems: list[str] = []
    found = inventory().expand([DUNE[1], "nova", "dune"], "x.nodes", problems)
    assert found == [DUNE[1], *NOVA, DUNE[0]]
    assert problems == []


def test_expand_unknown_name_is_told_with_the_nearest() -> None:
    problems: list[str] = []
    assert inventory().expand(["dunegpvm03.lab.example", "nova"], "x.nodes", problems) == [*NOVA]
    assert problems == [
        (
            "x.nodes names 'dunegpvm03.lab.example', which is neither a host nor a group of the inventory; "
            "did you mean 'dunegpvm02.lab.example'?"
        )
    ]


def test_expand_unknown_name_in_a_large_inventory_does_not_list_all_of_it() -> None:
    problems: list[str] = []
    inventory(groups={"all": [f"n{number}" for number in range(500)]}).expand(["unheard-of"], "x.nodes", problems)
    assert problems == ["x.nodes names 'unheard-of', which is neither a host nor a group of the inventory."]


def test_expand_host_of_the_play_that_no_group_lists_is_known() -> None:
    problems: list[str] = []
    view = inventory(groups={}, play_hosts=frozenset({"a"}))
    assert view.expand(["a"], "x.nodes", problems) == ["a"]
    assert problems == []


def test_node_address_and_port_of_the_inventory_are_taken() -> None:
    problems: list[str] = []
    view = inventory(addresses={"a": {"address": "10.0.0.1", "port": "2222"}})
    assert view.node("a", problems) == Node("a", "10.0.0.1", 2222)
    assert view.node("b", problems) == Node("b", "b", 22)
    assert problems == []


@pytest.mark.parametrize("port", [-1, 65536, "ssh", float("inf"), float("nan"), {"a": 1}])
def test_node_bad_port_is_one_problem_however_often_asked(port: t.Any) -> None:
    problems: list[str] = []
    view = inventory(addresses={"a": {"port": port}})
    assert view.node("a", problems).port == 22
    view.node("a", problems)
    assert len(problems) == 1
    assert problems[0].startswith("ansible_port of host a is ")


@pytest.mark.parametrize("address", ["-f", "a b", "a\nb", "a..lab"])
def test_node_bad_address_is_a_problem(address: str) -> None:
    problems: list[str] = []
    inventory(addresses={"a": {"address": address}}).node("a", problems)
    assert problems == [f"ansible_host of host a is {address!r}, which is no usable host name or address."]


def test_node_name_that_cannot_be_reached_is_a_problem_unless_it_has_an_address() -> None:
    problems: list[str] = []
    inventory(addresses={"a..b": {"address": "10.0.0.1"}}).node("a..b", problems)
    assert problems == []
    inventory().node("a..b", problems)
    assert problems == ["The inventory names 'a..b', which is no usable host name or address."]
