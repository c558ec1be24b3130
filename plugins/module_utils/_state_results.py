# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Remember what came of each stage for each service and target, and count failures in a row.

The counters are the Go service's own tables, so that both can count in one database; only what was attempted counts.
"""

from __future__ import annotations

import importlib
import time
import typing as t
from collections import Counter

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CREDD_REMOVAL,
    FAILED,
    NODE_REMOVAL,
    OK,
    PUSH,
    SETUP,
    STORE,
    TICKETS,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa

SETUP_STAGES = (SETUP, TICKETS, STORE)
LONGEST_MESSAGE = 1000
_REMOVALS = {PUSH: NODE_REMOVAL, STORE: CREDD_REMOVAL}


def remember_outcomes(db: sa.Connection, outcomes: t.Iterable[Outcome], *, run: str) -> None:
    """Remember last attempt and last success of every outcome that was an attempt."""
    import sqlalchemy as sa

    table = schema().results
    # One row for each key: where there are several outcomes of one, the failure counts.
    attempts: dict[tuple[str, str, str], Outcome] = {}
    for outcome in outcomes:
        key = (outcome.stage, outcome.config_service, outcome.credd or outcome.node or outcome.account)
        if outcome.status in (OK, CHANGED, FAILED) and not (key in attempts and attempts[key].is_failure):
            attempts[key] = outcome
    if not attempts:
        return
    before = {(row.stage, row.service, row.target): row for row in db.execute(sa.select(table))}
    rows = []
    now = time.time()
    for key, outcome in sorted(attempts.items()):
        known = before.get(key)
        ended = outcome.started + outcome.seconds
        is_bad = outcome.is_failure
        if known and ended < known.attempted <= now:
            # Another run tried later, and wrote it down before this one ended. A time to come is a wrong clock's.
            continue
        rows.append(
            {
                "stage": key[0],
                "service": key[1],
                "target": key[2],
                "status": outcome.status,
                "attempted": ended,
                "succeeded": (known.succeeded if known else 0.0) if is_bad else ended,
                "failing_since": ((known.failing_since if known else 0.0) or outcome.started) if is_bad else 0.0,
                "seconds": outcome.seconds,
                "kind": outcome.kind if is_bad else "",
                # PostgreSQL takes no NUL in a text.
                "message": outcome.message.replace("\0", "")[:LONGEST_MESSAGE] if is_bad else "",
                # What was stored before a failure lives as long as it did.
                "expires": (known.expires if known else 0.0) if is_bad else outcome.life and ended + outcome.life,
                "run": run,
            }
        )
    keys = [table.c.stage, table.c.service, table.c.target]
    if rows:
        db.execute(_upsert(db, table, keys), rows)
    for row in rows:
        # What was to be removed there, and could not be, is wanted there again.
        removal = (_REMOVALS.get(str(row["stage"]), ""), row["service"], row["target"])
        if row["status"] != FAILED and removal in before:
            is_it = [column == value for column, value in zip(keys, removal, strict=True)]
            db.execute(sa.delete(table).where(*is_it))


def count_failures(db: sa.Connection, outcomes: t.Iterable[Outcome]) -> None:
    """Raise the counters of what failed by one, and put back to 0 those of what went well.

    A service counts once for its set-up stages, whatever failed in them; it is well when its tokens were stored. A node
    counts once for each service. What was not attempted keeps its counter.
    """
    import sqlalchemy as sa

    setup: dict[str, bool] = {}
    push: dict[tuple[str, str], bool] = {}
    for outcome in outcomes:
        if outcome.status not in (OK, CHANGED, FAILED) or not outcome.config_service:
            continue
        if outcome.stage in SETUP_STAGES:
            # A good ticket alone (--tags tickets) does not prove that storing, which failed before, goes well now.
            if outcome.is_failure or outcome.stage == STORE:
                setup[outcome.config_service] = setup.get(outcome.config_service, False) or outcome.is_failure
        elif outcome.stage == PUSH:
            key = (outcome.config_service, outcome.node)
            push[key] = push.get(key, False) or outcome.is_failure
    tables = schema()
    services = _numbers(db, tables.services, {*setup, *(name for name, _node in push)})
    nodes = _numbers(db, tables.nodes, {node for _name, node in push})
    setup_rows: dict[tuple[int, ...], int] = {
        (row["service_id"],): row["count"] or 0 for row in db.execute(sa.select(tables.setup_errors)).mappings()
    }
    push_rows: dict[tuple[int, ...], int] = {
        (row["service_id"], row["node_id"]): row["count"] or 0
        for row in db.execute(sa.select(tables.push_errors)).mappings()
    }
    _count(db, tables.setup_errors, setup_rows, {(services[name],): bad for name, bad in setup.items()})
    _count(
        db, tables.push_errors, push_rows, {(services[name], nodes[node]): bad for (name, node), bad in push.items()}
    )


def setup_counters(db: sa.Connection) -> Counter[str]:
    """Give the failures in a row of each service's set-up stages; names without a counter have 0."""
    import sqlalchemy as sa

    tables = schema()
    rows = db.execute(
        sa.select(tables.services.c.name, tables.setup_errors.c.count).join_from(
            tables.setup_errors, tables.services, tables.setup_errors.c.service_id == tables.services.c.id
        )
    )
    return Counter({str(name): int(count or 0) for name, count in rows})


