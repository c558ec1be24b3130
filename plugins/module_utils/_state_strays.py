# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Know where services have left files on nodes that they are no longer configured for, and forget single nodes of a
service."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import NODE_REMOVAL, PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# Slices of one job have each a part of the nodes in their inventories. They are pushed to at about the same time, and a
# node of another slice has left nothing.
SLICES_APART_S = 1800.0
Nodes = t.Mapping[str, t.Collection[str]]
Strays = dict[str, tuple[str, ...]]


def left_behind(configured: t.Collection[str], attempted: t.Mapping[str, float]) -> tuple[str, ...]:
    """Give the nodes of one service that it is not configured for, and that were left out when it was served since; by
    when (seconds since the epoch) each node was attempted last. Pure."""
    newest = max((when for node, when in attempted.items() if node in configured), default=0.0)
    return tuple(
        sorted(node for node, when in attempted.items() if node not in configured and when < newest - SLICES_APART_S)
    )


def strays(db: sa.Connection, configured: Nodes, *, before: float) -> Strays:
    """Give the nodes on which a configured service has left files, or was to be removed from in vain, and that it is
    not configured for any more; `configured` are the nodes of every service.

    What was attempted before that time (seconds since the epoch) is too old to be told. Reads only.
    """
    import sqlalchemy as sa

    results = schema().results.c
    attempted: dict[str, dict[str, float]] = {}
    query = sa.select(results.stage, results.service, results.target, results.attempted, results.succeeded)
    for stage, service, node, when, succeeded in db.execute(query.where(results.stage.in_((PUSH, NODE_REMOVAL)))):
        if service not in configured or when < before:
            continue
        # A push that never went well has left nothing.
        if node in configured[service] or succeeded or stage == NODE_REMOVAL:
            of_service = attempted.setdefault(service, {})
            of_service[node] = max(when, of_service.get(node, 0.0))
    found = {service: left_behind(configured[service], nodes) for service, nodes in sorted(attempted.items())}
    return {service: nodes for service, nodes in found.items() if nodes}


def forget_old_strays(db: sa.Connection, configured: Nodes, *, before: float) -> None:
    """Forget what configured services have had on nodes that they are not configured for, and that was attempted before
    that time (seconds since the epoch) last. Only tables of our own are touched."""
    import sqlalchemy as sa

    results = schema().results.c
    is_old = (results.stage.in_((PUSH, NODE_REMOVAL)), results.attempted < before)
    for service, node in db.execute(sa.select(results.service, results.target).where(*is_old)).all():
        if service in configured and node not in configured[service]:
            _forget_ours(db, service, node, (PUSH, NODE_REMOVAL))


def forget_on_nodes(
    db: sa.Connection, service: str, nodes: t.Collection[str], unfinished: t.Collection[str] = ()
) -> int:
    """Forget that a service was on these nodes, also in the Go service's counters; of those that are `unfinished` the
    removal that failed stays. Gives the number of our rows."""
    import sqlalchemy as sa

    tables = schema()
    count = 0
    for node in sorted(nodes):
        count += _forget_ours(db, service, node, (PUSH,) if node in unfinished else (PUSH, NODE_REMOVAL))
        counters = tables.push_errors
        db.execute(
            sa.delete(counters).where(
                counters.c.service_id.in_(sa.select(tables.services.c.id).where(tables.services.c.name == service)),
                counters.c.node_id.in_(sa.select(tables.nodes.c.id).where(tables.nodes.c.name == node)),
            )
        )
    return count


def count_on_nodes(db: sa.Connection, service: str, nodes: t.Collection[str]) -> int:
    """Say how many rows C(forget_on_nodes) would forget. Reads only."""
    import sqlalchemy as sa

    results = schema().results.c
    is_it = (results.service == service, results.stage.in_((PUSH, NODE_REMOVAL)))
    found = db.execute(sa.select(results.target).where(*is_it)).scalars()
    return sum(node in nodes for node in found)


def _forget_ours(db: sa.Connection, service: str, node: str, stages: t.Sequence[str]) -> int:
    import sqlalchemy as sa

    results, told = schema().results, schema().notifications
    is_it = (results.c.service == service, results.c.target == node, results.c.stage.in_(stages))
    db.execute(sa.delete(told).where(told.c.service == service, told.c.node == node))
    return db.execute(sa.delete(results).where(*is_it)).rowcount
