# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the stage that removes services' credentials from their credds, many at once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._credd_credential import (
    Client,
    Removed,
    remove,
    uses_bearer_tokens,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    DeadlineReached,
    NotAttempted,
    StageOrder,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import fan_out
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import check_numbers
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CREDD_REMOVAL,
    FAILED,
    OK,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import run_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun, describe

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "run": RUN_SPEC,
    # Credentials get there by vault_token_store.
    "state": {"type": "str", "choices": ["absent"], "required": True},
    "concurrency": {"type": "int", "default": 16},
    "htgettoken_options": {"type": "str", "default": "", "no_log": False},
}


@dataclass(frozen=True, slots=True)
class _Job:
    service: Service
    credd: Credd


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give one outcome for every (service, credd), in a result; also for those whose service failed earlier.

    Raises: BadInput, Missing, StageOrder when the tickets stage has not run.
    """
    problems = check_numbers({"store_concurrency": params["concurrency"]})
    if problems:
        raise BadInput(*problems)
    run = run_option(params)
    services = services_option(params)
    jobs = [_Job(service, credd) for service in services for credd in service.credds]
    ready = [job for job in jobs if job.service.problem is None]
    if ready and (not run.directory or any(not job.service.ccache for job in ready)):
        raise StageOrder(
            "credd_credential got services without tickets: kinit_service has to run before it, in the same play."
        )
    needs_bearer = bool(ready) and uses_bearer_tokens(run_program, run.timeouts.kerberos)
    outcomes = fan_out(
        jobs,
        lambda job: _serve(job, run, params, context.check_mode, needs_bearer),
        concurrency=params["concurrency"],
        progress=context.progress,
        is_failure=lambda outcome: outcome.is_failure,
    )
    result = {
        "changed": any(outcome.status == CHANGED for outcome in outcomes),
        "services": [service.to_dict() for service in services],
        "outcomes": [outcome.to_dict() for outcome in outcomes],
    }
    if context.diff:
        result["diff"] = [_diff(outcome) for outcome in outcomes if outcome.status == CHANGED]
    return result


def _serve(job: _Job, run: Run, params: t.Mapping[str, t.Any], check_mode: bool, needs_bearer: bool) -> Outcome:
    watch = Stopwatch()
    service, credd = job.service, job.credd
    what = describe(service, credd)

    def outcome(status: str, **more: t.Any) -> Outcome:
        return record(CREDD_REMOVAL, status, service, watch, credd=credd.name, **more)

    if service.problem is not None:
        why = service.problem.message.removeprefix(service.config_name + ": ").rstrip(".")
        message = f"{what}: not tried: {why}. {explain(service.problem.kind).advice}"
        return outcome(SKIPPED, kind=NotAttempted.kind, message=message)
    try:
        limit = min(run.timeouts.store, run.remaining())
        if limit <= 0:
            raise DeadlineReached("the run's time was over before its turn came.")
        # The least life matters to no token that is only shown once.
        work = StorerRun(service, credd, run.id, Path(run.directory), "1m", params["htgettoken_options"])
        done: Removed = remove(Client(work, run_program, limit, needs_bearer), check_mode=check_mode)
    except TokensError as err:
        message = err.msg if err.msg.startswith(what) else f"{what}: {err.msg}"
        return outcome(FAILED, kind=err.kind, message=message)
    return outcome(CHANGED if done.was_there else OK, message=done.remark)


def _diff(outcome: Outcome) -> dict[str, str]:
    where = f"{outcome.config_service} on credd {outcome.credd}"
    return {
        "before_header": where,
        "after_header": where,
        "before": f"credential {outcome.service}: stored\n",
        "after": f"credential {outcome.service}: absent\n",
    }
