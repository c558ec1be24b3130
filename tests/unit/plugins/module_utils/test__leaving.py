# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services go, where they are, and what of it others keep."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import (
    Known,
    choose,
    incomplete,
    leave_to_others,
    selection_problems,
    with_remembered,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Node
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service

KNOWN = Known(
    {"dune_production": service("dune_production"), "dune_analysis": service("dune_analysis")},
    {"dune_old": Remembered("dune_old"), "nova_production": Remembered("nova_production")},
)
N1, N2 = node("n1"), node("n2")


@pytest.mark.parametrize(
    ("experiments", "names", "part"),
    [
        ([], [], "give managed_tokens_service or managed_tokens_experiment"),
        ([], ["all"], "managed_tokens_service is 'all'"),
        (["ALL"], [], "managed_tokens_experiment is 'ALL'"),
        (["dune"], ["*"], "managed_tokens_service is '*'"),
        ([], [], "or managed_tokens_node to take them off a node"),
    ],
)
def test_selection_problems_everything_is_never_removed(experiments: list[str], names: list[str], part: str) -> None:
    (problem,) = selection_problems(experiments, names)
    assert part in problem


def test_selection_problems_has_none_for_names() -> None:
    assert selection_problems([], ["dune_production"]) == []
    assert selection_problems([], [], ["n1"]) == []
    (problem,) = selection_problems([], [], ["all"])
    assert "managed_tokens_node is 'all'" in problem


@pytest.mark.parametrize(
    ("experiments", "names", "expected"),
    [
        ([], ["dune_production"], ["dune_production"]),
        (["dune"], [], ["dune_analysis", "dune_old", "dune_production"]),
        (["nova"], ["dune_old"], ["dune_old", "nova_production"]),
    ],
)
def test_choose_knows_what_is_configured_and_what_is_remembered(
    experiments: list[str], names: list[str], expected: list[str]
) -> None:
    assert choose(KNOWN, experiments, names) == expected


def test_choose_refuses_what_nobody_knows_all_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        choose(KNOWN, ["dnue"], ["dune_prodction"])
    assert len(caught.value.problems) == 2
    assert "did you mean 'dune_production'?" in caught.value.msg


def test_with_remembered_adds_what_the_service_is_no_longer_configured_for() -> None:
    had = Remembered("dune_production", frozenset({"n1", "n2", "-bad"}), frozenset({"c0", "credd1.lab.example"}))
    found = with_remembered(service(nodes=(N1,)), had, lambda name: Node(name, "10.0.0.1"), "collector")
    assert found.nodes == (N1, Node("n2", "10.0.0.1"))
    assert [credd.name for credd in found.credds] == ["credd1.lab.example", "c0"]
    assert found.credds[1] == Credd("c0", "collector")
    assert with_remembered(service(), None, node, "") == service()


def test_incomplete_says_what_is_not_known_and_how_to_give_it() -> None:
    found = incomplete("nova_production", Remembered("nova_production"), "/srv/tokens")
    assert found.problem is not None
    assert found.problem.kind == "service_incomplete"
    assert '{"managed_tokens_departed": {"nova": {"roles": {"production": {"account": "ACCOUNT"}}}}}' in (
        found.problem.message
    )


def test_leave_to_others_spares_the_paths_of_the_same_account_on_the_same_node() -> None:
    other = service("dune_analysis", account="dunepro", nodes=(N1,), default_role_file="")
    (left,), told = leave_to_others([service(nodes=(N1, N2))], [other])
    assert left.yields == (("n1", "/tmp/vt_u50100"),)
    (sentence,) = told
    assert "/tmp/vt_u50100, which dune_production has written too, stays on n1: dune_analysis" in sentence


def test_leave_to_others_knows_the_uid_of_an_account_that_the_other_service_does_not() -> None:
    other = service("dune_analysis", account="dunepro", nodes=(N1,), uid=0)
    (left,), _told = leave_to_others([service(nodes=(N1,))], [other])
    assert left.yields == (("n1", "/tmp/vt_u50100"),)


@pytest.mark.parametrize(
    "other", [service("nova_x", account="novapro", uid=7, nodes=(N1,)), service("a_b", nodes=(N2,))]
)
def test_leave_to_others_spares_nothing_of_other_accounts_and_nodes(other: object) -> None:
    (left,), told = leave_to_others([service(nodes=(N1,))], [other])  # type: ignore[list-item]
    assert (left.yields, told) == ((), [])


def test_leave_to_others_lets_one_of_two_that_go_remove_what_both_have() -> None:
    first, second = service("dune_a", nodes=(N1,)), service("dune_b", nodes=(N1,))
    (one, two), told = leave_to_others([first, second], [])
    assert (one.yields, told) == ((), [])
    assert two.yields == (("n1", "/tmp/vt_u50100"), ("n1", "/tmp/default_role_dune_50100"))
