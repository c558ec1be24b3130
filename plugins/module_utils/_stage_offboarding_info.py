# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the first stage of an offboarding: which services are to go, and where they are."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._beginning import describe, without_held
from ansible_collections.fife.managed_tokens.plugins.module_utils._contacts import contacts_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._departed import resolve_all
from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import settle
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, Missing, ServiceHeld
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import duration_of, later_problems
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import (
    Known,
    leave_to_others,
    listed,
    selection_problems,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving_choice import Scene, complete_chosen
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    OFFBOARDING,
    Beginning,
    StateTrouble,
    begin,
    look_for_holds,
    look_up_uids,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    FAILED,
    SETUP,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import find_program, run_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import missing_packages, refuse_root
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._setup import add_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import (
    ARGUMENT_SPEC as SERVICE_INFO_SPEC,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import (
    attempt,
    state_of,
    timeouts_of,
    view_of,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered, remembered

# What every first stage is told; the options mean the same.
_SHARED = (
    "experiments",
    "experiment",
    "service",
    "groups",
    "hosts",
    "addresses",
    "keytab_path",
    "principal",
    "credds",
    "collectors",
    "schedd_constraint",
    "vault_server",
    "token_getter",
    "default_role_file",
    "token_dir",
    "timeouts",
    "forget_after",
    "take_over",
    "later",
)
ARGUMENT_SPEC: dict[str, t.Any] = {
    **{name: SERVICE_INFO_SPEC[name] for name in _SHARED},
    "node": {"type": "list", "elements": "str", "default": []},
    "departed": {"type": "dict", "default": {}},
    **DATABASE_SPEC,
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the services that are to go, with everything that is known of where they are, in a result; and those that
    stay, as `others`.

    Outside of check mode the run is written down in the state database, with what it holds.

    Raises: BadInput with everything that is wrong, Missing, RunningAsRoot.
    """
    problems = selection_problems(params["experiment"], params["service"], params["node"])
    timeouts = timeouts_of(params, problems)
    problems += later_problems({**(params.get("later") or {}), "forget_after": params["forget_after"]})
    state = attempt(lambda: state_of(params), problems)
    view = view_of(params)
    memory, trouble = _recall(state)
    configured, departed = resolve_all(params, view, memory, problems)
    if problems:
        raise BadInput(*problems)
    book = look_up_uids(state, Path(params["token_dir"]))
    every, _clashes = settle(add_uids([*configured.wanted, *departed.wanted], book.source))
    still_configured = {item.service.config_name for item in configured.wanted}
    scene = Scene(
        Known({service.config_name: service for service in every}, memory),
        {item.service.config_name: item for item in (*configured.wanted, *departed.wanted)},
        view,
        frozenset(still_configured),
        is_memory_read=state is not None and not trouble,
    )
    leaving = complete_chosen(scene, params, Pool(run_program, timeouts.kerberos))
    going = {item.service.config_name for item in leaving.services if not item.service.goes_on}
    others = [
        service for service in every if service.config_name in still_configured and service.config_name not in going
    ]
    chosen, stays = leave_to_others([item.service for item in leaving.services], others)
    refuse_root([service for service in chosen if service.credds], os.geteuid())
    _check_requirements(chosen)
    run = Run.begin(timeouts)
    beginning = _begin(params, context, None if trouble else state, run, chosen, every, still_configured)
    chosen, held = _not_held(chosen, beginning, now=time.time())
    told = (trouble or beginning.trouble, book.remark, *leaving.warnings, *stays)
    for warning in (*told, *(text for item in leaving.services for text in item.warnings)):
        if warning:
            context.warn(warning)
    experiments = {**params["departed"], **params["experiments"]}
    return {
        "changed": False,
        "run": run.to_dict(),
        "services": [service.to_dict() for service in chosen],
        "others": [replace(service, keytab="").to_dict() for service in others],
        "outcomes": [
            outcome.to_dict()
            for outcome in (*held, *(outcome for item in leaving.services for outcome in item.outcomes))
        ],
        "contacts": contacts_of(experiments, [item for item in chosen if item.experiment in experiments]),
        "msg": f"{len(chosen)} services are to go, {len(others)} stay."
        if not params["node"]
        else f"{len(chosen)} services are to be taken off {listed(sorted(set(params['node'])))}.",
    }


def _recall(state: State | None) -> tuple[dict[str, Remembered], str]:
    if state is None:
        return {}, ""
    try:
        with state.read() as db:
            return remembered(db), ""
    except StateTrouble as err:
        return {}, f"{err.msg} What it knows of the services is not removed, and only what is configured is looked for."


def _check_requirements(services: t.Sequence[Service]) -> None:
    missing = missing_packages(["asyncssh", "gssapi"])
    if any(service.credds for service in services if service.token_getter == CONDOR):
        try:
            find_program("condor_store_cred")
        except Missing as err:
            missing.append(err.msg)
    if missing:
        raise Missing(" ".join(missing))


def _begin(
    params: t.Mapping[str, t.Any],
    context: Context,
    state: State | None,
    run: Run,
    chosen: t.Sequence[Service],
    every: t.Sequence[Service],
    configured: t.Collection[str],
) -> Beginning:
    if context.check_mode:
        return look_for_holds(state, run)
    return begin(
        state,
        run,
        chosen,
        [service for service in every if service.config_name in configured],
        program=OFFBOARDING,
        owner=context.owner,
        forget_after=duration_of("forget_after", params["forget_after"]),
        take_over=params["take_over"],
    )


def _not_held(
    services: t.Sequence[Service], beginning: Beginning, *, now: float
) -> tuple[list[Service], list[Outcome]]:
    """Stop each service of which another run serves a node just now: it would put back what is removed."""
    free: list[Service] = []
    outcomes: list[Outcome] = []
    for service in services:
        _left, against = without_held(service, beginning.held)
        if against:
            message = (
                f"{service.config_name}: it is being served by {describe(against[0].run, now)}, and not touched; "
                "remove it when that has ended."
            )
            outcomes.append(record(SETUP, FAILED, service, Stopwatch(), kind=ServiceHeld.kind, message=message))
            service = service.failed(SETUP, ServiceHeld.kind, message)
        free.append(service)
    return free, outcomes
