# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""List the configured services. Asks nobody but the state database, needs no HTCondor, and changes nothing."""

from __future__ import annotations

import typing as t
from dataclasses import asdict
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import look_up_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted, resolve
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._selection import limit_to_hosts, select
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR
from ansible_collections.fife.managed_tokens.plugins.module_utils._service_table import Row, table
from ansible_collections.fife.managed_tokens.plugins.module_utils._setup import add_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import (
    ARGUMENT_SPEC as FIRST_STAGE,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import state_of, view_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_conflicts import stop_conflicts

# What the first stage reads as well; it means the same here.
_ALSO_HERE = (
    *("experiments", "experiment", "service", "groups", "hosts", "addresses", "keytab_path", *SHARED_SETTINGS),
    *("database", "database_password", "database_timeout"),
)
ARGUMENT_SPEC: dict[str, t.Any] = {name: FIRST_STAGE[name] for name in _ALSO_HERE}
ARGUMENT_SPEC["width"] = {"type": "int", "default": 76}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the services, and the lines of a table of them, in a result.

    Raises: BadInput with everything that is wrong with the configuration.
    """
    inventory = view_of(params)
    resolved = resolve(
        params["experiments"], {key: params.get(key) for key in (*SHARED_SETTINGS, "keytab_path")}, inventory
    )
    if resolved.problems:
        raise BadInput(*resolved.problems)
    state = state_of(params)
    book = look_up_uids(state, Path(params["token_dir"]))
    for remark in (book.trouble, book.remark):
        if remark:
            context.warn(remark)
    own_uids = {item.service.config_name for item in resolved.wanted if item.uid is not None}
    services = stop_conflicts(add_uids(resolved.wanted, book.source), own_uids)
    chosen = select(services, params["experiment"], params["service"])
    for service in chosen:
        if service.problem is not None:
            context.warn(service.problem.message)
    wanted = {item.service.config_name: item for item in resolved.wanted}
    rows = [
        Row(
            service.config_name,
            service.uid,
            service.principal,
            service.keytab,
            _stored_on(wanted[service.config_name]),
            tuple(node.name for node in service.nodes),
        )
        for service in sorted(limit_to_hosts(chosen, inventory.play_hosts), key=lambda item: item.config_name)
    ]
    return {
        "changed": False,
        "services": [asdict(row) for row in rows],
        "lines": table(rows, params["width"]),
        "msg": f"{len(rows)} of {len(resolved.wanted)} configured services.",
    }


def _stored_on(wanted: Wanted) -> str:
    if wanted.service.token_getter != CONDOR:
        return "none, the token is only obtained"
    if wanted.credds:
        return ", ".join(sorted(set(wanted.credds)))
    matching = f", schedds with {wanted.schedd_constraint}" if wanted.schedd_constraint else ""
    return f"those of {' or '.join(wanted.collectors) or 'the local pool'}{matching}"
