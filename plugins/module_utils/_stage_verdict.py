# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Hand each node its own result, and the run its verdict, from the outcomes of the stages."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    OFFBOARDING,
    ONBOARDING,
    TOKEN_PUSH,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import of_node, of_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_verdict import of_onboarding
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHANGED, OK, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._removal_verdict import of_removal
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context

NODE_RESULT_SPEC: dict[str, t.Any] = {
    "node": {"type": "str"},
    "outcomes": {"type": "list", "elements": "dict"},
    "batch": {"type": "str"},
    "batches": {"type": "list", "elements": "str", "default": []},
}

RUN_VERDICT_SPEC: dict[str, t.Any] = {
    "outcomes": {"type": "list", "elements": "dict"},
    "batches": {"type": "list", "elements": "str", "default": []},
    "nodes_are_told": {"type": "bool", "default": True},
    "node": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "str", "choices": [TOKEN_PUSH, OFFBOARDING, ONBOARDING], "default": TOKEN_PUSH},
}


def run_node_result(params: t.Mapping[str, t.Any], _context: Context) -> dict[str, t.Any]:
    """Give the result of one node."""
    return of_node(params["node"] or "", [Outcome.from_dict(plain) for plain in params["outcomes"] or ()]).to_result()


def has_well_node(
    hosts: t.Iterable[str], nodes: t.Mapping[str, t.Iterable[int]], outcomes: t.Sequence[t.Mapping[str, t.Any]]
) -> bool:
    """Tell whether any of the hosts has nothing but good outcomes, or none; `nodes` gives the positions of each."""
    return any(all(outcomes[place]["status"] in (OK, CHANGED) for place in nodes.get(host, ())) for host in hosts)


def run_verdict_sentence(outcomes: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Give the verdict on the whole run in words, beside what the nodes' own results say."""
    return of_run([Outcome.from_dict(plain) for plain in outcomes]).msg


def run_verdict(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give the verdict on the whole run; of an onboarding or offboarding with lines that list it service by service."""
    outcomes = [Outcome.from_dict(plain) for plain in params["outcomes"] or ()]
    if params["program"] == OFFBOARDING:
        found = of_removal(outcomes, check_mode=context.check_mode, nodes=sorted(set(params.get("node") or ())))
        return {**found.verdict.to_result(), "lines": list(found.lines)}
    if params["program"] == ONBOARDING:
        taken_in = of_onboarding(outcomes, check_mode=context.check_mode)
        return {**taken_in.verdict.to_result(), "lines": list(taken_in.lines)}
    return of_run(outcomes, check_mode=context.check_mode, nodes_are_told=params["nodes_are_told"]).to_result()
