# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Decide at the beginning of a run what is left to other runs, and what the operator has to know. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import UTC, datetime

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import ServiceHeld
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import Beginning, UidBook
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    SETUP,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Problem, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import Hold, RunRow

MOST_NAMES = 5


def leave_to_others(
    services: t.Sequence[Service], held: t.Sequence[Hold], *, now: float
) -> tuple[list[Service], list[Outcome]]:
    """Give the services without the nodes that other runs serve, and an outcome for each that is left alone, wholly or
    in part.

    One without any node left is stopped by a problem that is no failure.
    """
    kept: list[Service] = []
    outcomes: list[Outcome] = []
    for service in services:
        free, against = without_held(service, held)
        if against:
            message = _held_message(service, free, against, now)
            outcomes.append(record(SETUP, SKIPPED, service, Stopwatch(), kind=ServiceHeld.kind, message=message))
            if not free.nodes:
                free = replace(free, problem=Problem(SETUP, ServiceHeld.kind, message))
        kept.append(free)
    return kept, outcomes


def without_held(service: Service, held: t.Sequence[Hold]) -> tuple[Service, list[Hold]]:
    """Give the service with those of its nodes that nobody else serves now, and the holds on the others."""
    own = {node.name for node in service.nodes}
    against = [hold for hold in held if hold.service == service.config_name and hold.nodes & own]
    taken = frozenset[str]().union(*(hold.nodes for hold in against))
    if not taken:
        return service, []
    return replace(service, nodes=tuple(node for node in service.nodes if node.name not in taken)), against


def _held_message(service: Service, free: Service, against: t.Sequence[Hold], now: float) -> str:
    run = against[0].run
    count = len(service.nodes) - len(free.nodes)
    what = f"all its {count} nodes are" if not free.nodes else f"{count} of its {len(service.nodes)} nodes are"
    return f"{service.config_name}: {what} being served by {describe(run, now)}, and left to it."


def describe(run: RunRow, now: float) -> str:
    """Name a run for people: who it is, where, since when."""
    return f"run {run.id} ({run.program}, {run.holder.describe()}, begun {in_words(max(0.0, now - run.started))} ago)"


def remarks(
    book: UidBook, beginning: Beginning, looked_up: t.Sequence[Service], *, uid_max_age: float, now: float
) -> list[str]:
    """Give the warnings of a run's beginning; `looked_up` are the services whose UIDs are not their roles' own."""
    found = []
    if book.trouble:
        found.append(f"{book.trouble} Nothing keeps another run from doing the same work meanwhile.")
    elif beginning.trouble:
        found.append(f"{beginning.trouble} Nothing keeps another run from doing the same work meanwhile.")
    if book.remark:
        found.append(book.remark)
    found += [
        f"The run {run.id} ({run.program}, {run.holder.describe()}), begun {_moment(run.started)}, never ended: it was "
        "killed, or its machine went down. What it held is free again."
        + (f" As far as is known, {run.left}." if run.left else "")
        for run in beginning.lost
    ]
    old = _unconfirmed(book, looked_up, uid_max_age, now)
    if old:
        found.append(old)
    return found


def left_behind(beginning: Beginning) -> list[str]:
    """Give the warning, if any, that services have left files on nodes that they are no longer configured for."""
    services = sorted(beginning.strays)
    nodes = sorted({node for found in beginning.strays.values() for node in found})
    if not services:
        return []
    more = f" and {len(services) - MOST_NAMES} more services" if len(services) > MOST_NAMES else ""
    others = f" and {len(nodes) - MOST_NAMES} more nodes" if len(nodes) > MOST_NAMES else ""
    sentence = (
        f"{', '.join(services[:MOST_NAMES])}{more} left tokens on {', '.join(nodes[:MOST_NAMES])}{others}, no longer "
        "configured there: remove them with ansible-playbook -i INVENTORY fife.managed_tokens.offboarding "
        f"-e managed_tokens_node={','.join(nodes[:MOST_NAMES])} (docs/offboarding.md), or put the nodes back."
    )
    return [sentence]


def _unconfirmed(book: UidBook, looked_up: t.Sequence[Service], uid_max_age: float, now: float) -> str:
    ages = {
        service.account: book.uids[service.account].age(now)
        for service in looked_up
        if service.account in book.uids and book.uids[service.account].age(now) > uid_max_age
    }
    if not ages or book.remark:
        return ""
    names = sorted(ages, key=lambda name: (-ages[name], name))
    listed = ", ".join(f"{name} ({in_words(ages[name])})" for name in names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return (
        f"Nobody has confirmed the UIDs of these accounts for longer than {in_words(uid_max_age)}: {listed}{more}. "
        "Run the playbook refresh_uids; a UID that is wrong puts the token into the wrong file."
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
