# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing of a service that goes stops nothing but what needs it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _htcondor as htcondor
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving_setup import (
    Completed,
    complete_leaving,
    complete_on_nodes,
    unreachable,
    unreachable_on_nodes,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import HTGETTOKEN, Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service

HAD = Remembered("dune_production", frozenset({"n9"}), frozenset({"c9"}))


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have HTCondor's programs installed."""
    monkeypatch.setattr(htcondor, "find_program", lambda *names: names[0])


def complete(
    given: Service, had: Remembered | None = None, *, answers: bool = True, is_memory_read: bool = True
) -> Completed:
    """Complete a service with a pool that lists c1, or does not answer; nobody names a vault server."""

    def run(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        return Finished(0, "c1\n", 0.0) if answers and argv[0] == "condor_status" else Finished(1, "no\n", 0.0)

    wanted = Wanted(given, given.uid or None, (), ("collector",), "", "")
    return complete_leaving(given, wanted, Pool(run, 5.0), had, node, is_memory_read=is_memory_read)


def statuses(done: Completed) -> list[tuple[str, str, str]]:
    return [(outcome.stage, outcome.status, outcome.kind) for outcome in done.outcomes]


def test_complete_leaving_without_a_vault_server_is_well() -> None:
    done = complete(service(vault_server=""))
    assert ([credd.name for credd in done.service.credds], statuses(done)) == (["c1"], [("setup", "ok", "")])


def test_complete_leaving_of_a_service_that_stored_before_asks_those_credds() -> None:
    done = complete(service(token_getter=HTGETTOKEN), HAD)
    assert [credd.name for credd in done.service.credds] == ["c9"]
    assert [item.name for item in done.service.nodes] == [service().nodes[0].name, "n9"]


def test_complete_leaving_with_a_silent_collector_is_a_failure_that_stops_nothing() -> None:
    done = complete(service(), HAD, answers=False)
    assert statuses(done) == [("setup", "failed", "collector_unavailable")]
    assert (done.service.problem, [credd.name for credd in done.service.credds]) == (None, ["c9"])
    assert ".." not in done.outcomes[0].message


@pytest.mark.parametrize(
    ("had", "is_memory_read", "is_well"), [(None, True, True), (HAD, True, False), (None, False, False)]
)
def test_complete_leaving_without_a_uid_is_well_only_where_nothing_can_be(
    had: Remembered | None, is_memory_read: bool, is_well: bool
) -> None:
    done = complete(service(uid=0), had, is_memory_read=is_memory_read)
    assert done.service.nodes == ()
    assert all(outcome.status == "ok" for outcome in done.outcomes) is is_well
    assert bool(done.warnings) is is_well


def test_unreachable_has_all_that_is_remembered() -> None:
    done = unreachable("dune_production", HAD, "/srv/tokens", node)
    assert ([item.name for item in done.service.nodes], done.service.token_dir) == (["n9"], "/srv/tokens")
    assert statuses(done) == [("setup", "failed", "service_incomplete")]


def complete_there(given: Service, had: Remembered | None, *nodes: Node) -> Completed:
    wanted = Wanted(given, given.uid or None, ("c1",), ("collector",), "", "", ssh_port=2222)
    return complete_on_nodes(given, wanted, had, nodes, is_memory_read=True)


def test_complete_on_nodes_has_those_nodes_and_no_credd() -> None:
    done = complete_there(service(), HAD, node("n9"))
    assert (done.service.nodes, done.service.credds, done.service.goes_on) == ((node("n9", port=2222),), (), True)
    assert statuses(done) == [("setup", "ok", "")]


@pytest.mark.parametrize(("name", "is_well"), [("n9", False), ("n8", True)])
def test_complete_on_nodes_without_a_uid_is_well_only_where_nothing_can_be(name: str, is_well: bool) -> None:
    done = complete_there(service(uid=0), HAD, node(name))
    assert all(outcome.status == "ok" for outcome in done.outcomes) is is_well
    assert done.service.nodes == ()


def test_complete_leaving_reaches_a_node_that_it_left_at_the_role_s_own_port() -> None:
    given = service()
    wanted = Wanted(given, None, (), (), "", "", ssh_port=2222)
    pool = Pool(lambda *_argv, **_more: Finished(1, "no", 0.0), 5.0)
    done = complete_leaving(given, wanted, pool, HAD, node, is_memory_read=True)
    assert done.service.nodes[-1] == node("n9", port=2222)


def test_unreachable_on_nodes_is_for_those_nodes_alone() -> None:
    done = unreachable_on_nodes("a_b", Remembered("a_b", frozenset({"n8", "n9"}), HAD.credds), "/srv", [node("n9")])
    assert (done.service.nodes, done.service.credds, done.service.goes_on) == ((node("n9"),), (), True)
    assert statuses(done) == [("setup", "failed", "service_incomplete")]
