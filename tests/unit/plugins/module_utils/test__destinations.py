# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes which file on which node, and where tokens are kept."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import (
    all_paths,
    kept_token_path,
    paths_on,
    settle,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._selection import limit_to_hosts, select
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service


def test_all_paths_are_the_default_one_the_own_one_and_the_role_file() -> None:
    assert all_paths(service()) == ["/tmp/vt_u50100", "/tmp/vt_u50100-dune_production", "/tmp/default_role_dune_50100"]
    assert len(all_paths(service(default_role_file=""))) == 2


def test_kept_token_path_has_the_names_of_the_go_service() -> None:
    assert kept_token_path(service(), "credd1", 7) == "/srv/tokens/vt_u7-credd1-dune_production"
    assert kept_token_path(service(), "", 7) == "/srv/tokens/vt_u7-dune_production"


def test_settle_clash_first_name_wins_and_the_warning_names_both() -> None:
    later, first = service("dune_production"), service("dune_analysis")
    settled, warnings = settle([later, first])
    assert [item.config_name for item in settled] == ["dune_production", "dune_analysis"]
    assert paths_on(settled[1], node()) == all_paths(first)
    assert paths_on(settled[0], node()) == ["/tmp/vt_u50100-dune_production"]
    assert warnings == [
        f"dune_analysis and dune_production both write {path} on dunegpvm01.lab.example; "
        "dune_analysis wins, always (first by name)."
        for path in ("/tmp/default_role_dune_50100", "/tmp/vt_u50100")
    ]


def test_settle_many_nodes_are_counted_not_listed() -> None:
    nodes = tuple(node(f"n{number}") for number in range(9))
    _settled, warnings = settle([service("a_b", nodes=nodes), service("c_d", nodes=nodes)])
    assert "on n0, n1, n2 and 6 more nodes" in warnings[0]


def test_settle_two_inventory_names_of_one_address_are_one_node() -> None:
    one = service("a_b", nodes=(node("x", address="10.0.0.1"),))
    other = service("c_d", nodes=(node("y", address="10.0.0.1"),))
    settled, _warnings = settle([one, other])
    assert paths_on(settled[1], other.nodes[0]) == ["/tmp/vt_u50100-c_d", "/tmp/default_role_c_50100"]


def test_settle_services_without_uid_clash_with_nobody() -> None:
    settled, warnings = settle([service("a_b", uid=0), service("c_d", uid=0)])
    assert warnings == []
    assert all(item.yields == () for item in settled)


SERVICES = st.lists(
    st.builds(
        lambda experiment, role, uid, nodes, token_experiment, credds, role_file: service(
            f"{experiment}_{role}",
            name=f"{token_experiment or experiment}_{role}",
            uid=uid,
            nodes=tuple(node(name) for name in nodes),
            credds=tuple(Credd(name) for name in credds),
            default_role_file=role_file,
        ),
        st.sampled_from("abc"),
        st.sampled_from("xy"),
        st.sampled_from((0, 1, 2)),
        st.lists(st.sampled_from(("n1", "n2", "n3")), unique=True),
        st.sampled_from(("", "a", "b", "z")),
        st.lists(st.sampled_from(("c1", "c2")), unique=True),
        st.sampled_from(("", "/tmp/role", "/tmp/role2")),
    ),
    unique_by=lambda item: item.config_name,
    max_size=6,
)


def writers(services: t.Iterable[Service]) -> dict[tuple[str, str], list[str]]:
    """Say who writes each (node, path)."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in services:
        for there in item.nodes if item.uid else ():
            for path in paths_on(item, there):
                found.setdefault((there.name, path), []).append(item.config_name)
    return found


@given(SERVICES, st.randoms())
def test_settle_every_file_has_exactly_one_writer_whatever_the_order(services: list[Service], random: t.Any) -> None:
    settled, warnings = settle(services)
    wanted = {(there.name, path) for item in services if item.uid for there in item.nodes for path in all_paths(item)}
    found = writers(settled)
    assert found.keys() == wanted
    assert all(len(names) == 1 for names in found.values())
    shuffled = list(services)
    random.shuffle(shuffled)
    again, warnings_again = settle(shuffled)
    assert writers(again) == found
    assert [text.partition(" on ")[0] for text in warnings_again] == [text.partition(" on ")[0] for text in warnings]
    assert [item.config_name for item in settled] == [item.config_name for item in services]


@given(SERVICES, st.sets(st.sampled_from(("n1", "n2", "n3"))), st.sampled_from("abc"))
def test_settle_winner_is_the_same_in_a_narrowed_run(services: list[Service], hosts: set[str], experiment: str) -> None:
    settled, _warnings = settle(services)
    whole = writers(settled)
    known = {item.experiment for item in services}
    narrowed = limit_to_hosts(select(settled, [experiment] if experiment in known else [], []), hosts)
    assert all(whole[place] == names for place, names in writers(narrowed).items())


@given(SERVICES)
def test_settle_no_two_services_keep_their_token_in_one_file(services: list[Service]) -> None:
    settled, _warnings = settle(services)
    # Without configured credds the collector decides, and all may get the same.
    met = [replace(item, credds=item.credds or (Credd("c1"), Credd("c2"))) for item in settled]
    kept = [kept_token_path(item, credd.name, 7) for item in met for credd in item.credds]
    assert len(kept) == len(set(kept))
