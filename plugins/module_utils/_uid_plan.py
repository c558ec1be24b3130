# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Decide what becomes of the stored UIDs when the registry has answered. Pure.

A token's file name is made from a UID, so no two accounts may ever have the same one: where two claim it, neither gets
what it did not have.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UidPlan:
    """What to store, and what to say of it.

    `confirmed` holds every account whose answer is taken, changed or not; `new`, and `changed` with the UID before,
    are those among them that differ from what is stored. `removed` are the rows of accounts that are not configured any
    more and whose UID somebody else has now. `conflicts` gives, for each account whose answer is not taken, the reason.
    `after` is what is stored afterwards.
    """

    confirmed: t.Mapping[str, int]
    new: tuple[str, ...]
    changed: t.Mapping[str, int]
    removed: tuple[str, ...]
    conflicts: t.Mapping[str, str]
    warnings: tuple[str, ...]
    after: t.Mapping[str, int]

    @property
    def will_change(self) -> bool:
        return bool(self.new or self.changed or self.removed)


def decide(answers: t.Mapping[str, int], stored: t.Mapping[str, int], configured: t.Collection[str]) -> UidPlan:
    """Give the plan for good `answers` (account -> UID), what is `stored`, and all `configured` accounts.

    Accounts without a good answer keep their rows, and with them their UIDs.
    """
    conflicts = _said_twice(answers)
    taken = {account: uid for account, uid in answers.items() if account not in conflicts}
    holders: dict[int, list[str]] = {}
    for account, uid in stored.items():
        holders.setdefault(uid, []).append(account)

    def keeper(account: str, uid: int) -> str | None:
        """Give a configured account that holds this UID and does not leave it."""
        return next(
            (
                holder
                for holder in sorted(holders.get(uid, ()))
                if holder != account and holder in configured and taken.get(holder, uid) == uid
            ),
            None,
        )

    # An account that is refused its new UID stays on its old one, which may now be in the way of another.
    while refused := {account: holder for account, uid in taken.items() if (holder := keeper(account, uid))}:
        for account, holder in refused.items():
            conflicts[account] = (
                f"the registry gives it the UID {taken[account]}, which is that of account {holder}, "
                "and that one has not got another"
            )
        taken = {account: uid for account, uid in taken.items() if account not in refused}
    removed: list[str] = []
    warnings: list[str] = []
    for account, uid in sorted(taken.items()):
        for holder in sorted(holders.get(uid, ())):
            if holder != account and holder not in configured:
                removed.append(holder)
                warnings.append(
                    f"The UID {uid} is that of account {account} now; account {holder}, which had it and is not "
                    "configured any more, is forgotten (superseded)."
                )
    after = {account: uid for account, uid in stored.items() if account not in removed} | taken
    return UidPlan(
        confirmed=dict(sorted(taken.items())),
        new=tuple(sorted(account for account in taken if account not in stored)),
        changed={
            account: stored[account]
            for account in sorted(taken)
            if stored.get(account, taken[account]) != taken[account]
        },
        removed=tuple(removed),
        conflicts=dict(sorted(conflicts.items())),
        warnings=tuple(warnings),
        after=dict(sorted(after.items())),
    )


def _said_twice(answers: t.Mapping[str, int]) -> dict[str, str]:
    accounts: dict[int, list[str]] = {}
    for account, uid in sorted(answers.items()):
        accounts.setdefault(uid, []).append(account)
    return {
        account: f"the registry gives the UID {uid} to more than one account: {', '.join(_few(names))}"
        for uid, names in accounts.items()
        if len(names) > 1
        for account in names
    }


def _few(names: t.Sequence[str], most: int = 5) -> list[str]:
    return [*names[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])]
