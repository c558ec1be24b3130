# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Use the state database for one run: what it knows at the beginning, whom the run has to leave alone, and what came
of it.

Nothing here stops a run. A database that does not answer is a sentence for the operator; tokens do not wait for it.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils import _last_known_uids as last_known
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_configured as configured
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_places as state_places
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_results as results
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_runs as runs
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_strays as state_strays
from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_uids as state_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    StateUnavailable,
    StateUnusable,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CHECK,
    LOGIN,
    OK,
    STORE,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import KnownUid

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# Under these names the Go service reports its programs.
TOKEN_PUSH = "token-push"
REFRESH_UIDS = "refresh-uids-from-ferry"
# The Go service has no such programs.
OFFBOARDING = "offboarding"
ONBOARDING = "onboarding"
StateTrouble = (StateUnavailable, StateUnusable)


@dataclass(frozen=True, slots=True)
class UidBook:
    """What is known of UIDs, by account; `trouble` says why the database could not be read, "" when it could, and
    `remark` that the UIDs are not the database's own of now."""

    uids: t.Mapping[str, KnownUid] = field(default_factory=dict)
    trouble: str = ""
    remark: str = ""

    def source(self, accounts: t.Collection[str]) -> dict[str, int]:
        """Give the UIDs of those accounts that are known."""
        return {account: self.uids[account].uid for account in accounts if account in self.uids}


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the database said when the run began: runs that never ended, nodes that others serve, nodes with files of
    services that are no longer configured for them, and what went wrong."""

    lost: tuple[runs.RunRow, ...] = ()
    held: tuple[runs.Hold, ...] = ()
    forgotten: tuple[tuple[str, str], ...] = ()
    trouble: str = ""
    strays: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def look_up_uids(state: State | None, directory: Path) -> UidBook:
    """Give all UIDs that are known: the database's, or those that it gave last when it does not answer, or knows none
    at all, as one that has been lost and made anew. Reads only.

    `directory` is where the last known ones are kept.
    """
    if state is None:
        return UidBook()
    trouble = ""
    try:
        with state.read() as db:
            known = state_uids.known_uids(db)
    except StateTrouble as err:
        known, trouble = {}, err.msg
    if known:
        return UidBook(known)
    old = last_known.recall(directory).uids
    remark = ""
    if old:
        now = time.time()
        known = {name: KnownUid(name, uid, noted=now) for name, uid in old.items()}
        remark = f"The UIDs of {len(old)} accounts are those that the state database {state.label} gave last" + (
            "." if trouble else "; it knows none now. Run the playbook refresh_uids."
        )
    return UidBook(known, trouble, remark)


def remember_uids(book: UidBook, directory: Path) -> list[str]:
    """Keep the UIDs for a run that cannot read the database; give a remark when that fails."""
    if book.trouble or book.remark:
        return []
    try:
        last_known.remember(directory, book.source(book.uids), now=time.time())
    except BadFile as err:
        return [f"The last known UIDs could not be kept: {err.msg}"]
    return []


def look_for_holds(
    state: State | None, run: Run, known: t.Sequence[Service] = (), *, forget_after: float = 0.0
) -> Beginning:
    """Give what a run that began now would find, without writing anything; see C(begin)."""
    if state is None:
        return Beginning()
    now = time.time()
    try:
        with state.read() as db:
            held = tuple(runs.holds_of_others(db, run.id, now=now))
            return Beginning(held=held, strays=state_strays.strays(db, _nodes(known), before=now - forget_after))
    except StateTrouble as err:
        return Beginning(trouble=err.msg)


def begin(
    state: State | None,
    run: Run,
    services: t.Sequence[Service],
    known: t.Sequence[Service],
    *,
    program: str,
    owner: int | None,
    forget_after: float,
    take_over: bool,
) -> Beginning:
    """Write down that the run begins and which nodes it serves with which service, and what is configured now.

    `services` are those of the run, `known` all that are configured. Nodes that another run serves are not held.
    """
    if state is None:
        return Beginning()
    now = time.time()
    try:
        with state.write() as db:
            lost = runs.begin_run(db, _row(run, program, owner), now=now)
            if take_over:
                runs.break_holds(db, run.id)
            held = runs.holds_of_others(db, run.id, now=now)
            runs.hold(db, run.id, _free(services, held))
            state_uids.note_uids(db, now=now)
            placed = _nodes(known)
            nodes = frozenset[str]().union(*placed.values())
            names = {service.config_name: service.name for service in known}
            forgotten = configured.note_configured(db, names, nodes, now=now, forget_after=forget_after)
            state_places.note_places(db, {service.config_name: _place(service) for service in known}, now=now)
            state_strays.forget_old_strays(db, placed, before=now - forget_after)
            strays = state_strays.strays(db, placed, before=now - forget_after)
        return Beginning(tuple(lost), tuple(held), tuple(forgotten), strays=strays)
    except StateTrouble as err:
        return Beginning(trouble=err.msg)


def recent_stores(state: State | None, within: float) -> dict[tuple[str, str], tuple[float, str]]:
    """Give when (seconds since the epoch) and by which run each (service, credd) was stored less than `within` seconds
    ago. A database that does not answer knows of none."""
    if state is None or within <= 0:
        return {}
    limit = time.time() - within
    try:
        with state.read() as db:
            found = results.last_success(db, STORE)
    except StateTrouble:
        return {}
    return {key: (when, run) for key, (when, run) in found.items() if when >= limit}


def remember_stores(state: State | None, run: Run, outcomes: t.Sequence[Outcome]) -> None:
    """Write down at once what was stored, for runs that begin before this one ends; the run's end tells what went
    wrong with the database."""
    if state is None:
        return
    with contextlib.suppress(*StateTrouble), state.write() as db:
        results.remember_outcomes(db, outcomes, run=run.id)


def remember_run(
    state: State, run: Run, outcomes: t.Sequence[Outcome], *, program: str, owner: int | None, message: str
) -> None:
    """Write down what came of the run, all of it or nothing.

    Raises: StateUnavailable, StateUnusable.
    """
    with state.write() as db:
        results.count_failures(db, outcomes)
        record_run(db, run, outcomes, program=program, owner=owner, message=message)


def forget_run(state: State, run: Run) -> None:
    """Forget a run that only looked: it is no run of its program, well or not.

    Raises: StateUnavailable, StateUnusable.
    """
    with state.write() as db:
        runs.forget_run(db, run.id)


def record_run(
    db: sa.Connection, run: Run, outcomes: t.Sequence[Outcome], *, program: str, owner: int | None, message: str
) -> None:
    """Write down within the caller's transaction what was attempted, and that the run has ended."""
    results.remember_outcomes(db, outcomes, run=run.id)
    end(db, run, outcomes, program=program, owner=owner, message=message)


