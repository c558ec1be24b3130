# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Collect from a play's events what its stages return; everything else of the play is nobody's business here."""

from __future__ import annotations

import time
import typing as t

from ansible import context

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    OFFBOARDING,
    ONBOARDING,
    REFRESH_UIDS,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHECK,
    LOGIN,
    REGISTRY,
    REMOVALS,
    STATE,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact, Refusal
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_tags import is_ping_alone

NAMESPACE = "fife.managed_tokens."
# They repeat what the stages have returned.
REPEATING = ("node_result", "run_verdict", "report")
# They only look, and are no run: nobody is told of what they say.
LOOKING = ("service_list", "status_info", "experiment_stanza")
# What comes before the first stage; it counts when it fails.
BEFORE = ("settings_check",)
LOOKING_ROLE = f"{NAMESPACE}status"
# By a role, and by the stage that a program begins with.
PROGRAMS = {
    "refresh_uids": REFRESH_UIDS,
    "ferry_uids": REFRESH_UIDS,
    "offboarding": OFFBOARDING,
    "offboarding_info": OFFBOARDING,
    "onboarding": ONBOARDING,
    "login_audience": ONBOARDING,
}


class PlayListener:
    """Be told of tasks and results; `is_told_by_task` when a task of the play reports the run itself."""

    def __init__(self) -> None:
        self.collected = Collected()
        self.is_told_by_task = False
        self._has_begun = False
        self._unreachable: dict[str, None] = {}
        self._failed: dict[str, None] = {}

    def task_begins(self, task: t.Any) -> bool:
        """Tell whether this is the first stage of a run; one that only pings nodes is none."""
        stage = self._stage_of(task)
        if self._has_begun or stage is None:
            return False
        self._know_program(task, stage)
        self._has_begun = True
        self.collected.started = time.time()
        self.collected.check_mode = bool(task.check_mode)
        return not is_ping_alone(context.CLIARGS.get("tags") or ())

    def result(self, result: t.Any, *, is_failed: bool = False, is_unreachable: bool = False) -> None:
        """Take the result of a task on a host."""
        stage = self._stage_of(result.task)
        if stage is None and not (is_failed and self._is_ours(result.task)):
            return
        if is_unreachable:
            self._unreachable[result.host.get_name()] = None
            return
        if is_failed and stage == "node_result":
            self._failed[result.host.get_name()] = None
        if not self._has_begun:
            self._know_program(result.task, "")
        self._take(stage or "", result.task.get_name(), result.result, is_failed=is_failed)

    def finish(self, stats: t.Any) -> Collected | None:
        """Give the run, None when no stage of one was met."""
        if not self._has_begun and not self.collected.refusals:
            return None
        self.collected.ended = time.time()
        self.collected.started = self.collected.started or self.collected.ended
        # A run of very many nodes gives results of their own to those with a problem only.
        named = {outcome.node for outcome in self.collected.outcomes if outcome.node}
        self.collected.hosts = tuple(sorted(named | set(stats.processed)))
        self.collected.unreachable = tuple(self._unreachable)
        self.collected.failed = tuple(self._failed)
        return self.collected

    def _take(self, stage: str, task: str, plain: t.Mapping[str, t.Any], *, is_failed: bool) -> None:
        collected = self.collected
        if stage == "report":
            self.is_told_by_task = self.is_told_by_task or bool(plain.get("reported"))
        if stage == "run_verdict":
            collected.msg = str(plain.get("msg", ""))
        if stage in REPEATING:
            return
        outcomes = plain.get("outcomes")
        if not isinstance(outcomes, list):
            # A stage that could not begin; a check of the settings, before any stage, counts as one.
            if is_failed and (stage or not collected.outcomes):
                kind = str(plain.get("kind") or ("" if stage else "bad_input"))
                collected.refusals.append(Refusal(task, kind, str(plain.get("msg", ""))))
            return
        take_result(collected, plain)

    def _know_program(self, task: t.Any, stage: str) -> None:
        # Known from the beginning, so that a run that is refused does not pass for one of another program.
        of_stage = PROGRAMS.get(stage, self.collected.program)
        self.collected.program = PROGRAMS.get(self._role_of(task).removeprefix(NAMESPACE), of_stage)

    def _stage_of(self, task: t.Any) -> str | None:
        name = str(getattr(task, "resolved_action", None) or task.action)
        stage = name.removeprefix(NAMESPACE) if name.startswith(NAMESPACE) else None
        return None if stage in (*LOOKING, *BEFORE) else stage

    def _is_ours(self, task: t.Any) -> bool:
        name = self._role_of(task)
        return name.startswith(NAMESPACE) and name != LOOKING_ROLE

    def _role_of(self, task: t.Any) -> str:
        role = getattr(task, "_role", None)
        return "" if role is None else str(role.get_name())


def take_result(collected: Collected, plain: t.Mapping[str, t.Any]) -> None:
    """Add what one stage returned."""
    outcomes = [Outcome.from_dict(outcome) for outcome in plain.get("outcomes") or ()]
    collected.outcomes += outcomes
    if any(outcome.stage == REGISTRY for outcome in outcomes):
        collected.program = REFRESH_UIDS
    if any(outcome.stage in REMOVALS for outcome in outcomes):
        collected.program = OFFBOARDING
    if any(outcome.stage in (CHECK, LOGIN) for outcome in outcomes):
        collected.program = ONBOARDING
    if any(outcome.stage == STATE and not outcome.is_failure for outcome in outcomes):
        collected.was_recorded = True
    run = plain.get("run")
    if isinstance(run, t.Mapping) and run.get("id") and collected.run in ("", run["id"]):
        collected.run = str(run["id"])
        collected.deadline = float(run.get("deadline") or 0.0)
        collected.started = float(run.get("started") or collected.started)
    contacts = plain.get("contacts")
    if isinstance(contacts, t.Mapping):
        collected.contacts |= {
            str(name): Contact(str(entry["experiment"]), tuple(entry.get("emails") or ()), bool(entry["notify"]))
            for name, entry in contacts.items()
        }
