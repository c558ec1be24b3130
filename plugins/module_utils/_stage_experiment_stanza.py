# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the task that prints what a new service has to look like in the inventory, after checking it with all others."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import settle
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._experiment_stanza import stanza
from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import resolve
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import (
    ARGUMENT_SPEC as FIRST_STAGE,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_conflicts import stop_conflicts

# What the first stage reads as well; it means the same here.
_ALSO_HERE = ("experiments", "groups", "hosts", "addresses", "keytab_path", *SHARED_SETTINGS)
ARGUMENT_SPEC: dict[str, t.Any] = {
    **{name: FIRST_STAGE[name] for name in _ALSO_HERE},
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "default": "production"},
    "account": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "str", "required": True},
    "emails": {"type": "list", "elements": "str", "default": []},
    "uid": {"type": "int"},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the lines for the inventory, in a result. Touches nothing.

    Raises: BadInput with everything that would be wrong with the configuration if the service were in it.
    """
    name, role = str(params["name"]), str(params["role"])
    there = params["experiments"].get(name) or {}
    problems: list[str] = []
    if role in (there.get("roles") or {}):
        problems.append(f"The service {name}_{role} is configured already.")
    if not params["nodes"]:
        problems.append("There has to be at least one node.")
    values = {key: params[key] for key in ("account", "uid") if params.get(key) is not None}
    added = {**there, "roles": {**(there.get("roles") or {}), role: values}}
    if params["emails"]:
        added["emails"] = list(params["emails"])
    groups = {**(params.get("groups") or {})}
    groups[name] = list(dict.fromkeys([*groups.get(name, ()), *params["nodes"]]))
    groups["all"] = list(dict.fromkeys([*groups.get("all", ()), *params["nodes"]]))
    inventory = InventoryView(groups, frozenset(groups["all"]), params.get("addresses") or {})
    resolved = resolve(
        {**params["experiments"], name: added},
        {key: params.get(key) for key in (*SHARED_SETTINGS, "keytab_path")},
        inventory,
    )
    if problems or resolved.problems:
        raise BadInput(*problems, *resolved.problems)
    every = stop_conflicts(
        [item.service for item in resolved.wanted], {item.service.config_name for item in resolved.wanted}
    )
    services, warnings = settle(every)
    for warning in warnings:
        if f"{name}_{role}" in warning:
            context.warn(warning)
    new = next(service for service in services if service.config_name == f"{name}_{role}")
    if new.problem is not None:
        raise BadInput(new.problem.message)
    found = stanza(new, params["emails"], params.get("uid"))
    return {
        "changed": False,
        "inventory_hosts": "\n".join(found.hosts) + "\n",
        "inventory_experiments": "\n".join(found.experiments) + "\n",
        "lines": found.lines,
    }
