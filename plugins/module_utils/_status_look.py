# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read from the state database, in one transaction that changes nothing, how everything stands."""

from __future__ import annotations

import stat
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    FAILED,
    NODE_REMOVAL,
    PUSH,
    REGISTRY,
    REMOVALS,
    SETUP,
    STORE,
    TICKETS,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import NODE, SERVICE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_places import Place, places
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import push_counters, setup_counters
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import Hold, holds_of_others
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_strays import left_behind
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import KnownUid, known_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    MESSAGE_LIMIT,
    Leftover,
    ServiceStatus,
    Status,
    Target,
    clean,
    moment,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_runs import Runs, runs_in

if t.TYPE_CHECKING:
    import sqlalchemy as sa

NO_DATABASE = "managed_tokens_database is empty: nothing is remembered, so nobody knows how things stand."
# No table says which credds a service has. Every run stores on all of them, so one that was not tried for a day before
# the service's last store is none of it any more.
RETIRED_AFTER_S = 86400.0
# The nodes of a service whose place nobody wrote down yet: runs may be for few of them.
NODE_RETIRED_AFTER_S = 7 * 86400.0
_COLUMNS = ("stage", "service", "target", "status", "attempted", "succeeded", "failing_since", "kind", "message")
Rows = t.Mapping[str, t.Sequence[t.Any]]


def look(state: State | None, *, now: float, untold: t.Iterable[tuple[str, str]] = ()) -> Status:
    """Give how everything stands at `now` (seconds since the epoch); never raises for the database.

    `untold` are (kind, message) of a run that the database cannot know of.
    """
    known = tuple((clean(kind), clean(message, MESSAGE_LIMIT)) for kind, message in untold)
    if state is None:
        return Status(now, trouble=NO_DATABASE, untold=known)
    if state.location.path is not None and _is_nowhere(state.location.path):
        text = f"{state.label} does not exist, nor does its directory."
        return Status(now, label=clean(state.label), trouble=clean(text, MESSAGE_LIMIT), untold=known)
    try:
        with state.read() as db:
            return replace(_look(db, now), label=clean(state.label), untold=known)
    except TokensError as err:
        return Status(now, label=clean(state.label), trouble=clean(err.msg, MESSAGE_LIMIT), untold=known)


