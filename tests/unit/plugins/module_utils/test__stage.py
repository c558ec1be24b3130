# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module ends with its stage's result, or with one sentence and its kind."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, KeytabMissing, StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context, Stage, answer, services_option
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_verdict import run_node_result, run_verdict
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome


class Ended(Exception):
    """The fake module has ended."""


class FakeModule:
    """The members of a module that are used."""

    def __init__(self, check_mode: bool = False) -> None:
        self.params: dict[str, t.Any] = {"a": 1}
        self.check_mode = check_mode
        self._diff = True
        self.warnings: list[str] = []
        self.result: dict[str, t.Any] = {}

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        self.result = kwargs
        raise Ended

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        self.result = {"failed": True, "msg": msg, **kwargs}
        raise Ended


def ended(stage: Stage, module: FakeModule | None = None) -> dict[str, t.Any]:
    """Give the result with which a module ends."""
    module = module or FakeModule()
    with pytest.raises(Ended):
        answer(module, stage)
    return module.result


def test_answer_gives_the_stages_result_and_tells_it_of_the_mode() -> None:
    seen: list[Context] = []

    def stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        seen.append(context)
        context.warn("careful")
        return {"changed": False, "given": params["a"]}

    module = FakeModule(check_mode=True)
    assert ended(stage, module) == {"changed": False, "given": 1}
    assert (seen[0].check_mode, seen[0].diff) == (True, True)
    assert module.warnings == ["careful"]


@pytest.mark.parametrize("error", [BadInput("One.", "Two."), KeytabMissing("No keytab.")])
def test_answer_expected_error_is_one_sentence_with_its_kind(error: BadInput | KeytabMissing) -> None:
    def stage(_params: t.Mapping[str, t.Any], _context: Context) -> dict[str, t.Any]:
        raise error

    assert ended(stage) == {"failed": True, "msg": error.msg, "kind": error.kind}


def test_answer_signal_is_told_with_its_name() -> None:
    def stage(_params: t.Mapping[str, t.Any], _context: Context) -> dict[str, t.Any]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    assert ended(stage) == {"failed": True, "msg": "The run was interrupted by SIGTERM.", "kind": "interrupted"}


def test_answer_unexpected_error_is_not_hidden() -> None:
    def stage(_params: t.Mapping[str, t.Any], _context: Context) -> dict[str, t.Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answer(FakeModule(), stage)


@pytest.mark.parametrize("params", [{}, {"services": []}])
def test_services_option_without_the_stage_before_names_both_ways_to_leave_it_out(params: dict[str, t.Any]) -> None:
    with pytest.raises(StageOrder, match=r"without --start-at-task and --skip-tags, or up to one stage with --tags\."):
        services_option(params)


def test_run_node_result_judges_the_nodes_outcomes() -> None:
    silent = outcome("push", "failed", kind="node_unreachable", message="no answer").to_dict()
    assert run_node_result({"node": "a", "outcomes": [silent]}, Context())["unreachable"] is True
    assert run_node_result({"node": "a", "outcomes": None}, Context())["changed"] is False


def test_run_verdict_judges_all_outcomes() -> None:
    given = {"nodes_are_told": True, "program": "token-push"}
    failed = outcome("tickets", "failed", kind="keytab_missing", message="no keytab").to_dict()
    assert run_verdict({**given, "outcomes": [failed]}, Context())["failed"] is True
    good = outcome("push", "changed").to_dict()
    assert "would be" in run_verdict({**given, "outcomes": [good]}, Context(check_mode=True))["msg"]


def test_run_verdict_of_an_offboarding_lists_what_is_gone() -> None:
    gone = outcome("node_removal", "changed", node="n1").to_dict()
    found = run_verdict({"outcomes": [gone], "nodes_are_told": False, "program": "offboarding"}, Context())
    assert (found["msg"], found["lines"][1]) == ("1 of 1 services gone.", "  nodes        removed: n1")
    on_node = {"outcomes": [gone], "nodes_are_told": False, "program": "offboarding", "node": ["n1"]}
    assert run_verdict(on_node, Context())["msg"] == "1 of 1 services taken off n1."
