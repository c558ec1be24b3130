# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read the stanzas of services that have left the configuration, beside the configuration itself. Touches nothing."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Resolved, resolve
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered


def resolve_all(
    params: t.Mapping[str, t.Any], view: InventoryView, memory: t.Mapping[str, Remembered], problems: list[str]
) -> tuple[Resolved, Resolved]:
    """Give the services of `experiments` and those of `departed`, both with the same general settings; what is wrong
    is added to `problems`.

    A node that is only remembered may be named although the inventory does not have it any more.
    """
    general = {key: params.get(key) for key in (*SHARED_SETTINGS, "keytab_path")}
    configured = resolve(params["experiments"], general, view)
    hosts = frozenset(name for item in memory.values() for name in item.nodes)
    wider = replace(view, play_hosts=view.play_hosts | hosts)
    departed = resolve(_with_nodes(params["departed"], view, memory), general, wider)
    problems += configured.problems
    problems += [text.replace("managed_tokens_experiments", "managed_tokens_departed") for text in departed.problems]
    both = {item.service.config_name for item in configured.wanted}
    problems += [
        f"managed_tokens_departed has {item.service.config_name}, which is still in managed_tokens_experiments."
        for item in departed.wanted
        if item.service.config_name in both
    ]
    return configured, departed


def _with_nodes(
    departed: t.Mapping[str, t.Any], view: InventoryView, memory: t.Mapping[str, Remembered]
) -> dict[str, t.Any]:
    """Give each role that has neither nodes nor a group of the inventory the nodes that are remembered."""
    filled: dict[str, t.Any] = {}
    for name, experiment in departed.items():
        filled[name] = experiment
        roles = experiment.get("roles") if isinstance(experiment, t.Mapping) else None
        if view.groups.get(name) or not isinstance(roles, t.Mapping):
            continue
        filled[name] = {
            **experiment,
            "roles": {
                role: {"nodes": sorted(memory[f"{name}_{role}"].nodes), **values}
                if isinstance(values, t.Mapping) and f"{name}_{role}" in memory and memory[f"{name}_{role}"].nodes
                else values
                for role, values in roles.items()
            },
        }
    return filled
