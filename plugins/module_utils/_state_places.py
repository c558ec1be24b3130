# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Remember which account and which nodes each service has in the configuration.

What was pushed where says only what was tried; whoever asks whether all is well has to know what ought to be tried.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa

PLACE = "place"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service belongs."""

    account: str
    nodes: frozenset[str]


def note_places(db: sa.Connection, places: t.Mapping[str, Place], *, now: float) -> None:
    """Write down the places of all configured services, by their configured names; others are forgotten.

    Rows that are right already are left as they are. `now` is seconds since the epoch.
    """
    import sqlalchemy as sa

    table = schema().configured
    before = {
        row.name: row.real_name
        for row in db.execute(sa.select(table.c.name, table.c.real_name).where(table.c.sort == PLACE))
    }
    current = {name: _written(place) for name, place in places.items()}
    old = sorted(name for name, written in before.items() if current.get(name) != written)
    # A statement takes a limited number of values.
    for start in range(0, len(old), 500):
        db.execute(sa.delete(table).where(table.c.sort == PLACE, table.c.name.in_(old[start : start + 500])))
    rows = [
        {"sort": PLACE, "name": name, "real_name": written, "seen": now, "gone": 0.0}
        for name, written in sorted(current.items())
        if before.get(name) != written
    ]
    if rows:
        db.execute(sa.insert(table), rows)


def places(db: sa.Connection) -> dict[str, Place]:
    """Give the places that are known; a service that no run has begun with since this is written down has none."""
    import sqlalchemy as sa

    table = schema().configured
    rows = db.execute(sa.select(table.c.name, table.c.real_name).where(table.c.sort == PLACE))
    found = {str(name): _read(written) for name, written in rows}
    return {name: place for name, place in found.items() if place is not None}


def _written(place: Place) -> str:
    return json.dumps({"account": place.account, "nodes": sorted(place.nodes)}, separators=(",", ":"))


def _read(written: str) -> Place | None:
    try:
        plain = json.loads(written)
        return Place(str(plain["account"]), frozenset(str(node) for node in plain["nodes"]))
    except (ValueError, TypeError, KeyError, RecursionError):  # somebody else's words
        return None
