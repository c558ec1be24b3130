# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the ticket stage: a Kerberos ticket for each service, in a cache of its own in the run's private directory."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, DeadlineReached, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import fan_out
from ansible_collections.fife.managed_tokens.plugins.module_utils._guardian import make_run_directory, remove_run, watch
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import ccache_path, take_ticket, within
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
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

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": {**SERVICES_SPEC, "required": False, "default": []},
    "run": RUN_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "concurrency": {"type": "int", "default": 8},
}


@dataclass(frozen=True, slots=True)
class Ticketed:
    """A service after its turn; no outcome when it had a problem before."""

    service: Service
    outcome: Outcome | None = None


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the services with their credential caches, in a result; or remove the run's private directory.

    The caches are private to the run and never count as a change. In check mode they are made as well: they prove the
    keytabs, let the later stages look for real, and are removed like those of any run.

    Raises: Missing, BadFile when no private directory can be made.
    """
    run = run_option(params)
    if params["state"] == "absent":
        remove_run(run.directory, run.id)
        return {"changed": False, "run": replace(run, directory="").to_dict(), "services": [], "outcomes": []}
    need_packages("gssapi")
    services = services_option(params)
    run = _with_directory(run, context)
    directory = Path(run.directory)

    def work(service: Service) -> Ticketed:
        return _ticket(service, directory, run)

    done = fan_out(
        services,
        work,
        concurrency=params["concurrency"],
        progress=context.progress,
        is_failure=lambda item: item.outcome is not None and item.outcome.is_failure,
    )
    return {
        "changed": False,
        "run": run.to_dict(),
        "services": [item.service.to_dict() for item in done],
        "outcomes": [item.outcome.to_dict() for item in done if item.outcome is not None],
    }


def _with_directory(run: Run, context: Context) -> Run:
    if run.directory and Path(run.directory).is_dir():
        return run
    try:
        directory = str(make_run_directory(run.id))
    except OSError as err:
        raise BadFile(f"Cannot make the run's private directory: {err.strerror}: {err.filename}.") from err
    watch(directory, run.id, context.owner, run.deadline)
    return replace(run, directory=directory)


def _ticket(service: Service, directory: Path, run: Run) -> Ticketed:
    if service.problem is not None:
        return Ticketed(service)
    timing = Stopwatch()
    cache = ccache_path(directory, service.config_name)
    limit = min(run.timeouts.kerberos, run.remaining())
    try:
        if limit <= 0:
            raise DeadlineReached("the run's time was over before it could have a ticket.")
        within(limit, "the KDC's answer", lambda: take_ticket(service.principal, Path(service.keytab), cache))
    except TokensError as err:
        message = f"{service.config_name}: {err.msg}"
        failure = record(TICKETS, FAILED, service, timing, kind=err.kind, message=message)
        return Ticketed(service.failed(TICKETS, err.kind, message), failure)
    return Ticketed(replace(service, ccache=f"FILE:{cache}"), record(TICKETS, OK, service, timing))
