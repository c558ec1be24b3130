# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the push stage: every (service, node) pair over one connection, from one process."""

from __future__ import annotations

import asyncio
import functools
import signal
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import fan_out
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import (
    ALL_NODES,
    FAILED_NODES,
    nodes_to_show,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHANGED, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_handover import Served, served, take_over
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import (
    SERVING_SPEC,
    Pair,
    needs_choice,
    plan,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import need_packages
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import TokenLives

if t.TYPE_CHECKING:
    from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pushed
    from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
    from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service

# How many look-ups at vault servers are made at once, as the store stage does by default.
LOOK_UPS = 16
ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "run": RUN_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **SERVING_SPEC,
    "vault_ca": {"type": "path"},
    "node_results": {"type": "str", "choices": [ALL_NODES, FAILED_NODES]},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give one outcome for every planned (service, node) pair, in a result; also for pairs whose service failed
    earlier.

    `nodes` in the result says which outcomes are each node's, by their position; `shown_nodes`, unless it is all of
    them, which nodes are to have a result of their own.

    Raises: BadInput, Missing, StageOrder when the tickets stage has not run.
    """
    run = run_option(params)
    services = services_option(params)
    if any(not service.ccache for service in services if service.problem is None):
        raise StageOrder(
            "push_vault_token got services without tickets: kinit_service has to run before it, in the same play."
        )
    is_present = params["state"] == "present"
    ahead = take_over(run.directory) if is_present and not context.check_mode else {}
    pairs: list[Pair] = []
    outcomes: list[Outcome] = []
    for planned, skipped in _plans(services, run, params, context):
        pairs += planned
        outcomes += skipped
    left = [pair for pair in pairs if _key(pair) not in ahead]
    done = ahead | (_push(left, run, params, context) if left else {})
    results = [done[_key(pair)] for pair in pairs]
    outcomes += [item.outcome for item in results]
    result = {
        "changed": any(item.outcome.status == CHANGED for item in results),
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "nodes": _by_node(outcomes),
        "services": [service.to_dict() for service in services],
    }
    shown = nodes_to_show(outcomes, params["node_results"])
    if shown is not None:
        result["shown_nodes"] = shown
    if context.diff:
        result["diff"] = [_diff(item) for item in results if item.changes]
    return result


def _plans(
    services: t.Sequence[Service], run: Run, params: t.Mapping[str, t.Any], context: Context
) -> list[tuple[list[Pair], list[Outcome]]]:
    planned = functools.partial(
        plan,
        present=params["state"] == "present",
        check_mode=context.check_mode,
        unanswered=params["unanswered"],
    )
    is_asked = params["state"] == "present" and not context.check_mode
    if not is_asked or not any(needs_choice(service) for service in services):
        return [planned(service) for service in services]
    # Without the store stage nobody has asked yet which of the kept tokens are still good.
    need_packages("requests")
    lives = TokenLives(run.timeouts.vault, params.get("vault_ca") or "", LOOK_UPS, run.remaining)
    return fan_out(services, functools.partial(planned, lives=lives.of), concurrency=LOOK_UPS)


def _key(pair: Pair) -> tuple[str, str]:
    return pair.service.config_name, pair.node.name


def _push(
    pairs: list[Pair], run: Run, params: t.Mapping[str, t.Any], context: Context
) -> dict[tuple[str, str], Served]:
    """Run the event loop; a signal cancels every push, and each of them cleans up after itself before this raises
    Interrupted."""
    need_packages("asyncssh", "gssapi")
    # Only here: the library is large, and whoever does not push need not load it.
    from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
    from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings

    settings = PushSettings.from_options(params, check_mode=context.check_mode)
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
        return await push.push_all(pairs, run, settings, context.progress)

    try:
        pushed = asyncio.run(main())
    except asyncio.CancelledError:
        raise Interrupted(received[0] if received else signal.SIGTERM) from None
    return {_key(item.pair): served(item) for item in pushed}


def _by_node(outcomes: t.Sequence[Outcome]) -> dict[str, list[int]]:
    nodes: dict[str, list[int]] = {}
    for position, outcome in enumerate(outcomes):
        nodes.setdefault(outcome.node, []).append(position)
    return nodes


def _diff(item: Served) -> dict[str, str]:
    where = f"{item.outcome.config_service} on {item.outcome.node}"
    return {
        "before_header": where,
        "after_header": where,
        "before": "".join(f"{path}: {before}\n" for path, before, _after in item.changes),
        "after": "".join(f"{path}: {after}\n" for path, _before, after in item.changes),
    }
