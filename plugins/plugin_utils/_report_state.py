# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Remember in the state database who has been told of what, and begin to count anew what was told of.

Trouble with the database stops no report: it is a sentence for the operator, and people are told once too often.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import push_counters, setup_counters
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    PUSH,
    RUN,
    SERVICE_EMAIL,
    SETUP,
    Delivery,
    Key,
    Notice,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import Counters, Telling, Told

if t.TYPE_CHECKING:
    import sqlalchemy as sa

LONGEST_KIND = 100


def look(state: State | None) -> tuple[Counters | None, Told, str]:
    """Give the counters, what each channel has told of, and the trouble with the database in one sentence or "".

    The counters are None when they are not known.
    """
    if state is None:
        return None, Told(), ""
    try:
        with state.read() as db:
            return Counters(setup_counters(db), push_counters(db), _failing_since(db)), Told(_told(db)), ""
    except TokensError as err:
        return None, Told(), f"{err.msg} Everything that failed is told of at once."


def is_another(state: State, run: str) -> bool:
    """Tell whether the database certainly does not know a run that has been recorded: then it is not the one that the
    token host uses, and its counters say nothing."""
    import sqlalchemy as sa

    table = schema().runs
    try:
        with state.read() as db:
            return db.execute(sa.select(table.c.id).where(table.c.id == run)).first() is None
    except TokensError:
        return False


def settle(state: State, deliveries: t.Iterable[Delivery], decision: Decision, run: str, now: float) -> str:
    """Remember what came of telling people, all of it or nothing; give the trouble with that in one sentence or "".

    `now` is seconds since the epoch.
    """
    deliveries = list(deliveries)
    if not deliveries:
        return ""
    notices = decision.notices()
    accepted: dict[str, dict[Key, Notice]] = {}
    for delivery in deliveries:
        if delivery.is_accepted:
            of_channel = accepted.setdefault(delivery.channel, {})
            of_channel |= {key: notices[key] for key in delivery.keys if key.sort != RUN and key in notices}
    told_of = {key for told in accepted.values() for key in told}
    try:
        with state.write() as db:
            _lower(db, {key: decision.cleared[key] for key in told_of & decision.cleared.keys()})
            for channel, told in sorted(accepted.items()):
                _note_told(db, channel, told, run=run, now=now)
            _note_deliveries(db, deliveries)
    except TokensError as err:
        return f"{err.msg} Who has been told of what is not remembered, and they may be told again."
    return ""


def _failing_since(db: sa.Connection) -> dict[tuple[str, str, str], float]:
    import sqlalchemy as sa

    table = schema().results
    rows = db.execute(
        sa.select(table.c.stage, table.c.service, table.c.target, table.c.failing_since).where(
            table.c.failing_since > 0
        )
    )
    return {(stage, service, target): float(since) for stage, service, target, since in rows}


def _told(db: sa.Connection) -> dict[str, dict[Key, Telling]]:
    import sqlalchemy as sa

    found: dict[str, dict[Key, Telling]] = {}
    for row in db.execute(sa.select(schema().notifications)):
        key = Key(PUSH if row.node else SETUP, row.service, row.node)
        found.setdefault(row.channel, {})[key] = Telling(float(row.sent), row.kind)
    return found


def _lower(db: sa.Connection, amounts: t.Mapping[Key, int]) -> None:
    """Take from the counters what was told of. Another run may have counted on since, and its failures stay."""
    import sqlalchemy as sa

    tables = schema()
    told = sa.bindparam("told_of", type_=sa.BigInteger)
    of_service = _number_of(tables.services, "service_name")
    of_node = _number_of(tables.nodes, "node_name")
    for sort, table in ((SETUP, tables.setup_errors), (PUSH, tables.push_errors)):
        rows = [
            {"told_of": amount, "service_name": key.service, "node_name": key.node}
            for key, amount in sorted(amounts.items(), key=lambda item: (item[0].service, item[0].node))
            if key.sort == sort
        ]
        change = sa.update(table).values(count=sa.case((table.c.count > told, table.c.count - told), else_=0))
        change = change.where(table.c.service_id == of_service)
        if sort == PUSH:
            change = change.where(table.c.node_id == of_node)
        else:
            rows = [{name: value for name, value in row.items() if name != "node_name"} for row in rows]
        if rows:
            db.execute(change, rows)


def _number_of(table: sa.Table, name: str) -> sa.ScalarSelect[t.Any]:
    import sqlalchemy as sa

    return sa.select(table.c.id).where(table.c.name == sa.bindparam(name, type_=sa.Text)).scalar_subquery()


def _note_told(db: sa.Connection, channel: str, told: t.Mapping[Key, Notice], *, run: str, now: float) -> None:
    import sqlalchemy as sa

    table = schema().notifications
    before = {
        (row.service, row.node): float(row.sent)
        for row in db.execute(sa.select(table).where(table.c.channel == channel))
    }
    rows = []
    for key, item in told.items():
        if item.is_recovery:
            continue
        sent = before.get((key.service, key.node), 0.0)
        rows.append(
            {
                "channel": channel,
                "service": key.service,
                "node": key.node,
                # A reminder leaves it as it is: the end of a trouble says since when it was known.
                "sent": sent if 0 < item.since <= sent else now,
                "kind": one_line(item.kind, LONGEST_KIND),
                "run": run,
            }
        )
    over = [
        {"channel": channel, "service": key.service, "node": key.node} for key, item in told.items() if item.is_recovery
    ]
    _replace(db, table, rows, over)


def _note_deliveries(db: sa.Connection, deliveries: t.Iterable[Delivery]) -> None:
    rows: dict[tuple[str, str, int], dict[str, t.Any]] = {}
    for delivery in deliveries:
        is_service = delivery.channel == SERVICE_EMAIL
        for target in dict.fromkeys(key.service for key in delivery.keys) if is_service else [""]:
            rows[delivery.channel, target, int(delivery.is_accepted)] = {
                "channel": delivery.channel,
                "target": target,
                "success": int(delivery.is_accepted),
                "sent": delivery.started + delivery.seconds,
                "seconds": delivery.seconds,
            }
    _replace(db, schema().deliveries, list(rows.values()))


def _replace(
    db: sa.Connection,
    table: sa.Table,
    rows: t.Sequence[t.Mapping[str, t.Any]],
    gone: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> None:
    """Put these rows in the place of those with the same primary keys, and remove the ones that are gone."""
    import sqlalchemy as sa

    names = [column.name for column in table.primary_key]
    old = [{f"old_{name}": row[name] for name in names} for row in (*rows, *gone)]
    if old:
        is_same = [table.c[name] == sa.bindparam(f"old_{name}", type_=table.c[name].type) for name in names]
        db.execute(sa.delete(table).where(*is_same), old)
    if rows:
        db.execute(sa.insert(table), list(rows))
