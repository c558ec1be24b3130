# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the first stage: from configuration and inventory to the services of this run."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._beginning import (
    leave_to_others,
    left_behind,
    remarks,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._contacts import contacts_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import settle
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, Missing, ServiceHeld
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import keytab_remark
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import duration_of, later_problems
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    ONBOARDING,
    TOKEN_PUSH,
    Beginning,
    begin,
    look_for_holds,
    look_up_uids,
    remember_uids,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import run_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import (
    missing_packages,
    missing_programs,
    refuse_root,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import (
    DEFAULT_KEYTAB_PATH,
    DEFAULT_ROLE_FILE,
    DEFAULT_TOKEN_DIR,
    Resolved,
    resolve,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import SHARED_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._selection import limit_to_hosts, select
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, TOKEN_GETTERS, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._setup import add_uids, complete
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import (
    attempt,
    state_of,
    timeouts_of,
    view_of,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_place import place_remark
from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_conflicts import stop_conflicts

# Where the playbook plays when the inventory has no nodes.
NO_NODES = "localhost"
DEFAULT_GROUP = "experiments"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "experiments": {"type": "dict", "required": True},
    "experiment": {"type": "list", "elements": "str", "default": []},
    "service": {"type": "list", "elements": "str", "default": []},
    "groups": {"type": "dict"},
    "hosts": {"type": "list", "elements": "str"},
    "addresses": {"type": "dict"},
    "group": {"type": "str", "default": DEFAULT_GROUP},
    "keytab_path": {"type": "path", "default": DEFAULT_KEYTAB_PATH},
    "principal": {"type": "str"},
    "credds": {"type": "list", "elements": "str"},
    "collectors": {"type": "list", "elements": "str"},
    "schedd_constraint": {"type": "str"},
    "vault_server": {"type": "str"},
    "token_getter": {"type": "str", "choices": list(TOKEN_GETTERS), "default": CONDOR},
    "default_role_file": {"type": "str", "default": DEFAULT_ROLE_FILE},
    "token_dir": {"type": "path", "default": DEFAULT_TOKEN_DIR},
    "notify": {"type": "bool", "default": True},
    "timeouts": {"type": "dict"},
    "uid_max_age": {"type": "str", "default": "7d"},
    "forget_after": {"type": "str", "default": "30d"},
    "take_over": {"type": "bool", "default": False},
    "program": {"type": "str", "choices": [TOKEN_PUSH, ONBOARDING], "default": TOKEN_PUSH},
    **DATABASE_SPEC,
    "later": {"type": "dict"},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the services of the run, in a result.

    Outside of check mode the run is written down in the state database, with what it serves.

    Raises: BadInput with everything that is wrong with the configuration, Missing with every program and package that
    is needed, RunningAsRoot.
    """
    problems = _of_group(params)
    if list(params.get("hosts") or ()) == [NO_NODES] and (problems or not _members(params)):
        # What else is wrong cannot be seen without nodes.
        nothing = f"The inventory has no group {params['group']} with hosts, so there is nothing to keep fresh."
        raise BadInput(*(problems or [nothing]))
    timeouts = timeouts_of(params, problems)
    ages = {name: params[name] for name in ("uid_max_age", "forget_after")}
    problems += later_problems({**(params.get("later") or {}), **ages})
    state = attempt(lambda: state_of(params), problems)
    inventory = view_of(params)
    resolved = resolve(
        params["experiments"], {key: params.get(key) for key in (*SHARED_SETTINGS, "keytab_path")}, inventory
    )
    problems += resolved.problems
    if members := _members(params):
        problems += _outside(resolved, frozenset(members), params["group"])
    if problems:
        raise BadInput(*problems)
    book = look_up_uids(state, Path(params["token_dir"]))
    own_uids = {item.service.config_name for item in resolved.wanted if item.uid is not None}
    services, warnings = settle(stop_conflicts(add_uids(resolved.wanted, book.source), own_uids))
    for warning in warnings:
        context.warn(warning)
    asked = select(services, params["experiment"], params["service"])
    chosen = limit_to_hosts(asked, inventory.play_hosts)
    if not chosen:
        raise BadInput(_nothing_to_do(params, len(asked), len(inventory.play_hosts)))
    refuse_root(chosen, os.geteuid())
    _check_requirements(chosen)
    run = Run.begin(_with_logins(timeouts, len(chosen)) if params["program"] == ONBOARDING else timeouts)
    wanted = {item.service.config_name: item for item in resolved.wanted}
    looked_up = [service for service in chosen if service.config_name not in own_uids]
    # A database that could not be read in its time is not waited for a second time.
    beginning = _begin(params, context, None if book.trouble else state, run, chosen, services)
    now = time.time()
    max_age = duration_of("uid_max_age", params["uid_max_age"])
    for warning in (
        *_place(state, context),
        keytab_remark(service.keytab for service in chosen),
        *remarks(book, beginning, looked_up, uid_max_age=max_age, now=now),
        # Whoever takes in a service looks at that one.
        *(left_behind(beginning) if params["program"] == TOKEN_PUSH else ()),
        *([] if context.check_mode else remember_uids(book, Path(params["token_dir"]))),
    ):
        if warning:
            context.warn(warning)
    chosen, left_alone = leave_to_others(chosen, beginning.held, now=now)
    pool = Pool(run_program, timeouts.kerberos)
    completed = [
        (service, None) if _is_held(service) else complete(service, wanted[service.config_name], pool)
        for service in chosen
    ]
    return {
        "changed": False,
        "run": run.to_dict(),
        "services": [service.to_dict() for service, _outcome in completed],
        "outcomes": [
            outcome.to_dict()
            for outcome in (*left_alone, *(outcome for _service, outcome in completed))
            if outcome is not None
        ],
        "contacts": contacts_of(params["experiments"], chosen),
        "msg": _counted([service for service, _outcome in completed], len(services)),
    }


def _place(state: State | None, context: Context) -> list[str]:
    path = state.location.path if state is not None else None
    remark = place_remark(path) if path is not None and not context.check_mode else ""
    return [remark] if remark else []


def _begin(
    params: t.Mapping[str, t.Any],
    context: Context,
    state: State | None,
    run: Run,
    chosen: t.Sequence[Service],
    services: t.Sequence[Service],
) -> Beginning:
    forget_after = duration_of("forget_after", params["forget_after"])
    if context.check_mode:
        return look_for_holds(state, run, services, forget_after=forget_after)
    return begin(
        state,
        run,
        chosen,
        services,
        program=params["program"],
        owner=context.owner,
        forget_after=forget_after,
        take_over=params["take_over"],
    )


def _with_logins(timeouts: Timeouts, logins: int) -> Timeouts:
    # People log in one after another, and what they take is not to be missing for the rest of the run.
    return replace(timeouts, run=timeouts.run + logins * timeouts.login)


def _of_group(params: t.Mapping[str, t.Any]) -> list[str]:
    group, groups = params["group"], params.get("groups") or {}
    if group == DEFAULT_GROUP:
        return []
    if group not in groups:
        return [f"managed_tokens_group is {group!r}, which is no group of the inventory{suggestion(group, groups)}"]
    if list(params.get("hosts") or ()) == [NO_NODES] and _members(params):
        hint = f"give it on the command line, -e managed_tokens_group={group}"
        why = "a playbook chooses them before there are variables of the inventory"
        return [f"managed_tokens_group is {group!r}, but the play has other hosts: {why}, so {hint}."]
    return []


def _members(params: t.Mapping[str, t.Any]) -> t.Sequence[str]:
    members: t.Sequence[str] = (params.get("groups") or {}).get(params["group"]) or ()
    return members


def _outside(resolved: Resolved, members: frozenset[str], group: str) -> list[str]:
    return [
        f"managed_tokens_experiments.{item.service.experiment}.roles.{item.service.role} is for node {node.name}, "
        f"which is in the inventory but not in the group {group}, so no play reaches it."
        for item in resolved.wanted
        for node in item.service.nodes
        if node.name not in members
    ]


def _nothing_to_do(params: t.Mapping[str, t.Any], asked: int, hosts: int) -> str:
    if not asked:
        return "No service is configured: managed_tokens_experiments is empty."
    if not hosts:
        return "There is no service to work on: the play has no hosts."
    narrowed = params["experiment"] or params["service"]
    return (
        f"There is no service to work on: none of the {asked} configured services"
        + (" that were asked for" if narrowed else "")
        + f" has a node among the {hosts} hosts of this play (after --limit)."
    )


def _check_requirements(services: t.Sequence[Service]) -> None:
    missing = missing_packages(["asyncssh", "gssapi", "requests"]) + missing_programs(services)
    if missing:
        raise Missing(" ".join(missing))


def _is_held(service: Service) -> bool:
    return service.problem is not None and service.problem.kind == ServiceHeld.kind


def _counted(services: t.Sequence[Service], configured: int) -> str:
    nodes = {node.name for service in services for node in service.nodes}
    pairs = sum(len(service.nodes) for service in services)
    held = sum(map(_is_held, services))
    stopped = sum(service.problem is not None for service in services) - held
    text = f"{len(services)} of {configured} configured services, {len(nodes)} nodes, {pairs} (service, node) pairs"
    if held:
        text += f"; {held} services are left to another run"
    return text + (f"; {stopped} services cannot go on." if stopped else ".")
