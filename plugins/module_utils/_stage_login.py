# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the login stage of an onboarding: store what can be stored without a person, have people log in for the rest,
one after another, and store that on every credd.

Both passes of the store are part of this stage, because what a login mends was no failure of the run.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    DeadlineReached,
    LoginNotShown,
    PersonNeeded,
    StageOrder,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    LOGIN,
    STORE,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._pty_program import run_on_pty
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    Context,
    run_option,
    services_option,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_store import ARGUMENT_SPEC as STORE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_store import run_stage as store_stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import TokenLives
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Audience, Limits, Login, RunOnPty

# What the store is asked for as well, and means the same in both.
_LIKE_THE_STORE = ("services", "run", "min_token_lifetime", "concurrency", "htgettoken_options", "vault_ca", "verbose")
ARGUMENT_SPEC: dict[str, t.Any] = {
    **{name: STORE_SPEC[name] for name in _LIKE_THE_STORE},
    "force": {"type": "bool", "default": False},
    "mail": {"type": "list", "elements": "str", "default": []},
    "slack": {"type": "bool", "default": False},
    "slack_webhook": {"type": "str", "default": "", "no_log": True},
}


@dataclass(slots=True)
class _Passed:
    """What a pass of the store, or of the logins, has come to."""

    services: list[Service]
    outcomes: list[Outcome]


def run_stage(params: t.Mapping[str, t.Any], context: Context, audience: Audience | None = None) -> dict[str, t.Any]:
    """Give the services with the token to push, in a result.

    A service that has all it needs is left alone. In check mode nobody is asked and nothing is stored.

    Raises: LoginNotShown without an audience, BadInput, Missing, StageOrder when the tickets stage has not run.
    """
    if audience is None:
        raise LoginNotShown(
            "Nothing can be shown while a module runs on another machine: run the onboarding on the token host itself."
        )
    need_packages("requests")
    run = run_option(params)
    services = services_option(params)
    ready = [service for service in services if service.problem is None]
    if any(not service.ccache for service in ready) or (ready and not run.directory):
        raise StageOrder(
            "vault_login got services without tickets: kinit_service has to run before it, in the same play."
        )
    forced = ready if params["force"] else []
    first = _stored(params, [] if forced else ready, context)
    waiting = forced or [service for service in first.services if is_person_needed(service)]
    if context.check_mode:
        return _result(services, [first, _would_ask(forced)], run)
    # What a login is going to mend has not failed.
    names = {service.config_name for service in waiting}
    first.outcomes = [outcome for outcome in first.outcomes if outcome.config_service not in names]
    for service in first.services:
        if service.problem is None:
            audience.show(f"{service.config_name} is onboarded: nobody has to log in.")
    logins = _logged_in(params, waiting, run, audience)
    second = _stored(params, [service for service in logins.services if service.problem is None], context)
    return _result(services, [first, logins, second], run)


def is_person_needed(service: Service) -> bool:
    """Tell whether nothing but a login is what the service lacks."""
    problem = service.problem
    return problem is not None and (problem.stage, problem.kind) == (STORE, PersonNeeded.kind)


def _stored(params: t.Mapping[str, t.Any], services: t.Sequence[Service], context: Context) -> _Passed:
    if not services:
        return _Passed([], [])
    options = {name: params[name] for name in _LIKE_THE_STORE if name != "services"}
    no_state = {"reuse": "0s", "database": "", "database_password": "", "database_timeout": 1.0}
    given = [service.to_dict() for service in services]
    found = store_stage({**options, **no_state, "services": given}, context)
    return _Passed(
        [Service.from_dict(plain) for plain in found["services"]],
        [Outcome.from_dict(plain) for plain in found["outcomes"]],
    )


def _logged_in(
    params: t.Mapping[str, t.Any],
    services: t.Sequence[Service],
    run: Run,
    audience: Audience,
    on_pty: RunOnPty = run_on_pty,
) -> _Passed:
    passed = _Passed([], [])
    lives = TokenLives(run.timeouts.vault, params.get("vault_ca") or "", remaining=run.remaining)
    for number, waiting in enumerate(services, start=1):
        service = replace(waiting, problem=None)
        limit = min(run.timeouts.login, run.remaining())
        if limit <= 0:
            late = f"{service.config_name}: the run's time was over before its turn came."
            outcome = record(LOGIN, FAILED, service, Stopwatch(), kind=DeadlineReached.kind, message=late)
        else:
            storer = StorerRun(
                service,
                # One login serves all credds: what it leaves in vault is the service's.
                service.credds[0] if service.credds else None,
                run.id,
                Path(run.directory),
                params["min_token_lifetime"],
                params["htgettoken_options"],
                params["verbose"],
                is_forced=params["force"],
            )
            limits = Limits(limit, run.timeouts.store)
            outcome = Login(storer, audience, limits, (number, len(services))).run(on_pty, lives.of)
        if outcome.is_failure:
            audience.show(outcome.message)
            service = service.failed(LOGIN, outcome.kind, outcome.message)
        passed.services.append(service)
        passed.outcomes.append(outcome)
    return passed


def _would_ask(services: t.Sequence[Service]) -> _Passed:
    message = "would be asked for a login"
    return _Passed(
        list(services), [record(LOGIN, CHANGED, service, Stopwatch(), message=message) for service in services]
    )


def _result(services: t.Sequence[Service], passes: t.Sequence[_Passed], run: Run) -> dict[str, t.Any]:
    """Give the result: each service as the last pass that had to do with it left it."""
    last = {service.config_name: service for service in services}
    for passed in passes:
        last |= {service.config_name: service for service in passed.services}
    outcomes = [outcome for passed in passes for outcome in passed.outcomes]
    return {
        "changed": any(outcome.status == CHANGED for outcome in outcomes),
        "services": [service.to_dict() for service in last.values()],
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "run": run.to_dict(),
    }
