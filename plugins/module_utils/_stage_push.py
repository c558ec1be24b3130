# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the push stage: every (service, node) pair over one connection, from one process."""

from __future__ import annotations

import asyncio
import signal
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    BadInput,
    NotAttempted,
    StageOrder,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import checked_token, newest_kept
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import check_numbers
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import (
    ALL_NODES,
    FAILED_NODES,
    nodes_to_show,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    NODE_REMOVAL,
    PUSH,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import read_private
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)

if t.TYPE_CHECKING:
    from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pair, Pushed, PushSettings
    from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "run": RUN_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "unanswered": {"type": "list", "elements": "str", "default": []},
    "concurrency": {"type": "int", "default": 40},
    "per_node": {"type": "int", "default": 8},
    "retries": {"type": "int", "default": 2},
    "retry_delay": {"type": "float", "default": 2.0},
    "known_hosts": {"type": "list", "elements": "path", "default": []},
    "kex_algorithms": {"type": "list", "elements": "str", "default": []},
    "node_results": {"type": "str", "choices": [ALL_NODES, FAILED_NODES]},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give one outcome for every planned (service, node) pair, in a result; also for pairs whose service failed
    earlier.

    `nodes` in the result says which outcomes are each node's, by their position; `shown_nodes`, unless it is all of
    them, which nodes are to have a result of their own.

    Raises: BadInput, Missing, StageOrder when the tickets stage has not run.
    """
    need_packages("asyncssh", "gssapi")
    # Only here: the library is large, and whoever does not push need not load it.
    from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
    from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
        SshSettings,
        check_kex_algs,
        read_known_hosts,
    )

    problems = check_numbers(
        {f"push_{name}": params[name] for name in ("concurrency", "per_node", "retries", "retry_delay")}
    )
    if problems:
        raise BadInput(*problems)
    run = run_option(params)
    services = services_option(params)
    if any(not service.ccache for service in services if service.problem is None):
        raise StageOrder(
            "push_vault_token got services without tickets: kinit_service has to run before it, in the same play."
        )
    settings = push.PushSettings(
        ssh=SshSettings(read_known_hosts(params["known_hosts"]), check_kex_algs(params["kex_algorithms"])),
        concurrency=params["concurrency"],
        per_node=params["per_node"],
        retries=params["retries"],
        retry_delay=params["retry_delay"],
        check_mode=context.check_mode,
    )
    present = params["state"] == "present"
    stage = PUSH if present else NODE_REMOVAL
    pairs: list[Pair] = []
    outcomes: list[Outcome] = []
    for service in services:
        token, hindrance = _token_of(service, present, context.check_mode)
        for node in service.nodes:
            if hindrance:
                outcomes.append(_skipped(stage, service, node, hindrance))
            else:
                contents = push.contents_for(service, node, token, present=present)
                remark = "" if present else _stays(service, node)
                is_unanswered = node.name in params["unanswered"]
                pairs.append(
                    push.Pair(service, node, contents, present and token is None, is_unanswered, stage, remark)
                )
    pushed = _run(push.push_all, pairs, run, settings, context)
    outcomes += [item.outcome for item in pushed]
    result = {
        "changed": any(item.outcome.status == CHANGED for item in pushed),
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "nodes": _by_node(outcomes),
        "services": [service.to_dict() for service in services],
    }
    shown = nodes_to_show(outcomes, params["node_results"])
    if shown is not None:
        result["shown_nodes"] = shown
    if context.diff:
        result["diff"] = [_diff(item) for item in pushed if item.changes]
    return result


def _token_of(service: Service, present: bool, check_mode: bool) -> tuple[bytes | None, str]:
    """Give the token to push and "", or None and what keeps the service from being pushed."""
    if service.problem is not None:
        why = service.problem.message.removeprefix(service.config_name + ": ").rstrip(".")
        return None, f"not tried: {why}. {explain(service.problem.kind).advice}"
    if not present:
        return None, ""
    path = service.token
    if not path and not check_mode:
        path = newest_kept(service)
        if not path:
            return None, "not tried: no usable token is kept for it; the store stage has to run first."
    if not path:
        return None, ""
    try:
        return checked_token(read_private(Path(path)), path), ""
    except (BadFile, TokensError) as err:
        return None, f"not tried: {err.msg}"


def _stays(service: Service, node: Node) -> str:
    paths = [path for name, path in service.yields if name == node.name]
    return f"left to another service, which has it too: {' and '.join(paths)}" if paths else ""


def _skipped(stage: str, service: Service, node: Node, why: str) -> Outcome:
    message = f"{service.config_name} on {node.name}: {why}"
    return record(stage, SKIPPED, service, Stopwatch(), node=node.name, kind=NotAttempted.kind, message=message)


def _run(push_all: t.Any, pairs: list[Pair], run: Run, settings: PushSettings, context: Context) -> list[Pushed]:
    """Run the event loop; a signal cancels every push, and each of them cleans up after itself before this raises
    Interrupted."""
    received: list[int] = []

    async def main() -> list[Pushed]:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def stop(signum: int) -> None:
            if not received and task is not None:
                received.append(signum)
                task.cancel()

        for signum in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(signum, stop, signum)
            except (RuntimeError, ValueError):  # not in the main thread, as in some tests
                break
        result: list[Pushed] = await push_all(pairs, run, settings, context.progress)
        return result

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise Interrupted(received[0] if received else signal.SIGTERM) from None


def _by_node(outcomes: t.Sequence[Outcome]) -> dict[str, list[int]]:
    nodes: dict[str, list[int]] = {}
    for position, outcome in enumerate(outcomes):
        nodes.setdefault(outcome.node, []).append(position)
    return nodes


def _diff(pushed: Pushed) -> dict[str, str]:
    where = f"{pushed.pair.service.config_name} on {pushed.pair.node.name}"
    return {
        "before_header": where,
        "after_header": where,
        "before": "".join(f"{change.path}: {change.before}\n" for change in pushed.changes),
        "after": "".join(f"{change.path}: {change.after}\n" for change in pushed.changes),
    }
