# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services are taken off a node: never one that the next run would put back."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import Known
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving_nodes import (
    TakenOff,
    Whereabouts,
    choose_on_nodes,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service

DUNE, ANA, NOVA, OLD = "dune_production", "dune_analysis", "nova_production", "dune_old"


def _was(name: str, *nodes: str) -> Remembered:
    return Remembered(name, frozenset(nodes))


# dune_production has left n2 and n9, which has left the inventory; dune_analysis has not left n2. Nobody was on n4.
KNOWN = Known(
    {name: service(name) for name in (DUNE, ANA, NOVA)},
    {
        DUNE: _was(DUNE, "n1", "n2", "n9"),
        ANA: _was(ANA, "n1", "n2"),
        NOVA: _was(NOVA, "n2", "n3"),
        OLD: _was(OLD, "n5"),
    },
)
WHERE = Whereabouts({DUNE: ["n1"], ANA: ["n1", "n2"], NOVA: ["n3"]}, ["n1", "n2", "n3", "n4", "n5"])
UNREAD = replace(WHERE, is_memory_read=False)


def choose(
    *nodes: str, experiments: t.Sequence[str] = (), names: t.Sequence[str] = (), where: Whereabouts = WHERE
) -> TakenOff:
    return choose_on_nodes(KNOWN, where, nodes, experiments, names)


CHOICES: dict[str, tuple[TakenOff, dict[str, tuple[str, ...]]]] = {
    "all that left the node": (choose("n2"), {DUNE: ("n2",), NOVA: ("n2",)}),
    "those of an experiment": (choose("n2", experiments=["nova"]), {NOVA: ("n2",)}),
    "those that are named": (choose("n2", names=[DUNE]), {DUNE: ("n2",)}),
    "named together with an experiment": (
        choose("n2", experiments=["nova"], names=[DUNE]),
        {DUNE: ("n2",), NOVA: ("n2",)},
    ),
    "a node that has left the inventory": (choose("n9"), {DUNE: ("n9",)}),
    "several nodes, one of them twice": (choose("n9", "n2", "n9"), {DUNE: ("n2", "n9"), NOVA: ("n2",)}),
    "a service that has left the configuration": (choose("n5"), {OLD: ("n5",)}),
    "named and never there": (choose("n4", names=[DUNE]), {DUNE: ("n4",)}),
    "named while nothing is remembered": (choose("n8", names=[DUNE], where=UNREAD), {DUNE: ("n8",)}),
}


@pytest.mark.parametrize("case", sorted(CHOICES))
def test_choose_on_nodes_takes_off_what_is_no_longer_configured_there(case: str) -> None:
    taken, expected = CHOICES[case]
    assert taken.nodes == expected


def test_choose_on_nodes_names_what_stays_beside_what_goes() -> None:
    assert choose("n2").warnings == ("dune_analysis is still configured for n2, and not taken off it.",)
    assert choose("n2", names=[DUNE]).warnings == ()
    assert choose("n9").warnings == ()


REFUSED: tuple[tuple[dict[str, t.Any], list[str]], ...] = (
    ({"nodes": ["n1"]}, ["dune_analysis, dune_production are still configured for n1, and nothing else is remembered"]),
    ({"nodes": ["n2"], "names": [DUNE, ANA]}, ["dune_analysis is still configured for n2: take the node out of"]),
    ({"nodes": ["n2"], "experiments": ["mu2e"]}, ["managed_tokens_experiment names 'mu2e'"]),
    ({"nodes": ["n2"], "names": ["dune_prodction"]}, ["did you mean 'dune_production'?"]),
    ({"nodes": ["n4"]}, ["Nothing of any service is remembered on n4"]),
    ({"nodes": ["n3"], "experiments": ["dune"]}, ["Nothing of these services is remembered on n3"]),
    ({"nodes": ["n9.lab.example"]}, ["'n9.lab.example', which is neither in the inventory nor remembered."]),
    ({"nodes": ["nn9"]}, ["neither in the inventory nor remembered; did you mean 'n9'?"]),
    ({"nodes": ["n1", "n4", "n2"]}, ["still configured for n1", "remembered on n4"]),
    ({"nodes": ["n2"], "where": UNREAD}, ["No state database says which services were on n2: name them with"]),
    ({"nodes": ["-n"], "names": [DUNE], "where": UNREAD}, ["managed_tokens_node names '-n'"]),
)


@pytest.mark.parametrize(("given", "parts"), REFUSED)
def test_choose_on_nodes_refuses_what_makes_no_sense_with_all_that_is_wrong(
    given: dict[str, t.Any], parts: list[str]
) -> None:
    with pytest.raises(BadInput) as caught:
        choose(*given["nodes"], **{key: value for key, value in given.items() if key != "nodes"})
    assert len(caught.value.problems) == len(parts)
    for problem, part in zip(caught.value.problems, parts, strict=True):
        assert part in problem