def _is_nowhere(path: Path) -> bool:
    """Tell whether not even the directory is there: no run has ever written to it, so the path is hardly the one that
    was meant. A directory that may not be looked into is told of by the database."""
    try:
        return not stat.S_ISDIR(path.parent.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def _look(db: sa.Connection, now: float) -> Status:
    import sqlalchemy as sa

    tables = schema()
    rows = list(db.execute(sa.select(tables.configured).where(tables.configured.c.sort.in_((SERVICE, NODE)))))
    gone = {(row.sort, row.name) for row in rows if moment(row.gone)}
    real_names = {str(row.name): str(row.real_name or row.name) for row in rows if row.sort == SERVICE}
    results = _results(db)
    names = {name for name in (*real_names, *results) if name and (SERVICE, name) not in gone}
    runs = runs_in(db, now)
    placed = places(db)
    reader = _Reader(
        now,
        runs,
        gone,
        placed,
        known_uids(db),
        holds_of_others(db, "", now=now),
        setup_counters(db),
        push_counters(db),
        _told(db),
    )
    return Status(
        taken=now,
        services=tuple(
            reader.service(name, real_names.get(name, name), results.get(name, ())) for name in sorted(names)
        ),
        recent=runs.recent,
        last=runs.last,
        last_well=runs.last_well,
        leftovers=tuple(_leftovers(db, runs, gone, placed)),
    )


def _results(db: sa.Connection) -> Rows:
    import sqlalchemy as sa

    table = schema().results
    wanted = (*(table.c[name] for name in _COLUMNS), table.c.expires, table.c.run)
    found: dict[str, list[t.Any]] = {}
    of_services = table.c.stage.in_((SETUP, TICKETS, STORE, PUSH))
    for row in db.execute(sa.select(*wanted).where(of_services).order_by(table.c.target, table.c.stage)):
        found.setdefault(str(row.service), []).append(row)
    return found


def _told(db: sa.Connection) -> dict[tuple[str, str], float]:
    """Give when anybody was last told of what is not over yet, by service and node ("" for its set-up)."""
    import sqlalchemy as sa

    table = schema().notifications
    rows = db.execute(sa.select(table.c.service, table.c.node, sa.func.max(table.c.sent)).group_by("service", "node"))
    return {(str(service), str(node)): moment(sent) for service, node, sent in rows}


def _leftovers(
    db: sa.Connection, runs: Runs, gone: t.Collection[tuple[str, str]], placed: t.Mapping[str, Place]
) -> t.Iterator[Leftover]:
    import sqlalchemy as sa

    table = schema().results
    stages = (REGISTRY, *REMOVALS)
    query = sa.select(table).where(table.c.stage.in_(stages), table.c.status == FAILED)
    for row in db.execute(query.order_by(table.c.service, table.c.stage, table.c.target)):
        if row.stage == REGISTRY and row.run not in runs.last_ids:
            # Of an account that nobody asks for any more: each refresh asks for all.
            continue
        what = f"account {row.target}" if row.stage == REGISTRY else f"{row.service}, which was let go"
        if row.stage == NODE_REMOVAL and (SERVICE, row.service) not in gone and row.service in placed:
            if row.target in placed[row.service].nodes:
                # It is configured for the node again.
                continue
            what = f"{row.service}, to be taken off {row.target}"
        yield Leftover(
            clean(what), clean(row.kind), clean(row.message, MESSAGE_LIMIT), moment(row.failing_since or row.attempted)
        )


class _Reader:
    """Put together what the tables say of one service."""

    def __init__(
        self,
        now: float,
        runs: Runs,
        gone: t.Collection[tuple[str, str]],
        placed: t.Mapping[str, Place],
        uids: t.Mapping[str, KnownUid],
        holds: t.Iterable[Hold],
        setup_failures: t.Mapping[str, int],
        push_failures: t.Mapping[tuple[str, str], int],
        told: t.Mapping[tuple[str, str], float],
    ) -> None:
        self._now, self._runs, self._gone = now, runs, gone
        self._places, self._uids = placed, uids
        # Runs may serve different nodes of one service at once.
        self._holders: dict[str, dict[str, str]] = {}
        for hold in holds:
            holder = clean(f"run {hold.run.id} ({hold.run.holder.describe()})")
            self._holders.setdefault(hold.service, {}).update(dict.fromkeys(hold.nodes, holder))
        self._setup_failures, self._push_failures, self._told = setup_failures, push_failures, told

    def service(self, name: str, real_name: str, rows: t.Sequence[t.Any]) -> ServiceStatus:
        """Give how the service of that configured name stands."""
        place, holders = self._places.get(name), self._holders.get(name, {})
        uid = self._uids.get(place.account) if place else None
        return ServiceStatus(
            name=clean(name),
            experiment=clean(name.partition("_")[0]),
            real_name=clean(real_name),
            account=clean(place.account) if place else "",
            uid=uid.uid if uid else 0,
            uid_age=uid.age(self._now) if uid and (uid.confirmed or uid.noted) else None,
            setup=tuple(self._target(row, name) for row in rows if row.stage in (SETUP, TICKETS)),
            credds=tuple(self._credds(name, [row for row in rows if row.stage == STORE])),
            nodes=tuple(self._nodes(name, place, [row for row in rows if row.stage == PUSH], holders)),
            strays=tuple(self._strays(name, place, [row for row in rows if row.stage == PUSH])),
            held_by=clean(" and ".join(sorted(set(holders.values())))),
        )

    def _credds(self, name: str, rows: t.Sequence[t.Any]) -> t.Iterator[Target]:
        if not rows:
            return
        newest = max(rows, key=lambda row: moment(row.attempted))
        for row in rows:
            if moment(row.attempted) < moment(newest.attempted) - RETIRED_AFTER_S:
                continue
            is_left_out = row.run != newest.run and newest.run in self._runs.ended
            yield replace(self._target(row, name), is_left_out=is_left_out)

    def _nodes(
        self, name: str, place: Place | None, rows: t.Sequence[t.Any], holders: t.Mapping[str, str]
    ) -> t.Iterator[Target]:
        newest = max((moment(row.attempted) for row in rows), default=0.0)
        tried = {str(row.target): row for row in rows}
        if place is None:
            wanted = {
                node
                for node, row in tried.items()
                if (NODE, node) not in self._gone and moment(row.attempted) >= newest - NODE_RETIRED_AFTER_S
            }
        else:
            wanted = set(place.nodes)
        for node in sorted(wanted):
            target = self._target(tried[node], name) if node in tried else Target(clean(node), PUSH)
            yield replace(target, held_by=holders.get(node, ""))

    def _strays(self, name: str, place: Place | None, rows: t.Sequence[t.Any]) -> t.Iterator[Target]:
        if place is None:
            return
        attempted = {str(row.target): moment(row.attempted) for row in rows}
        behind = left_behind(place.nodes, attempted)
        for row in rows:
            if row.target in behind and moment(row.succeeded):
                yield self._target(row, name)

    def _target(self, row: t.Any, name: str) -> Target:
        is_push = row.stage == PUSH
        is_failure = row.status == FAILED
        failures = self._push_failures.get((name, row.target), 0) if is_push else self._setup_failures.get(name, 0)
        return Target(
            name=clean(row.target),
            stage=row.stage,
            attempted=moment(row.attempted),
            succeeded=moment(row.succeeded),
            is_failure=is_failure,
            failing_since=moment(row.failing_since or row.attempted) if is_failure else 0.0,
            failures=failures if is_failure else 0,
            told=self._told.get((name, row.target if is_push else ""), 0.0) if is_failure else 0.0,
            kind=clean(row.kind) if is_failure else "",
            message=clean(row.message, MESSAGE_LIMIT) if is_failure else "",
            expires=moment(row.expires),
        )
