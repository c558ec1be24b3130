# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the ping stage: which nodes of the run answer."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import fan_out
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._ping import (
    ICMP,
    NONE,
    PROBES,
    Probe,
    ask,
    echo_probe,
    icmp_probe,
    nodes_of,
    tcp_probe,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import run_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    RUN_SPEC,
    SERVICES_SPEC,
    Context,
    run_option,
    services_option,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "run": RUN_SPEC,
    "probe": {"type": "str", "choices": list(PROBES), "default": ICMP},
    "options": {"type": "list", "elements": "str", "default": []},
    "concurrency": {"type": "int", "default": 64},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the nodes that answered and those that did not, in a result; silence fails nothing."""
    run = run_option(params)
    nodes = nodes_of(service for service in services_option(params) if service.problem is None)
    probe = _probe(params, min(run.timeouts.ping, max(run.remaining(), 0.1)), context)
    outcomes: list[Outcome] = []
    if probe is not None:
        found = probe
        outcomes = fan_out(
            nodes,
            lambda node: ask(node, found),
            concurrency=params["concurrency"],
            progress=context.progress,
            is_failure=lambda outcome: outcome.is_failure,
        )
    silent = [outcome.node for outcome in outcomes if outcome.is_failure]
    return {
        "changed": False,
        "answered": [outcome.node for outcome in outcomes if not outcome.is_failure],
        "unanswered": silent,
        "outcomes": [outcome.to_dict() for outcome in outcomes],
    }


def _probe(params: t.Mapping[str, t.Any], timeout: float, context: Context) -> Probe | None:
    if params["probe"] == NONE:
        return None
    if params["probe"] == ICMP:
        # Options are those of the program.
        if not params["options"] and (own := echo_probe(timeout)) is not None:
            return own
        try:
            return icmp_probe(run_program, timeout, params["options"])
        except Missing as err:
            context.warn(f"{err.msg} The nodes' ssh ports are probed instead (managed_tokens_ping_probe: tcp).")
    return tcp_probe(timeout)
