# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the store stage: every service's token on every one of its credds, many at once, none in another's way."""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    DeadlineReached,
    StageOrder,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import fan_out
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import prepare_directories
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import duration_of, lifetime_seconds
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import recent_stores, remember_stores
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    SKIPPED,
    STORE,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import run_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_ahead import PushAhead
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import SERVING_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import state_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun, describe, run_storer
from ansible_collections.fife.managed_tokens.plugins.module_utils._token_store import Stored, best_token, preview, store
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import TokenLives

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "run": RUN_SPEC,
    "min_token_lifetime": {"type": "str", "default": "3d", "no_log": False},
    "concurrency": {"type": "int", "default": 16},
    "htgettoken_options": {"type": "str", "default": "", "no_log": False},
    "vault_ca": {"type": "path"},
    "verbose": {"type": "bool", "default": False},
    "reuse": {"type": "str", "default": "0s"},
    "push": {
        "type": "dict",
        "options": {"enabled": {"type": "bool", "default": True}, **SERVING_SPEC},
    },
    **DATABASE_SPEC,
}


@dataclass(frozen=True, slots=True)
class _Job:
    service: Service
    credd: Credd | None
    number: int


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the services with the token to push, in a result.

    A service goes on when at least one credd took its token; each credd that did not is a failure of the run all the
    same. With the C(push) option its nodes are served as soon as all its credds were tried; the push stage takes over
    what came of that.

    Raises: BadInput, Missing, StageOrder when the tickets stage has not run.
    """
    need_packages("requests")
    run = run_option(params)
    services = services_option(params)
    minimum = lifetime_seconds(params["min_token_lifetime"])
    within = duration_of("store_reuse", params["reuse"])
    state = state_of(params) if within else None
    recent = recent_stores(state, within)
    ready = [service for service in services if service.problem is None]
    if any(not service.ccache for service in ready) or (ready and not run.directory):
        raise StageOrder(
            "vault_token_store got services without tickets: kinit_service has to run before it, in the same play."
        )
    # Service by service: the first of them are complete, and can go to their nodes, while others still wait.
    pairs = [(service, credd) for service in ready for credd in _credds(service)]
    jobs = [_Job(service, credd, number) for number, (service, credd) in enumerate(pairs)]
    lives = TokenLives(run.timeouts.vault, params.get("vault_ca") or "", params["concurrency"], run.remaining)
    bad_directories: dict[str, BadFile] = {} if context.check_mode else prepare_directories(ready)

    def work(job: _Job) -> Stored:
        if job.service.token_dir in bad_directories:
            return _not_done(
                job, bad_directories[job.service.token_dir].kind, bad_directories[job.service.token_dir].msg
            )
        stored_before = recent.get((job.service.config_name, job.credd.name if job.credd else ""))
        if stored_before or context.check_mode:
            looked = preview(job.service, job.credd, minimum=minimum, lives=lives.of)
            if stored_before and not looked.will_change:
                return _reused(looked, *stored_before)
            if context.check_mode:
                return looked
        limit = min(run.timeouts.store, run.remaining())
        if limit <= 0:
            return _not_done(job, DeadlineReached.kind, "the run's time was over before its turn came.")
        storer = StorerRun(
            job.service,
            job.credd,
            run.id,
            Path(run.directory),
            params["min_token_lifetime"],
            params["htgettoken_options"],
            params["verbose"],
        )
        return store(
            storer,
            run_storer=lambda item, prior: run_storer(item, prior, run=run_program, timeout=limit),
            lives=lives.of,
            timeout=limit,
            minimum=minimum,
        )

    wanted = params.get("push") or {}
    with contextlib.ExitStack() as stack:
        ahead = None
        if wanted.get("enabled") and ready and not context.check_mode:
            ahead = stack.enter_context(PushAhead(wanted, run, context.pushes))
        results = _Results(ahead)
        stored = fan_out(
            jobs,
            work,
            concurrency=params["concurrency"],
            progress=context.progress,
            is_failure=lambda item: item.outcome.is_failure,
            at_early_end=ahead.stop if ahead is not None else lambda: None,
            note=results.note,
        )
        if not context.check_mode:
            remember_stores(state, run, [item.outcome for item in stored])
    return {
        "changed": any(item.outcome.status == CHANGED for item in stored),
        "services": [results.after(service).to_dict() for service in services],
        "outcomes": [item.outcome.to_dict() for item in stored],
        "run": run.to_dict(),
    }


class _Results:
    """What came of each service's storer runs; one whose last is over is offered to be pushed."""

    def __init__(self, ahead: PushAhead | None) -> None:
        self._ahead = ahead
        self._of: dict[str, dict[int, Stored]] = {}

    def note(self, job: _Job, item: Stored) -> None:
        """Be told of a run that is over."""
        found = self._of.setdefault(job.service.config_name, {})
        found[job.number] = item
        if self._ahead is not None and len(found) == len(_credds(job.service)):
            service = self.after(job.service)
            if service.problem is None:
                self._ahead.offer(service)

    def after(self, service: Service) -> Service:
        """Give the service with its token, or with what keeps it from having one."""
        found = self._of.get(service.config_name, {})
        return _after(service, [found[number] for number in sorted(found)])


def _credds(service: Service) -> tuple[Credd | None, ...]:
    return service.credds or (None,)


def _after(service: Service, stored: t.Sequence[Stored]) -> Service:
    if service.problem is not None:
        return service
    best = best_token(stored)
    if best is not None and not any(item.will_change for item in stored):
        return replace(service, token=str(best.path), expires=best.life.expires or 0.0)
    if any(item.will_change for item in stored):
        return replace(service, token="")  # check mode: a run would push a token that does not exist yet
    failure = next(item.outcome for item in stored if item.outcome.is_failure)
    return service.failed(STORE, failure.kind, failure.message)


def _reused(looked: Stored, when: float, run: str) -> Stored:
    # Skipped and not ok: only what was really stored may make the next run leave it out.
    message = f"stored {in_words(time.time() - when)} ago by run {run}, and not again"
    return Stored(replace(looked.outcome, status=SKIPPED, message=message), looked.path, looked.life)


def _not_done(job: _Job, kind: str, why: str) -> Stored:
    message = f"{describe(job.service, job.credd)}: {why}"
    credd = job.credd.name if job.credd else ""
    return Stored(record(STORE, FAILED, job.service, Stopwatch(), credd=credd, kind=kind, message=message))
