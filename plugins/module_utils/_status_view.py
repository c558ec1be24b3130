# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Make of a status what the page's readers see: problems with advice, experiments with their services, runs. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import SETUP, STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    BAD_RESULTS,
    GOING,
    RunStatus,
    ServiceStatus,
    Status,
    Target,
    clean,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_lines import result_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_times import ago, since, utc
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import Finding, Verdict, counted

PRODUCTION = "production"
MOST_ROWS = 50
# How a place, a service and an experiment stand.
OK, BAD, LATE, NEVER = "ok", "bad", "late", "never"
_ORDER = (BAD, LATE, NEVER, OK)
_NAMELESS = {
    STORE: ("token", "the token, stored on no credd"),
    SETUP: ("set-up", "the set-up"),
    TICKETS: ("ticket", "the Kerberos ticket"),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One credd or node of a service: its short and its whole name, how it stands, and since when."""

    name: str
    full_name: str
    state: str
    words: str
    detail: str


@dataclass(frozen=True, slots=True)
class Line:
    """One service."""

    name: str
    account: str
    uid: str
    uid_words: str
    state: str
    words: str
    credds: tuple[Spot, ...]
    nodes: tuple[Spot, ...]
    held_by: str


@dataclass(frozen=True, slots=True)
class Section:
    """One experiment."""

    name: str
    state: str
    words: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One finding, in words."""

    where: str
    what: str
    since: str
    more: str


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one sort with one advice; `left_out` are not among the rows."""

    kind: str
    sort: str
    advice: str
    who: str
    number: str
    rows: tuple[Trouble, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run."""

    when: str
    ago: str
    program: str
    id: str
    state: str
    result: str
    words: str


@dataclass(frozen=True, slots=True)
class View:
    """All that the template has; every text is on one line, without control characters or tokens.

    `epoch` is when it was true, in seconds since the epoch; after `max_age_s` more nobody should believe it.
    """

    title: str
    colour: str
    verdict: str
    reasons: tuple[str, ...]
    taken: str
    epoch: int
    max_age_s: int
    max_age: str
    last_well: str
    problems: tuple[Group, ...]
    warnings: tuple[Group, ...]
    sections: tuple[Section, ...]
    counts: str
    runs: tuple[RunLine, ...]
    database: str
    environment: str


def view_of(status: Status, verdict: Verdict, *, max_age: float, environment: str) -> View:
    """Give what the page shows; `max_age` in seconds is how long ago the last success may be."""
    sections: dict[str, list[ServiceStatus]] = {}
    for service in status.services:
        sections.setdefault(service.experiment, []).append(service)
    limit = status.taken - max_age
    shown = [_section(name, services, status.taken, limit) for name, services in sorted(sections.items())]
    nodes = {target.name for service in status.services for target in service.nodes}
    credds = {target.name for service in status.services for target in service.credds} - {""}
    return View(
        title=f"Tokens: {verdict.title}",
        colour=verdict.colour,
        verdict=verdict.title,
        reasons=verdict.reasons if verdict.is_green else (),
        taken=utc(status.taken),
        epoch=int(status.taken),
        max_age_s=int(max_age),
        max_age=in_words(max_age),
        last_well=since(status.last_well, status.taken),
        problems=tuple(_groups(verdict.problems, status.taken)),
        warnings=tuple(_groups(verdict.warnings, status.taken)),
        # What is not well comes first.
        sections=tuple(sorted(shown, key=lambda section: _ORDER.index(section.state))),
        counts=", ".join(
            counted(number, what)
            for number, what in (
                (len(shown), "experiment"),
                (len(status.services), "service"),
                (len(credds), "credd"),
                (len(nodes), "node"),
            )
            if number
        ),
        runs=tuple(_run(run, status.taken) for run in status.recent),
        database=status.label,
        environment="" if environment == PRODUCTION else clean(environment),
    )


def _section(name: str, services: t.Sequence[ServiceStatus], now: float, limit: float) -> Section:
    lines = sorted((_line(item, now, limit) for item in services), key=lambda line: _ORDER.index(line.state))
    bad = sum(line.state != OK for line in lines)
    words = counted(len(lines), "service") + (f", {bad:,} not well" if bad else "")
    return Section(name or "(no name)", lines[0].state, words, tuple(lines))


def _line(service: ServiceStatus, now: float, limit: float) -> Line:
    failing = service.failing
    spots = [_spot(target, now, limit, service.targets) for target in service.targets]
    before = [_spot(target, now, limit, service.targets) for target in failing if target in service.setup]
    state = min((spot.state for spot in spots), key=_ORDER.index, default=NEVER)
    words = f"{'well' if state == OK else 'last well'} {ago(service.oldest, now)}"
    if failing:
        state = BAD
        words = f"failing for {in_words(max(0.0, now - min(target.failing_since for target in failing)))}"
    elif state == NEVER:
        words = "not tried yet"
    return Line(
        name=service.name,
        account=service.account,
        uid=str(service.uid) if service.uid else "",
        uid_words="" if service.uid_age is None else f"confirmed {in_words(service.uid_age)} ago",
        state=state,
        words=words,
        credds=(*before, *spots[: len(service.credds)]),
        nodes=tuple(spots[len(service.credds) :]),
        held_by=service.held_by,
    )


def _spot(target: Target, now: float, limit: float, all_of_service: t.Sequence[Target]) -> Spot:
    if target.is_failure:
        state, words = BAD, f"{in_words(max(0.0, now - target.failing_since))}"
        detail = f"fails since {utc(target.failing_since)} ({target.kind}); last success {utc(target.succeeded)}"
    elif not target.attempted:
        state, words, detail = NEVER, "not yet", "never tried"
    else:
        state, words = (LATE if target.succeeded < limit else OK), in_words(max(0.0, now - target.succeeded))
        detail = f"last success {utc(target.succeeded)}"
        if target.expires:
            detail += f"; the token lives until {utc(target.expires)}"
    short = target.name.partition(".")[0]
    same = Counter(other.name.partition(".")[0] for other in all_of_service if other.stage == target.stage)
    name = short if same[short] == 1 else target.name
    if not target.name:
        return Spot(*_NAMELESS.get(target.stage, (target.stage, target.stage)), state, words, detail)
    return Spot(name, target.name, state, words, detail)


def _groups(findings: t.Iterable[Finding], now: float) -> t.Iterator[Group]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        groups.setdefault((item.sort, item.advice), []).append(item)
    for (sort, advice), items in groups.items():
        yield Group(
            items[0].kind,
            sort.rstrip("."),
            advice,
            items[0].who,
            f"{len(items):,} in all" if len(items) > 1 else "",
            tuple(_trouble(item, now) for item in items[:MOST_ROWS]),
            max(0, len(items) - MOST_ROWS),
        )


def _trouble(item: Finding, now: float) -> Trouble:
    more = [f"{item.failures} runs in a row"] if item.failures > 1 and not item.told else []
    if item.told:
        more.append(f"people were told {ago(item.told, now)}")
    return Trouble(item.where, item.what, since(item.since, now) if item.since else "", ", ".join(more))


def _run(run: RunStatus, now: float) -> RunLine:
    state = BAD if run.result in BAD_RESULTS else LATE if run.result == GOING else OK
    return RunLine(utc(run.started), ago(run.started, now), run.program, run.id, state, result_of(run), run.words)
