# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Give the services that an offboarding was asked for, each with all that is to be removed of it: everything, or what
it has on some nodes. Reads only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool
from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import Known, choose
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving_nodes import Whereabouts, choose_on_nodes
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving_setup import (
    Completed,
    complete_leaving,
    complete_on_nodes,
    unreachable,
    unreachable_on_nodes,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known when the services are chosen: `configured` are those of the configuration, without the departed
    ones."""

    known: Known
    wanted: t.Mapping[str, Wanted]
    view: InventoryView
    configured: frozenset[str]
    is_memory_read: bool

    def node(self, name: str) -> Node:
        """Give the node of that name, also when the inventory does not have it."""
        return self.view.node(name, [])


@dataclass(frozen=True, slots=True)
class Chosen:
    """The services, and what deserves a warning about the choice."""

    services: tuple[Completed, ...]
    warnings: tuple[str, ...] = ()


def complete_chosen(scene: Scene, params: t.Mapping[str, t.Any], pool: Pool) -> Chosen:
    """Give the services that the options `experiment`, `service` and `node` choose.

    Raises: BadInput as C(choose) and C(choose_on_nodes) do.
    """
    return _on_nodes(scene, params) if params["node"] else Chosen(tuple(_everywhere(scene, params, pool)))


def _everywhere(scene: Scene, params: t.Mapping[str, t.Any], pool: Pool) -> t.Iterator[Completed]:
    known, memory = scene.known, scene.known.remembered
    for name in choose(known, params["experiment"], params["service"]):
        if name in known.configured:
            yield complete_leaving(
                known.configured[name],
                scene.wanted[name],
                pool,
                memory.get(name),
                scene.node,
                is_memory_read=scene.is_memory_read,
            )
        else:
            yield unreachable(name, memory[name], params["token_dir"], scene.node)


def _on_nodes(scene: Scene, params: t.Mapping[str, t.Any]) -> Chosen:
    known, memory = scene.known, scene.known.remembered
    where = Whereabouts(
        {name: {node.name for node in known.configured[name].nodes} for name in scene.configured},
        scene.view.all_hosts,
        scene.is_memory_read,
    )
    taken = choose_on_nodes(known, where, params["node"], params["experiment"], params["service"])
    completed = []
    for name, names in taken.nodes.items():
        nodes = [scene.node(node) for node in names]
        if name in known.configured:
            service = known.configured[name]
            had, is_read = memory.get(name), scene.is_memory_read
            completed.append(complete_on_nodes(service, scene.wanted[name], had, nodes, is_memory_read=is_read))
        else:
            completed.append(unreachable_on_nodes(name, memory[name], params["token_dir"], nodes))
    return Chosen(tuple(completed), taken.warnings)
