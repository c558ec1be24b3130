# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say what a refresh of the UIDs has done: outcomes, warnings, one sentence, before and after. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import UidConflict
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_accounts import Asked
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    OK,
    REGISTRY,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_plan import UidPlan

MOST_NAMES = 5
MOST_WARNINGS = 10


def outcome_of(asked: Asked, plan: UidPlan, stored: t.Mapping[str, int]) -> Outcome:
    """Give what came of one account; the message is one sentence that names it."""
    account = asked.account
    if asked.reading is None:
        return failed(asked, asked.kind, f"account {account}: {asked.message.rstrip('.')}; {_kept(account, stored)}")
    uid = asked.reading.uid
    if account in plan.conflicts:
        return failed(
            asked, UidConflict.kind, f"account {account}: {plan.conflicts[account]}; {_kept(account, stored)}"
        )
    if account in plan.changed:
        return _record(
            asked,
            CHANGED,
            message=f"account {account} has a new UID {uid} (before: {plan.changed[account]}): its tokens go to "
            f"/tmp/vt_u{uid} from now on, and those of the old name stay until they expire.",
        )
    if account in plan.new:
        return _record(asked, CHANGED, message=f"account {account} has the UID {uid} (new here).")
    return _record(asked, OK)


def failed(asked: Asked, kind: str, message: str) -> Outcome:
    """Give the outcome of an account whose answer was not taken."""
    return _record(asked, FAILED, kind=kind, message=message)


def _record(asked: Asked, status: str, kind: str = "", message: str = "") -> Outcome:
    return Outcome(
        REGISTRY,
        status,
        account=asked.account,
        started=asked.started,
        seconds=asked.seconds,
        kind=kind,
        message=message,
    )


def _kept(account: str, stored: t.Mapping[str, int]) -> str:
    return f"it keeps the UID {stored[account]}." if account in stored else "no UID is stored for it."


def warnings_of(asked: t.Sequence[Asked], plan: UidPlan, own: t.Sequence[tuple[Service, int]]) -> list[str]:
    """Give what an operator has to see although nothing failed; `own` are the services whose roles say a UID
    themselves."""
    readings = {item.account: item.reading for item in asked if item.reading is not None}
    changed = [
        f"The account {account} has a new UID {plan.confirmed[account]} (before: {before}): its tokens go to "
        f"/tmp/vt_u{plan.confirmed[account]} from now on, and those of the old name stay until they expire."
        for account, before in plan.changed.items()
    ]
    inactive = [
        f"The account {account} is not active, says the registry."
        for account, reading in readings.items()
        if not reading.is_active
    ]
    differing = [
        f"managed_tokens_experiments.{service.experiment}.roles.{service.role}.uid is {uid}, and the registry gives "
        f"the account {service.account} the UID {readings[service.account].uid}; the role's own one counts."
        for service, uid in own
        if service.account in readings and readings[service.account].uid != uid
    ]
    return [
        *_first(changed, "more accounts have a new UID"),
        *_first(differing, "more roles say another UID than the registry"),
        *_first(inactive, "more accounts are not active"),
        *_first(plan.warnings, "more accounts are forgotten"),
    ]


def _first(texts: t.Sequence[str], rest: str) -> list[str]:
    return [*texts[:MOST_WARNINGS], *([f"{len(texts) - MOST_WARNINGS} {rest}."] if len(texts) > MOST_WARNINGS else [])]


def sentence(outcomes: t.Sequence[Outcome], plan: UidPlan, *, check_mode: bool) -> str:
    """Give one sentence with the counts; failed accounts come first, with their reasons."""
    broken = [outcome for outcome in outcomes if outcome.is_failure]
    confirmed = sum(outcome.status == OK for outcome in outcomes)
    counts = f"{confirmed} confirmed, " + (
        f"{len(plan.new)} would be new, {len(plan.changed)} would change"
        if check_mode
        else f"{len(plan.new)} new, {len(plan.changed)} changed"
    )
    if plan.removed:
        counts += f", {len(plan.removed)} {'would be ' if check_mode else ''}forgotten"
    if not broken:
        return f"UIDs of {len(outcomes)} accounts: {counts}."
    others = f"; of the others {counts}" if len(broken) < len(outcomes) else ""
    return f"{few_failures(broken, len(outcomes))}{others}."


def few_failures(broken: t.Sequence[Outcome], total: int) -> str:
    """Name the first failed accounts with their reasons, and count the rest; without a full stop."""
    named = "; ".join(outcome.message.removeprefix("account ").rstrip(".") for outcome in broken[:MOST_NAMES])
    rest = f"; and {len(broken) - MOST_NAMES} more" if len(broken) > MOST_NAMES else ""
    return f"{len(broken)} of {total} accounts failed: {named}{rest}"


def difference(stored: t.Mapping[str, int], plan: UidPlan) -> dict[str, str]:
    """Give what is stored before and after, an account a line."""
    return {"before": _lines(stored), "after": _lines(plan.after)}


def _lines(uids: t.Mapping[str, int]) -> str:
    return "".join(f"{account}: {uid}\n" for account, uid in sorted(uids.items()))
