# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Refresh the UIDs: ask the registry for every account once, decide, and store what is good in one transaction."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    StateUnavailable,
    StateUnusable,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_accounts import Asked, ask_all
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_bearer import (
    Identity,
    identity_of,
    take_bearer,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_outcomes import (
    difference,
    few_failures,
    outcome_of,
    sentence,
    warnings_of,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_settings import (
    FERRY_SPEC,
    TOKEN,
    Ferry,
    read_settings,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, record_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, REGISTRY, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import find_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import (
    DEFAULT_KEYTAB_PATH,
    Resolved,
    Wanted,
    resolve,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._selection import select
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import attempt, state_of, timeouts_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_place import place_remark
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids
from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_plan import UidPlan, decide

SOURCE = "ferry"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "experiments": {"type": "dict", "required": True},
    "experiment": {"type": "list", "elements": "str", "default": []},
    "service": {"type": "list", "elements": "str", "default": []},
    "keytab_path": {"type": "path", "default": DEFAULT_KEYTAB_PATH},
    "principal": {"type": "str"},
    "vault_server": {"type": "str"},
    "vault_ca": {"type": "path"},
    "timeouts": {"type": "dict"},
    **FERRY_SPEC,
    **DATABASE_SPEC,
}


@dataclass(frozen=True, slots=True)
class _Input:
    """All that is needed, found to be usable."""

    wanted: tuple[Wanted, ...]
    chosen: tuple[Service, ...]
    timeouts: Timeouts
    ferry: Ferry
    state: State
    identity: Identity | None

    @property
    def accounts(self) -> list[str]:
        return sorted({service.account for service in self.chosen})

    @property
    def configured(self) -> set[str]:
        return {item.service.account for item in self.wanted}

    @property
    def own_uids(self) -> list[tuple[Service, int]]:
        return [(item.service, item.uid) for item in self.wanted if item.uid is not None]


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give what came of every account and what is stored now, in a result that is failed when an account failed.

    In check mode the registry is asked as well, and nothing is stored.

    Raises: BadInput with everything that is wrong, Missing, and what getting the bearer token raises.
    """
    need_packages("jmespath", "requests")
    given = _read(params)
    run = Run.begin(given.timeouts)
    bearer = ""
    if given.identity is not None:
        bearer = take_bearer(given.identity, run, owner=context.owner, vault_ca=params.get("vault_ca") or "")
    asked = ask_all(given.accounts, given.ferry, run, bearer=bearer, progress=context.progress)
    try:
        stored, plan, outcomes = _settle(given, asked, run, context)
    except (StateUnavailable, StateUnusable) as err:
        return _not_stored(asked, err)
    remark = place_remark(given.state.location.path) if given.state.location.path is not None else ""
    if remark:
        context.warn(remark)
    for warning in warnings_of(asked, plan, given.own_uids):
        context.warn(warning)
    result: dict[str, t.Any] = {
        "changed": plan.will_change,
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "uids": dict(plan.after),
        "run": run.to_dict(),
        "msg": sentence(outcomes, plan, check_mode=context.check_mode),
    }
    broken = [outcome for outcome in outcomes if outcome.is_failure]
    if broken:
        result |= {"failed": True, "kind": broken[0].kind}
    if context.diff:
        result["diff"] = difference(stored, plan)
    return result


def _settle(
    given: _Input, asked: t.Sequence[Asked], run: Run, context: Context
) -> tuple[dict[str, int], UidPlan, list[Outcome]]:
    """Give what was stored, the plan, which has been carried out unless this is check mode, and what came of it."""
    answers = {item.account: item.reading.uid for item in asked if item.reading is not None}
    # What is stored is read in the transaction that changes it: nobody else comes in between.
    with given.state.read() if context.check_mode else given.state.write() as db:
        stored = {account: known.uid for account, known in known_uids(db).items()}
        plan = decide(answers, stored, given.configured)
        outcomes = [outcome_of(item, plan, stored) for item in asked]
        if not context.check_mode:
            if plan.confirmed:
                store_uids(db, plan.confirmed, plan.removed, now=time.time(), source=SOURCE)
            message = sentence(outcomes, plan, check_mode=False)
            record_run(db, run, outcomes, program=REFRESH_UIDS, owner=context.owner, message=message)
    return stored, plan, outcomes


def _not_stored(asked: t.Sequence[Asked], error: StateUnavailable | StateUnusable) -> dict[str, t.Any]:
    nothing = decide({}, {}, ())
    broken = [outcome_of(item, nothing, {}) for item in asked if item.reading is None]
    good = len(asked) - len(broken)
    message = f"The UIDs of {good} accounts were got and not stored: {error.msg}"
    outcomes = [*broken, Outcome(REGISTRY, FAILED, started=time.time(), kind=error.kind, message=message)]
    return {
        "failed": True,
        "changed": False,
        "kind": error.kind,
        "msg": f"{message} {few_failures(broken, len(asked))}." if broken else message,
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "uids": {},
    }


def _read(params: t.Mapping[str, t.Any]) -> _Input:
    """Check everything before anything is asked.

    Raises: BadInput, Missing.
    """
    problems: list[str] = []
    timeouts = timeouts_of(params, problems)
    needs_identity = params["ferry_auth"] == TOKEN
    resolved = _services(params, needs_identity=needs_identity)
    problems += resolved.problems
    services = [item.service for item in resolved.wanted]
    chosen = attempt(lambda: select(services, params["experiment"], params["service"]), problems) or []
    if not services and not resolved.problems:
        problems.append("No service is configured: managed_tokens_experiments is empty.")
    ferry = read_settings(params, problems)
    identity = identity_of(params, services, problems) if needs_identity else None
    state = attempt(lambda: state_of(params), problems)
    if state is None and not params["database"].strip():
        problems.append("managed_tokens_database is empty, so there is nowhere to store UIDs.")
    if problems or ferry is None or state is None:
        raise BadInput(*problems)
    if identity is not None:
        need_packages("gssapi")
        find_program("htgettoken")
    return _Input(tuple(resolved.wanted), tuple(chosen), timeouts, ferry, state, identity)


def _services(params: t.Mapping[str, t.Any], *, needs_identity: bool) -> Resolved:
    """Give the configured services without their nodes: accounts do not depend on the inventory, nor on the principal
    where nobody needs a ticket."""
    general = {key: params.get(key) for key in (*SHARED_SETTINGS, "keytab_path")}
    if not needs_identity:
        general["principal"] = general["principal"] or "{account}"
    experiments = {
        name: {**experiment, "roles": {role: _without_nodes(values) for role, values in experiment["roles"].items()}}
        if isinstance(experiment, t.Mapping) and isinstance(experiment.get("roles"), t.Mapping)
        else experiment
        for name, experiment in params["experiments"].items()
    }
    return resolve(experiments, general, InventoryView({str(name): ("any",) for name in experiments}, frozenset()))


def _without_nodes(values: t.Any) -> t.Any:
    return {key: value for key, value in values.items() if key != "nodes"} if isinstance(values, t.Mapping) else values
