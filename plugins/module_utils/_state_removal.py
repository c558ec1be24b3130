# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Remember what services that are let go still have where, and forget them as far as they are gone.

What is left to do stands among the results, under the stages of the removals; all other traces of a service go, and
with its last one its account's UID and its nodes, unless another service has them too.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CREDD_REMOVAL,
    NODE_REMOVAL,
    PING,
    PUSH,
    REGISTRY,
    STORE,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import NODE, SERVICE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_strays import count_on_nodes, forget_on_nodes

if t.TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the database knows of a service: its real name, and where it was put, or was to be removed from."""

    real_name: str
    nodes: frozenset[str] = frozenset()
    credds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leaving:
    """A service that is let go, with its account ("" when nobody knows it) and all its nodes.

    `left` are failures that say what is still to do; `is_over` means that nothing is, or that it is given up. One that
    `goes_on` is let go on these nodes alone.
    """

    service: str
    account: str
    nodes: frozenset[str]
    left: tuple[Outcome, ...] = ()
    is_over: bool = True
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Staying:
    """What the other services have, and nobody may forget: accounts and nodes."""

    accounts: frozenset[str] = field(default_factory=frozenset)
    nodes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed for each service (in numbers of rows; what its being configured leaves is not counted), and
    the accounts whose UIDs went."""

    rows: t.Mapping[str, int]
    accounts: tuple[str, ...] = ()


def remembered(db: sa.Connection) -> dict[str, Remembered]:
    """Give every service that the database knows, by its configured name. Reads only."""
    import sqlalchemy as sa

    tables = schema()
    real = {
        str(row.name): str(row.real_name or row.name)
        for row in db.execute(sa.select(tables.configured).where(tables.configured.c.sort == SERVICE))
    }
    real |= {str(name): str(name) for (name,) in db.execute(sa.select(tables.services.c.name)) if str(name) not in real}
    nodes: dict[str, set[str]] = {}
    credds: dict[str, set[str]] = {}
    results = tables.results.c
    for stage, service, target in db.execute(sa.select(results.stage, results.service, results.target)):
        if not service:
            continue
        real.setdefault(service, service)
        if target and stage in (PUSH, NODE_REMOVAL):
            nodes.setdefault(service, set()).add(target)
        elif target and stage in (STORE, CREDD_REMOVAL):
            credds.setdefault(service, set()).add(target)
    pairs = sa.select(tables.services.c.name, tables.nodes.c.name).join_from(
        tables.push_errors, tables.services, tables.push_errors.c.service_id == tables.services.c.id
    )
    for service, node in db.execute(pairs.join(tables.nodes, tables.push_errors.c.node_id == tables.nodes.c.id)):
        nodes.setdefault(str(service), set()).add(str(node))
    return {
        name: Remembered(real_name, frozenset(nodes.get(name, ())), frozenset(credds.get(name, ())))
        for name, real_name in real.items()
    }


def forget(db: sa.Connection, leaving: t.Sequence[Leaving], staying: Staying, *, run: str, now: float) -> Forgotten:
    """Remove every trace of these services but for what is left to do.

    `now` is seconds since the epoch. The database removes the rows that hang on the Go service's tables itself.
    """
    rows = {
        item.service: forget_on_nodes(db, item.service, item.nodes, _unfinished(item))
        if item.goes_on
        else _forget_service(db, item)
        for item in leaving
    }
    for item in leaving:
        if not item.is_over and not item.goes_on:
            _mark_gone(db, item.service, now)
    remember_outcomes(db, [outcome for item in leaving if not item.is_over for outcome in item.left], run=run)
    accounts_kept = staying.accounts | {item.account for item in leaving if not item.is_over}
    nodes_kept = staying.nodes | {node for item in leaving if not item.is_over for node in item.nodes}
    accounts = []
    for item in leaving:
        if item.is_over:
            rows[item.service] += _forget_nodes(db, item.nodes - nodes_kept)
            if item.account and item.account not in accounts_kept and not item.goes_on:
                rows[item.service] += _forget_account(db, item.account)
                accounts.append(item.account)
    return Forgotten(rows, tuple(sorted(set(accounts))))


