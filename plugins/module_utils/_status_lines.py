# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Lay out for a terminal how everything stands: the verdict, services and places, what is wrong and what to do."""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    RunStatus,
    Status,
    Target,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_times import ago, since
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import Finding, Verdict, counted

NARROWEST = 76
# What the other columns of the table need.
BESIDE_NAMES = 50
MOST_SERVICES = 25
MOST_OF_A_KIND = 3
MOST_KINDS = 10
MOST_RUNS = 5


def lines(status: Status, verdict: Verdict, width: int) -> list[str]:
    """Give the lines, none longer than `width` (at least 76)."""
    width = max(NARROWEST, width)
    shown = _wrapped([f"{verdict.colour.upper()}: {verdict.title}"], width)
    if verdict.is_green:
        shown += _wrapped(verdict.reasons, width, indent="  ")
    shown += _services(status, width)
    shown += _findings("What is wrong, and what to do", verdict.problems, status.taken, width)
    shown += _findings("Warnings", verdict.warnings, status.taken, width)
    shown += _runs(status, width)
    return shown


def _services(status: Status, width: int) -> list[str]:
    """Give the table; of very many services only those that are not well."""
    if not status.services:
        return []
    bad = [service for service in status.services if service.failing]
    shown = status.services if len(status.services) <= MOST_SERVICES else bad[:MOST_SERVICES]
    found = [""]
    if shown:
        name_width = min(width - BESIDE_NAMES, max(len("service"), *(len(service.name) for service in shown)))
        found.append(f"  {'service':<{name_width}} {'UID':>10} {'credds':>7} {'nodes':>6}  oldest success")
        for service in shown:
            uid = str(service.uid) if service.uid else "-"
            mark = "FAILING" if service.failing else "in work" if service.held_by else ""
            line = (
                f"  {one_line(service.name, name_width):<{name_width}} {uid:>10} {good_of(service.credds):>7} "
                f"{good_of(service.nodes):>6}  {ago(service.oldest, status.taken):<12} {mark}"
            )
            found.append(line.rstrip())
    if len(shown) < len(status.services):
        more = f"; {len(bad) - len(shown):,} more are failing" if len(bad) > len(shown) else ""
        well = len(status.services) - len(bad)
        found += ["", f"  {well:,} of {len(status.services):,} services have nothing that fails{more}"]
    return found


def good_of(targets: t.Sequence[Target]) -> str:
    """Say how many of the places have the token."""
    if not targets:
        return "-"
    good = sum(bool(target.succeeded) and not target.is_failure for target in targets)
    if [target.name for target in targets] == [""] and targets[0].stage == STORE:
        # Without HTCondor the token is only obtained.
        return "ok" if good else "FAILED"
    return f"{good}/{len(targets)}"


def _findings(title: str, findings: t.Sequence[Finding], now: float, width: int) -> list[str]:
    if not findings:
        return []
    groups: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        groups.setdefault((item.sort, item.advice), []).append(item)
    found = ["", title]
    for number, ((_sort, advice), items) in enumerate(groups.items()):
        if number == MOST_KINDS:
            found.append(f"  ... and {sum(map(len, list(groups.values())[number:])):,} more of other kinds")
            break
        for item in items[:MOST_OF_A_KIND]:
            when = f" (since {since(item.since, now)})" if item.since else ""
            found += _wrapped([f"{item.where}: {item.what.rstrip('.')}{when}"], width, indent="  ")
        if len(items) > MOST_OF_A_KIND:
            found.append(f"    ... and {len(items) - MOST_OF_A_KIND:,} more like this")
        found += _wrapped([f"-> {advice} ({items[0].who})"], width, indent="     ")
    return found


def _runs(status: Status, width: int) -> list[str]:
    if not status.recent:
        return []
    found = ["", "Last runs"]
    for run in status.recent[:MOST_RUNS]:
        found += _wrapped([f"{since(run.started, status.taken)}  {run.program}: {result_of(run)}"], width, indent="  ")
    return found


def result_of(run: RunStatus) -> str:
    """Say how a run went: the result, of how many services, in which time."""
    parts = [run.result]
    if run.services:
        good = run.services - run.services_failed
        all_of_them = counted(run.services, "service")
        parts.append(f"{good} of {all_of_them} well" if run.services_failed else all_of_them)
    if run.ended > run.started:
        parts.append(in_words(run.ended - run.started))
    return ", ".join(parts)


def _wrapped(texts: t.Iterable[str], width: int, indent: str = "") -> list[str]:
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
        )
    ]
