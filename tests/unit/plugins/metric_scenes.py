# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let runs come and go in a state database, by the engine's own functions, and read the metrics that follow."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils import _memory as memory
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    OK,
    PING,
    PUSH,
    REGISTRY,
    SETUP,
    STORE,
    TICKETS,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import Snapshot, snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_metrics import render
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service

LIFE_S = 7 * 86400.0
SECONDS = 0.03

# The name of a sample, with its labels as sorted pairs, and its value.
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def six_services() -> list[Service]:
    """Give two services for each of three experiments, each on the two nodes of its experiment."""
    nodes = {name: tuple(node(f"{name}gpvm{number:02}.lab.example") for number in (1, 2)) for name in EXPERIMENTS}
    return [service(f"{name}_{role}", nodes=nodes[name]) for name in EXPERIMENTS for role in ("analysis", "production")]


EXPERIMENTS = ("exp01", "exp02", "exp03")


def outcomes_of(services: t.Iterable[Service], *, when: float, bad: t.Container[tuple[str, ...]] = ()) -> list[Outcome]:
    """Give the outcomes of a run that began at `when`; a service goes no further than where it fails.

    `bad` are what fails: (stage, configured service), (stage, configured service, credd or node), (ping, node).
    """
    found: list[Outcome] = []
    services = list(services)
    pinged = dict.fromkeys(item.name for service in services for item in service.nodes)
    for name in pinged:
        found.append(_outcome(PING, OK, (PING, name) in bad, when, node=name))  # noqa: PERF401 - told in the runs' order
    for item in services:
        named = {"service": item.name, "config_service": item.config_name}
        for stage in (SETUP, TICKETS):
            found.append(_outcome(stage, OK, (stage, item.config_name) in bad, when, **named))
            if found[-1].is_failure:
                break
        else:
            credds = [credd.name for credd in item.credds] or [""]
            stored = [
                _outcome(STORE, CHANGED, (STORE, item.config_name, name) in bad, when, credd=name, life=LIFE_S, **named)
                for name in credds
            ]
            found += stored
            if not all(one.is_failure for one in stored):
                found += [
                    _outcome(PUSH, CHANGED, (PUSH, item.config_name, one.name) in bad, when, node=one.name, **named)
                    for one in item.nodes
                ]
    return found


def _outcome(stage: str, well: str, is_bad: bool, when: float, **more: t.Any) -> Outcome:
    values: dict[str, t.Any] = {"started": when, "seconds": SECONDS, **more}
    return Outcome(stage, "failed", kind="x", message="no.", **values) if is_bad else Outcome(stage, well, **values)


def token_push(
    state: State,
    services: t.Sequence[Service],
    *,
    known: t.Sequence[Service] | None = None,
    ago: float = 0.0,
    bad: t.Container[tuple[str, ...]] = (),
    outcomes: t.Sequence[Outcome] | None = None,
) -> Run:
    """Do a run of these services, which ended so many seconds ago; `known` are all that are configured."""
    run = replace(Run.begin(Timeouts()), started=time.time() - ago - 1)
    options: dict[str, t.Any] = {"program": memory.TOKEN_PUSH, "owner": None}
    known = services if known is None else known
    memory.begin(state, run, services, known, forget_after=30 * 86400.0, take_over=False, **options)
    found = outcomes_of(services, when=run.started, bad=bad) if outcomes is None else outcomes
    memory.remember_run(state, run, found, message="", **options)
    return run


def refresh_uids(state: State, uids: t.Mapping[str, int], *, bad: t.Collection[str] = ()) -> Run:
    """Do a refresh of the accounts' UIDs; those of `bad` fail."""
    run = Run.begin(Timeouts())
    outcomes = [_outcome(REGISTRY, OK, account in bad, run.started, account=account) for account in uids]
    with state.write() as db:
        store_uids(
            db,
            {account: uid for account, uid in uids.items() if account not in bad},
            [],
            now=run.started,
            source="ferry",
        )
        memory.record_run(db, run, outcomes, program=memory.REFRESH_UIDS, owner=None, message="")
    return run


def snapshot_in(state: State, *, now: float | None = None) -> Snapshot:
    """Give what the database knows."""
    with state.read() as db:
        return snapshot(db, now=time.time() if now is None else now)


def series_of(found: Snapshot) -> Series:
    """Give all series of a snapshot, without the prefix of their names."""
    return {
        (sample.name.removeprefix("managed_tokens_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in render(found).collect()
        for sample in family.samples
    }


def named(series: Series, name: str) -> dict[tuple[str, ...], float]:
    """Give the series of one name by the values of their labels, these in the order of the labels' names."""
    return {tuple(value for _label, value in labels): number for (its, labels), number in series.items() if its == name}
