# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the last stage of an offboarding: forget the services as far as they are gone, and remember what is left."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils import _last_known_uids as last_known
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    BadInput,
    NotAttempted,
    ServiceHeld,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import OFFBOARDING, StateTrouble, end
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CREDD_REMOVAL,
    FAILED,
    NODE_REMOVAL,
    OK,
    SKIPPED,
    STATE,
    STATE_REMOVAL,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._removal_verdict import REMEMBERED, of_removal
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import DEFAULT_TOKEN_DIR
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import state_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import (
    Forgotten,
    Leaving,
    Staying,
    forget,
    would_forget,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "others": {"type": "list", "elements": "dict", "default": []},
    "run": RUN_SPEC,
    "outcomes": {"type": "list", "elements": "dict"},
    "batches": {"type": "list", "elements": "str", "default": []},
    "give_up": {"type": "bool", "default": False},
    "token_dir": {"type": "path", "default": DEFAULT_TOKEN_DIR},
    **DATABASE_SPEC,
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give one outcome for every service, and one for the run, in a result; a database that does not take it is an
    outcome too, and fails nothing here.

    In check mode nothing is written.

    Raises: BadInput, Missing when the setting names no database that can be used, StageOrder.
    """
    services = [item for item in services_option(params) if not _is_held(item)]
    others = [Service.from_dict(plain) for plain in params["others"]]
    outcomes = [Outcome.from_dict(plain) for plain in params["outcomes"] or ()]
    state = state_of(params)
    if state is None:
        return {"changed": False, "outcomes": []}
    if not params["run"]:
        raise BadInput("The run option is missing: offboarding_info gives it.")
    run = run_option(params)
    watch = Stopwatch()
    leaving = [leaving_of(service, outcomes, give_up=params["give_up"]) for service in services]
    staying = Staying(
        frozenset(item.account for item in others), frozenset(node.name for item in others for node in item.nodes)
    )
    try:
        if context.check_mode:
            with state.read() as db:
                forgotten = would_forget(db, leaving, staying)
        else:
            with state.write() as db:
                forgotten = forget(db, leaving, staying, run=run.id, now=time.time())
                told = [*outcomes, *_outcomes(services, leaving, forgotten, watch)]
                message = of_removal(told, nodes=_taken_off(services)).verdict.msg
                end(db, run, told, program=OFFBOARDING, owner=context.owner, message=message)
    except StateTrouble as err:
        message = f"{err.msg} What is remembered of the services is still there; run this again."
        failure = Outcome(STATE, FAILED, started=watch.started, seconds=watch.seconds, kind=err.kind, message=message)
        return {"changed": False, "outcomes": [failure.to_dict()]}
    done = _outcomes(services, leaving, forgotten, watch)
    if not context.check_mode:
        done += _forget_copy(Path(params["token_dir"]), forgotten.accounts, watch)
        done.append(Outcome(STATE, OK, started=watch.started, seconds=watch.seconds))
    return {
        "changed": any(outcome.status == CHANGED for outcome in done),
        "outcomes": [outcome.to_dict() for outcome in done],
    }


def leaving_of(service: Service, outcomes: t.Sequence[Outcome], *, give_up: bool) -> Leaving:
    """Say what is left to do of a service: whatever of it did not go well in this run, unless that is given up."""
    own = [outcome for outcome in outcomes if outcome.config_service == service.config_name]
    done = {outcome.node or outcome.credd for outcome in own if outcome.status in (OK, CHANGED)}
    bad = [outcome for outcome in own if outcome.is_failure or outcome.status == SKIPPED]
    left = [replace(outcome, status=FAILED) for outcome in bad if outcome.stage in (NODE_REMOVAL, CREDD_REMOVAL)]
    told = {outcome.node or outcome.credd for outcome in left} | done
    # A stage that never came to them has no outcome of theirs.
    left += [
        record(NODE_REMOVAL, FAILED, service, Stopwatch(), node=node.name, kind=NotAttempted.kind)
        for node in service.nodes
        if node.name not in told
    ]
    left += [
        record(CREDD_REMOVAL, FAILED, service, Stopwatch(), credd=credd.name, kind=NotAttempted.kind)
        for credd in service.credds
        if credd.name not in told
    ]
    nodes = {outcome.node for outcome in own if outcome.node} | {node.name for node in service.nodes}
    return Leaving(
        service.config_name,
        service.account,
        frozenset(nodes),
        tuple(left),
        give_up or not (bad or left),
        goes_on=service.goes_on,
    )


def _outcomes(
    services: t.Sequence[Service], leaving: t.Sequence[Leaving], forgotten: Forgotten, watch: Stopwatch
) -> list[Outcome]:
    found = []
    for service, item in zip(services, leaving, strict=True):
        status = CHANGED if forgotten.rows.get(service.config_name) else OK
        message = "" if item.is_over else REMEMBERED
        found.append(record(STATE_REMOVAL, status, service, watch, message=message))
    return found


def _forget_copy(directory: Path, accounts: t.Sequence[str], watch: Stopwatch) -> list[Outcome]:
    try:
        last_known.forget(directory, accounts)
    except BadFile as err:
        message = f"The last known UIDs of {', '.join(accounts)} could not be removed: {err.msg}"
        return [Outcome(STATE, FAILED, started=watch.started, seconds=watch.seconds, kind=err.kind, message=message)]
    return []


def _taken_off(services: t.Sequence[Service]) -> list[str]:
    return sorted({node.name for service in services if service.goes_on for node in service.nodes})


def _is_held(service: Service) -> bool:
    return service.problem is not None and service.problem.kind == ServiceHeld.kind
