# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the last stage before the results are shown: remember in the state database what came of the run."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StateUnavailable, StateUnusable
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    ONBOARDING,
    TOKEN_PUSH,
    forget_run,
    remember_onboarding,
    remember_run,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import of_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_verdict import of_onboarding
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    FAILED,
    OK,
    STATE,
    Outcome,
    Stopwatch,
    is_only_a_look,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import RUN_SPEC, Context, run_option
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import state_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC

ARGUMENT_SPEC: dict[str, t.Any] = {
    "run": RUN_SPEC,
    "outcomes": {"type": "list", "elements": "dict"},
    "batches": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "str", "choices": [TOKEN_PUSH, ONBOARDING], "default": TOKEN_PUSH},
    **DATABASE_SPEC,
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Remember the outcomes of the run; a database that does not take them is an outcome too, and fails nothing here.

    In check mode nothing is written, and a run that only pinged nodes is forgotten.

    Raises: BadInput, Missing when the setting names no database that can be used.
    """
    outcomes = [Outcome.from_dict(plain) for plain in params["outcomes"] or ()]
    state = state_of(params)
    result: dict[str, t.Any] = {"changed": False, "outcomes": []}
    if state is None or context.check_mode or not params["run"]:
        return result
    run = run_option(params)
    watch = Stopwatch()
    try:
        if is_only_a_look(outcomes):
            forget_run(state, run)
            return result
        if params["program"] == ONBOARDING:
            remember_onboarding(state, run, outcomes, owner=context.owner, message=of_onboarding(outcomes).verdict.msg)
        else:
            remember_run(state, run, outcomes, program=TOKEN_PUSH, owner=context.owner, message=of_run(outcomes).msg)
    except (StateUnavailable, StateUnusable) as err:
        message = f"{err.msg} What came of this run is not remembered."
        failure = Outcome(STATE, FAILED, started=watch.started, seconds=watch.seconds, kind=err.kind, message=message)
        return {**result, "outcomes": [failure.to_dict()]}
    done = Outcome(STATE, OK, started=watch.started, seconds=watch.seconds)
    return {**result, "outcomes": [done.to_dict()]}