def remember_onboarding(
    state: State, run: Run, outcomes: t.Sequence[Outcome], *, owner: int | None, message: str
) -> None:
    """Write down what came of an onboarding, all of it or nothing.

    It counts no failures in a row: people are told of what regular runs cannot do. What a person did or did not do is
    no state of a service either.

    Raises: StateUnavailable, StateUnusable.
    """
    lasting = [outcome for outcome in outcomes if outcome.stage not in (CHECK, LOGIN)]
    with state.write() as db:
        results.remember_outcomes(db, lasting, run=run.id)
        end(db, run, outcomes, program=ONBOARDING, owner=owner, message=message)


def end(
    db: sa.Connection, run: Run, outcomes: t.Sequence[Outcome], *, program: str, owner: int | None, message: str
) -> None:
    """Write down within the caller's transaction that the run has ended, and nothing of what it attempted."""
    runs.end_run(db, _row(run, program, owner), _ending(outcomes, message))


def _ending(outcomes: t.Sequence[Outcome], message: str) -> runs.Ending:
    spans: dict[str, tuple[float, float]] = {}
    for outcome in outcomes:
        first, last = spans.get(outcome.stage, (outcome.started, 0.0))
        spans[outcome.stage] = min(first, outcome.started), max(last, outcome.started + outcome.seconds)
    bad = {outcome.config_service for outcome in outcomes if outcome.is_failure}
    return runs.Ending(
        ended=time.time(),
        well=sum(outcome.status in (OK, CHANGED) for outcome in outcomes),
        failed=sum(outcome.is_failure for outcome in outcomes),
        services=len({outcome.config_service for outcome in outcomes} - {""}),
        services_failed=len(bad - {""}),
        message=message,
        stages={stage: (last, last - first) for stage, (first, last) in spans.items()},
    )


def _free(services: t.Sequence[Service], held: t.Sequence[runs.Hold]) -> dict[str, list[str]]:
    taken = {(hold.service, node) for hold in held for node in hold.nodes}
    free = {
        service.config_name: [node.name for node in service.nodes if (service.config_name, node.name) not in taken]
        for service in services
    }
    return {name: nodes for name, nodes in free.items() if nodes}


def _nodes(services: t.Sequence[Service]) -> dict[str, frozenset[str]]:
    return {service.config_name: frozenset(node.name for node in service.nodes) for service in services}


def _place(service: Service) -> state_places.Place:
    return state_places.Place(service.account, frozenset(node.name for node in service.nodes))


def _row(run: Run, program: str, owner: int | None) -> runs.RunRow:
    return runs.RunRow(run.id, program, run.started, run.deadline, holder(owner))
