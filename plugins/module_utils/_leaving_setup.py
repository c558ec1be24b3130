# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Complete the services that are to be let go with what the world says, as far as it says it. Reads only.

Other than for a service that is to be kept fresh, nothing that is missing stops the rest: what can be removed is.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    NotAttempted,
    ServiceIncomplete,
    TokensError,
    UidUnknown,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import incomplete, with_remembered
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    FAILED,
    NODE_REMOVAL,
    OK,
    SETUP,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted, at_port
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._setup import credds_of, with_vault_server
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered


@dataclass(frozen=True, slots=True)
class Completed:
    """A service with all its nodes and credds that are known, what went wrong on the way, and what that leaves
    undone."""

    service: Service
    outcomes: tuple[Outcome, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def complete_leaving(
    service: Service,
    wanted: Wanted,
    pool: Pool,
    remembered: Remembered | None,
    node: t.Callable[[str], Node],
    *,
    is_memory_read: bool,
) -> Completed:
    """Give the service with its credds, vault server and all nodes; `is_memory_read` says whether the state database
    told all it knows."""
    watch = Stopwatch()
    outcomes: list[Outcome] = []
    service = replace(service, credds=())
    if service.token_getter == CONDOR:
        try:
            service = replace(service, credds=credds_of(wanted, pool))
        except TokensError as err:
            message = f"{service.config_name}: {err.msg.rstrip('.')}. Only the credds that are remembered are asked."
            outcomes.append(record(SETUP, FAILED, service, watch, kind=err.kind, message=message))
        try:
            service = with_vault_server(service, pool)
        except TokensError:
            # Only a bearer token would be had from it, and few pools need one.
            service = replace(service, vault_server="")
    collector = wanted.collectors[0] if wanted.collectors else ""
    service = with_remembered(service, remembered, lambda name: at_port(node(name), wanted.ssh_port), collector)
    return _with_uid(service, remembered, outcomes, watch, is_memory_read=is_memory_read)


def complete_on_nodes(
    service: Service,
    wanted: Wanted,
    remembered: Remembered | None,
    nodes: t.Sequence[Node],
    *,
    is_memory_read: bool,
) -> Completed:
    """Give the service as it is taken off `nodes` and goes on elsewhere: no credd is asked to forget anything."""
    here = tuple(at_port(item, wanted.ssh_port) for item in nodes)
    if remembered is not None:
        remembered = replace(remembered, nodes=remembered.nodes & {item.name for item in nodes})
    only = replace(service, goes_on=True, nodes=here, credds=())
    return _with_uid(only, remembered, [], Stopwatch(), is_memory_read=is_memory_read)


def _with_uid(
    service: Service, remembered: Remembered | None, outcomes: list[Outcome], watch: Stopwatch, *, is_memory_read: bool
) -> Completed:
    """Give the service, without its nodes when nobody knows the UID that its files there are named by."""
    if service.uid:
        return Completed(service, tuple(outcomes or [record(SETUP, OK, service, watch)]))
    if is_memory_read and not (remembered and remembered.nodes):
        # As after a removal that is over: the UID went with it.
        warning = (
            f"{service.config_name}: nothing is remembered of it on any node, and its account {service.account} has no "
            "UID, so no node was looked at."
        )
        gone = replace(service, nodes=())
        return Completed(gone, tuple(outcomes or [record(SETUP, OK, service, watch)]), (warning,))
    message = f"{service.config_name}: account {service.account} has no UID, from which its files' names are made."
    outcomes.append(record(SETUP, FAILED, service, watch, kind=UidUnknown.kind, message=message))
    outcomes += [
        record(
            NODE_REMOVAL,
            SKIPPED,
            service,
            watch,
            node=item.name,
            kind=NotAttempted.kind,
            message=f"{service.config_name} on {item.name}: not tried: its account has no UID.",
        )
        for item in service.nodes
    ]
    return Completed(replace(service, nodes=()), tuple(outcomes))


def unreachable(name: str, remembered: Remembered, token_dir: str, node: t.Callable[[str], Node]) -> Completed:
    """Give a service that has left the configuration, stopped by what is not known of it, with all that is
    remembered."""
    bare = with_remembered(incomplete(name, remembered, token_dir), remembered, node, "")
    message = bare.problem.message if bare.problem else ""
    failure = record(SETUP, FAILED, bare, Stopwatch(), kind=ServiceIncomplete.kind, message=message)
    return Completed(bare, (failure,))


def unreachable_on_nodes(name: str, remembered: Remembered, token_dir: str, nodes: t.Sequence[Node]) -> Completed:
    """Give a service that has left the configuration, as it would be taken off `nodes` if that were known of it."""
    by_name = {item.name: item for item in nodes}
    here = replace(remembered, nodes=frozenset(by_name), credds=frozenset())
    found = unreachable(name, here, token_dir, by_name.__getitem__)
    return replace(found, service=replace(found.service, goes_on=True))