def push_counters(db: sa.Connection) -> Counter[tuple[str, str]]:
    """Give the failures in a row of each (service, node); pairs without a counter have 0."""
    import sqlalchemy as sa

    tables = schema()
    counters = tables.push_errors
    rows = db.execute(
        sa.select(tables.services.c.name, tables.nodes.c.name, counters.c.count)
        .join_from(counters, tables.services, counters.c.service_id == tables.services.c.id)
        .join(tables.nodes, counters.c.node_id == tables.nodes.c.id)
    )
    return Counter({(str(service), str(node)): int(count or 0) for service, node, count in rows})


def last_success(db: sa.Connection, stage: str) -> dict[tuple[str, str], tuple[float, str]]:
    """Give when each (service, target) of a stage went well last, and in which run."""
    import sqlalchemy as sa

    table = schema().results
    rows = db.execute(
        sa.select(table.c.service, table.c.target, table.c.succeeded, table.c.run).where(
            table.c.stage == stage, table.c.succeeded > 0, table.c.failing_since == 0
        )
    )
    return {(service, target): (succeeded, run) for service, target, succeeded, run in rows}


def _count(
    db: sa.Connection,
    table: sa.Table,
    rows: t.Mapping[tuple[int, ...], int],
    judged: t.Mapping[tuple[int, ...], bool],
) -> None:
    import sqlalchemy as sa

    columns = [column for column in table.c if column.name != "count"]
    new: list[dict[str, int]] = []
    for key, is_bad in sorted(judged.items()):
        if key not in rows:
            if is_bad:
                new.append({**{column.name: value for column, value in zip(columns, key, strict=True)}, "count": 1})
        elif is_bad or rows[key]:
            where = [column == value for column, value in zip(columns, key, strict=True)]
            raised = sa.func.coalesce(table.c.count, 0) + 1
            db.execute(sa.update(table).where(*where).values(count=raised if is_bad else 0))
    if new:
        db.execute(sa.insert(table), new)


def _numbers(db: sa.Connection, table: sa.Table, names: t.Collection[str]) -> dict[str, int]:
    """Give the row numbers of these names, having added those that were missing."""
    import sqlalchemy as sa

    def look() -> dict[str, int]:
        return {str(row.name): int(row.id) for row in db.execute(sa.select(table.c.id, table.c.name))}

    known = look()
    missing = sorted(set(names) - known.keys())
    if missing:
        db.execute(_insert(db, table).on_conflict_do_nothing(), [{"name": name} for name in missing])
        known = look()
    for name in missing:
        if name not in known:
            # A name that looks like a number stands there as that number; only the table's own comparison finds it.
            known[name] = int(db.execute(sa.select(table.c.id).where(table.c.name == name)).scalar_one())
    return known


def _insert(db: sa.Connection, table: sa.Table) -> t.Any:
    # Only the one in use: the other takes longer to load than this whole module's work.
    return importlib.import_module(f"sqlalchemy.dialects.{db.dialect.name}").insert(table)


def _upsert(db: sa.Connection, table: sa.Table, keys: t.Sequence[sa.Column[t.Any]]) -> t.Any:
    insert = _insert(db, table)
    names = {column.name for column in keys}
    return insert.on_conflict_do_update(
        index_elements=list(keys),
        set_={column.name: insert.excluded[column.name] for column in table.c if column.name not in names},
    )
