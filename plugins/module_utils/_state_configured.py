# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Keep house: mark services and nodes that have left the configuration, and forget ours of them after a while.

Only tables of our own are ever emptied; what the Go service shares stays as it is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PING, PUSH, REGISTRY, STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa

SERVICE = "service"
NODE = "node"


def note_configured(
    db: sa.Connection, services: t.Mapping[str, str], nodes: t.Collection[str], *, now: float, forget_after: float
) -> list[tuple[str, str]]:
    """Write down what is configured now: real names of services by their configured ones, and nodes.

    What was configured before and is not now is marked with the time. Gives the (sort, name) that have been marked for
    more than `forget_after` seconds; all that is known of them in our tables is removed.
    """
    import sqlalchemy as sa

    table = schema().configured
    before = {(row.sort, row.name): row for row in db.execute(sa.select(table))}
    current = {(SERVICE, name): real for name, real in services.items()} | {(NODE, name): "" for name in nodes}
    new = [
        {"sort": sort, "name": name, "real_name": real, "seen": now, "gone": 0.0}
        for (sort, name), real in sorted(current.items())
        if (sort, name) not in before
    ]
    if new:
        db.execute(sa.insert(table), new)
    for sort in (SERVICE, NODE):
        here = sorted(name for its, name in current if its == sort and (its, name) in before)
        for part in _parts(here):
            db.execute(sa.update(table).where(table.c.sort == sort, table.c.name.in_(part)).values(seen=now, gone=0.0))
        left = sorted(
            name for its, name in before if its == sort and (its, name) not in current and not before[its, name].gone
        )
        for part in _parts(left):
            db.execute(sa.update(table).where(table.c.sort == sort, table.c.name.in_(part)).values(gone=now))
    for key, real in sorted(current.items()):
        if key in before and before[key].real_name != real:
            db.execute(sa.update(table).where(table.c.sort == key[0], table.c.name == key[1]).values(real_name=real))
    return _forget(db, now - forget_after)


def departed(db: sa.Connection, sort: str) -> dict[str, float]:
    """Give the names that have left the configuration and since when (seconds since the epoch)."""
    import sqlalchemy as sa

    table = schema().configured
    rows = db.execute(sa.select(table.c.name, table.c.gone).where(table.c.sort == sort, table.c.gone > 0))
    return {str(name): float(gone) for name, gone in rows}


def _forget(db: sa.Connection, before: float) -> list[tuple[str, str]]:
    import sqlalchemy as sa

    tables = schema()
    configured, results, told = tables.configured, tables.results, tables.notifications
    old = [
        (str(row.sort), str(row.name))
        for row in db.execute(
            sa.select(configured).where(configured.c.gone > 0, configured.c.gone < before).order_by(configured.c.name)
        )
    ]
    for sort, names in ((sort, [name for its, name in old if its == sort]) for sort in (SERVICE, NODE)):
        for part in _parts(names):
            is_service = sort == SERVICE
            of_result = (
                results.c.service.in_(part)
                if is_service
                else sa.and_(results.c.stage.in_((PUSH, PING)), results.c.target.in_(part))
            )
            db.execute(sa.delete(results).where(of_result))
            db.execute(sa.delete(told).where((told.c.service if is_service else told.c.node).in_(part)))
            db.execute(sa.delete(configured).where(configured.c.sort == sort, configured.c.name.in_(part)))
    # A credd that nobody stores on any more, and an account that nobody asks for, have no other mark than that.
    db.execute(sa.delete(results).where(results.c.stage.in_((STORE, REGISTRY)), results.c.attempted < before))
    return old


def _parts(names: t.Sequence[str], size: int = 500) -> t.Iterator[t.Sequence[str]]:
    # A statement takes a limited number of values.
    for start in range(0, len(names), size):
        yield names[start : start + size]
