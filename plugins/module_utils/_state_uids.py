# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Keep the UIDs of accounts, and when and by whom each was confirmed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema

if t.TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class KnownUid:
    """An account's UID: `confirmed` and `noted` (first seen here) in seconds since the epoch, 0.0 for never; `source`
    says who confirmed it."""

    account: str
    uid: int
    confirmed: float = 0.0
    source: str = ""
    noted: float = 0.0

    def age(self, now: float) -> float:
        """Give the seconds since it was confirmed, or first seen; 0 when neither is known."""
        since = max(self.confirmed, self.noted)
        return max(0.0, now - since) if since else 0.0


def known_uids(db: sa.Connection) -> dict[str, KnownUid]:
    """Give all accounts with their UIDs.

    A UID that somebody else (the Go service) has put in the place of the confirmed one counts as never confirmed.
    """
    import sqlalchemy as sa

    uids, confirmations = schema().uids, schema().confirmations
    rows = db.execute(
        sa.select(
            uids.c.username, uids.c.uid, confirmations.c.confirmed, confirmations.c.source, confirmations.c.noted
        ).select_from(
            uids.outerjoin(
                confirmations,
                # Compared as text: the shared table's type makes a number of a name that looks like one.
                sa.and_(
                    sa.cast(uids.c.username, sa.Text) == confirmations.c.username, uids.c.uid == confirmations.c.uid
                ),
            )
        )
    )
    return {
        str(name): KnownUid(str(name), int(uid), confirmed or 0.0, source or "", noted or 0.0)
        for name, uid, confirmed, source, noted in rows
    }


def note_uids(db: sa.Connection, *, now: float) -> None:
    """Write down when UIDs that somebody else has put into the database were first seen here."""
    unseen = [known for known in known_uids(db).values() if not known.noted]
    _replace_confirmations(db, [KnownUid(known.account, known.uid, noted=now) for known in unseen])


def store_uids(
    db: sa.Connection, confirmed: t.Mapping[str, int], removed: t.Collection[str], *, now: float, source: str
) -> None:
    """Store UIDs that `source` has confirmed now (seconds since the epoch), and forget the accounts in `removed`.

    Rows that are right already are left as they are. The caller has made sure that no UID is given twice.
    """
    import sqlalchemy as sa

    table, confirmations = schema().uids, schema().confirmations
    before = known_uids(db)
    moved = sorted(name for name, uid in confirmed.items() if name not in before or before[name].uid != uid)
    # First all that give up their UID, so that accounts may exchange theirs.
    # A name that looks like a number stands there as that number, and only the table's own comparison finds it.
    for name in sorted({*removed, *moved}):
        db.execute(sa.delete(table).where(table.c.username == name))
    if removed:
        db.execute(sa.delete(confirmations).where(confirmations.c.username.in_(sorted(removed))))
    if moved:
        db.execute(sa.insert(table), [{"username": name, "uid": confirmed[name]} for name in moved])
    _replace_confirmations(
        db,
        [
            KnownUid(name, uid, now, source, (before[name].noted if name in before else 0.0) or now)
            for name, uid in sorted(confirmed.items())
        ],
    )


def _replace_confirmations(db: sa.Connection, known: t.Sequence[KnownUid]) -> None:
    import sqlalchemy as sa

    if not known:
        return
    table = schema().confirmations
    names = [item.account for item in known]
    for start in range(0, len(names), 500):
        db.execute(sa.delete(table).where(table.c.username.in_(names[start : start + 500])))
    db.execute(
        sa.insert(table),
        [
            {
                "username": item.account,
                "uid": item.uid,
                "confirmed": item.confirmed,
                "noted": item.noted,
                "source": item.source,
            }
            for item in known
        ],
    )