def would_forget(db: sa.Connection, leaving: t.Sequence[Leaving], staying: Staying) -> Forgotten:
    """Say what C(forget) would remove, nearly: nodes that nobody else has are not counted. Reads only."""
    import sqlalchemy as sa

    tables = schema()
    accounts_kept = staying.accounts | {item.account for item in leaving if not item.is_over}
    rows = {}
    for item in leaving:
        if item.goes_on:
            rows[item.service] = count_on_nodes(db, item.service, item.nodes)
            continue
        places = [
            (tables.results, tables.results.c.service),
            (tables.services, tables.services.c.name),
            (tables.notifications, tables.notifications.c.service),
            (tables.deliveries, tables.deliveries.c.target),
        ]
        rows[item.service] = sum(
            db.execute(sa.select(sa.func.count()).select_from(table).where(column == item.service)).scalar_one()
            for table, column in places
        )
        if item.is_over and item.account and item.account not in accounts_kept:
            uids = sa.select(sa.func.count()).select_from(tables.uids).where(tables.uids.c.username == item.account)
            rows[item.service] += db.execute(uids).scalar_one()
    return Forgotten(rows)


def _unfinished(item: Leaving) -> set[str]:
    return set() if item.is_over else {outcome.node for outcome in item.left}


def _forget_service(db: sa.Connection, item: Leaving) -> int:
    import sqlalchemy as sa

    tables = schema()
    name = item.service
    keep = {(outcome.stage, outcome.node or outcome.credd) for outcome in item.left} if not item.is_over else set()
    results = tables.results
    found = db.execute(sa.select(results.c.stage, results.c.target).where(results.c.service == name)).all()
    gone = [(stage, target) for stage, target in found if (stage, target) not in keep]
    for stage, target in gone:
        db.execute(
            sa.delete(results).where(results.c.service == name, results.c.stage == stage, results.c.target == target)
        )
    count = len(gone)
    number = db.execute(sa.select(tables.services.c.id).where(tables.services.c.name == name)).scalar()
    if number is not None:
        for counters in (tables.setup_errors, tables.push_errors):
            db.execute(sa.delete(counters).where(counters.c.service_id == number))
    for statement in (
        sa.delete(tables.services).where(tables.services.c.name == name),
        sa.delete(tables.notifications).where(tables.notifications.c.service == name),
        # Those to administrators have no target.
        sa.delete(tables.deliveries).where(tables.deliveries.c.target == name),
    ):
        count += db.execute(statement).rowcount
    if item.is_over:
        is_it = (tables.configured.c.sort == SERVICE, tables.configured.c.name == name)
        db.execute(sa.delete(tables.configured).where(*is_it))
    return count


def _mark_gone(db: sa.Connection, name: str, now: float) -> None:
    """Keep the name, as that of a service whose metrics are over."""
    import sqlalchemy as sa

    table = schema().configured
    is_it = (table.c.sort == SERVICE, table.c.name == name)
    if not db.execute(sa.update(table).where(*is_it).values(gone=now)).rowcount:
        row = {"sort": SERVICE, "name": name, "real_name": name, "seen": now, "gone": now}
        db.execute(sa.insert(table), row)


def _forget_nodes(db: sa.Connection, nodes: t.Collection[str]) -> int:
    import sqlalchemy as sa

    tables = schema()
    count = 0
    for name in sorted(nodes):
        results, configured = tables.results.c, tables.configured.c
        # Something else may still be known of it: a service that nobody has configured for a while.
        counted = sa.select(tables.nodes.c.id).join_from(
            tables.push_errors, tables.nodes, tables.push_errors.c.node_id == tables.nodes.c.id
        )
        if (
            db.execute(sa.select(results.service).where(results.stage == PUSH, results.target == name)).first()
            or db.execute(counted.where(tables.nodes.c.name == name)).first()
        ):
            continue
        count += db.execute(sa.delete(tables.results).where(results.stage == PING, results.target == name)).rowcount
        count += db.execute(sa.delete(tables.nodes).where(tables.nodes.c.name == name)).rowcount
        db.execute(sa.delete(tables.configured).where(configured.sort == NODE, configured.name == name))
    return count


def _forget_account(db: sa.Connection, account: str) -> int:
    import sqlalchemy as sa

    tables = schema()
    results = tables.results.c
    return sum(
        db.execute(statement).rowcount
        for statement in (
            sa.delete(tables.uids).where(tables.uids.c.username == account),
            sa.delete(tables.confirmations).where(tables.confirmations.c.username == account),
            sa.delete(tables.results).where(results.stage == REGISTRY, results.target == account),
        )
    )
