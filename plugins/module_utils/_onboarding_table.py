# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say as a table what a service has of all that it needs, and what it lacks. Pure."""

from __future__ import annotations

import textwrap
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHECK, TICKETS, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Service

WIDTH = 76
INDENT = 10


def table(services: t.Sequence[Service], outcomes: t.Sequence[Outcome]) -> list[str]:
    """Give the lines, each at most 76 characters where names allow; `outcomes` are those of the check."""
    lines: list[str] = []
    for service in sorted(services, key=lambda item: item.config_name):
        own = [outcome for outcome in outcomes if outcome.config_service == service.config_name]
        lines.append(service.config_name)
        lines += _row("set-up", *_setup(service))
        lines += _row("ticket", *_ticket(service, own))
        lines += _row("vault", *_vault(service, own))
        lines += _row("nodes", *_nodes(service, own))
    return lines


def _row(label: str, *texts: str) -> list[str]:
    lines: list[str] = []
    for number, text in enumerate(texts):
        lead = f"  {label if number == 0 else '':<{INDENT - 2}}"
        # A message and its advice may hold what is to be copied: broken at blanks only.
        lines += textwrap.wrap(
            text,
            WIDTH,
            initial_indent=lead,
            subsequent_indent=" " * INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def _setup(service: Service) -> list[str]:
    problem = service.problem
    if problem is not None and problem.stage not in (TICKETS, CHECK):
        return [_of(service, problem.message, problem.kind)]
    if service.token_getter != CONDOR:
        return [f"ok: UID {service.uid}, stored on no credd"]
    return [f"ok: UID {service.uid}, credds {', '.join(credd.name for credd in service.credds)}"]


def _ticket(service: Service, outcomes: t.Sequence[Outcome]) -> list[str]:
    problem = service.problem
    if problem is not None and problem.stage == TICKETS:
        return [_of(service, problem.message, problem.kind)]
    bad = [outcome for outcome in outcomes if outcome.stage == TICKETS and outcome.is_failure]
    return [_of(service, outcome.message, outcome.kind) for outcome in bad] or [f"ok: {service.principal}"]


def _vault(service: Service, outcomes: t.Sequence[Outcome]) -> list[str]:
    if not service.vault_server:
        return ["not looked at: nobody names it"]
    bad = [outcome for outcome in outcomes if outcome.stage == CHECK and outcome.is_failure and not outcome.node]
    return [_of(service, outcome.message, outcome.kind) for outcome in bad] or [f"ok: {service.vault_server}"]


def _nodes(service: Service, outcomes: t.Sequence[Outcome]) -> list[str]:
    of_nodes = [outcome for outcome in outcomes if outcome.node]
    bad = [outcome for outcome in of_nodes if outcome.kind]
    number = f"{len(of_nodes) - len(bad)} of {len(of_nodes)}" if bad else f"ok: all {len(of_nodes)}"
    has_ticket = not any(outcome.stage == TICKETS and outcome.is_failure for outcome in outcomes) and (
        service.problem is None or service.problem.stage != TICKETS
    )
    what = f"let {service.account} in" if has_ticket else "can be reached; without a ticket nobody is let in"
    return [f"{number} {what}", *(_of(service, outcome.message, outcome.kind) for outcome in bad)]


def _of(service: Service, message: str, kind: str) -> str:
    """Give the message, without the name that stands above it, with what to do about it."""
    return f"{message.removeprefix(f'{service.config_name}: ').rstrip('.')}. {explain(kind).advice}"
