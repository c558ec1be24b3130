# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the check stage of an onboarding: all that services need besides a person, and all that is wrong at once."""

from __future__ import annotations

import asyncio
import functools
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import DeadlineReached, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import (
    ccache_path,
    keytab_remark,
    take_ticket,
    within,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_check import (
    NodeSettings,
    look_at_nodes,
    vault_problem,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_table import table
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHECK,
    FAILED,
    OK,
    TICKETS,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)

LONGEST_ASK_S = 60.0
ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "run": RUN_SPEC,
    "concurrency": {"type": "int", "default": 40},
    "vault_ca": {"type": "path"},
    "known_hosts": {"type": "list", "elements": "path", "default": []},
    "kex_algorithms": {"type": "list", "elements": "str", "default": []},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the services and the lines of a table of what they have and lack, in a result.

    A service whose vault server cannot be used is stopped: nobody could log in for it. A node that does not let it in
    stops nothing. What earlier stages found out is in the table, and not looked at again.

    Raises: BadInput, Missing.
    """
    need_packages("asyncssh", "gssapi", "requests")
    from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
        SshSettings,
        check_kex_algs,
        read_known_hosts,
    )

    run = run_option(params)
    services = services_option(params)
    remark = keytab_remark(service.keytab for service in services)
    if remark:
        context.warn(remark)
    ssh = SshSettings(read_known_hosts(params["known_hosts"]), check_kex_algs(params["kex_algorithms"]))
    ask = functools.cache(lambda server: _vault_trouble(server, params.get("vault_ca") or "", run))
    outcomes: list[Outcome] = []
    checked: list[Service] = []
    visitors: list[Service] = []
    for service in services:
        service, found = _look_at_vault(service, ask)
        visitor, tried = _with_ticket(service, run)
        checked.append(service)
        visitors.append(visitor)
        outcomes += [*found, *tried]
    outcomes += asyncio.run(look_at_nodes(visitors, run, NodeSettings(ssh, params["concurrency"])))
    return {
        "changed": False,
        "services": [service.to_dict() for service in checked],
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "run": run.to_dict(),
        "lines": table(checked, outcomes),
    }


def _vault_trouble(server: str, ca: str, run: Run) -> TokensError | None:
    limit = min(run.timeouts.connect, LONGEST_ASK_S, run.remaining())
    if limit <= 0:
        return DeadlineReached(f"the vault server {server} was not asked: the run's time is over.")
    return vault_problem(server, ca, limit)


def _look_at_vault(service: Service, ask: t.Callable[[str], TokensError | None]) -> tuple[Service, list[Outcome]]:
    if not service.vault_server:
        return service, []
    watch = Stopwatch()
    problem = ask(service.vault_server)
    if problem is None:
        return service, [record(CHECK, OK, service, watch)]
    message = f"{service.config_name}: {problem.msg}"
    failure = record(CHECK, FAILED, service, watch, kind=problem.kind, message=message)
    return (service if service.problem else service.failed(CHECK, problem.kind, message)), [failure]


def _with_ticket(service: Service, run: Run) -> tuple[Service, list[Outcome]]:
    """Give the service with a ticket for looking at its nodes, also if another problem kept it from having one, and
    what is wrong with its keytab."""
    if service.ccache or not run.directory or (service.problem is not None and service.problem.stage == TICKETS):
        return service, []
    watch = Stopwatch()
    cache = ccache_path(Path(run.directory), f"{service.config_name}.check")
    try:
        within(
            run.timeouts.kerberos,
            "the KDC's answer",
            lambda: take_ticket(service.principal, Path(service.keytab), cache),
        )
    except TokensError as err:
        message = f"{service.config_name}: {err.msg}"
        return service, [record(TICKETS, FAILED, service, watch, kind=err.kind, message=message)]
    return replace(service, ccache=f"FILE:{cache}"), [record(TICKETS, OK, service, watch)]
