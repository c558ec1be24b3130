# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken from the events of a play, and what is nobody's business."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import pytest
from ansible import context

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Contact, Refusal
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._play_listener import PlayListener


@dataclass
class FakeRole:
    name: str

    def get_name(self) -> str:
        return self.name


@dataclass
class FakeTask:
    """As much of a task as is looked at."""

    action: str
    name: str = "a task"
    check_mode: bool = False
    _role: FakeRole | None = None

    def get_name(self) -> str:
        return self.name


@dataclass
class FakeHost:
    name: str

    def get_name(self) -> str:
        return self.name


@dataclass
class FakeResult:
    task: FakeTask
    result: dict[str, t.Any] = field(default_factory=dict)
    host: FakeHost = field(default_factory=lambda: FakeHost("n1"))


@dataclass
class FakeStats:
    processed: dict[str, int] = field(default_factory=lambda: {"n2": 1, "n1": 1})


def stage(name: str, /, **plain: t.Any) -> FakeResult:
    return FakeResult(FakeTask(f"fife.managed_tokens.{name}"), plain)


def outcome(stage_name: str, status: str = "ok", **more: t.Any) -> dict[str, t.Any]:
    return {"stage": stage_name, "status": status, "started": 1.0, "seconds": 0.5, **more}


@pytest.fixture
def listener() -> PlayListener:
    """Give a listener that has seen the first stage begin."""
    found = PlayListener()
    assert found.task_begins(FakeTask("fife.managed_tokens.service_info"))
    return found


def test_task_begins_is_said_once_and_only_for_stages() -> None:
    listener = PlayListener()
    assert not listener.task_begins(FakeTask("ansible.builtin.debug"))
    assert listener.task_begins(FakeTask("fife.managed_tokens.service_info", check_mode=True))
    assert not listener.task_begins(FakeTask("fife.managed_tokens.kinit_service"))
    assert listener.collected.check_mode


def test_task_begins_is_not_said_of_a_run_that_only_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"tags": ["ping"]})
    assert not PlayListener().task_begins(FakeTask("fife.managed_tokens.service_info"))


def test_result_first_run_stays_the_run(listener: PlayListener) -> None:
    for name in ("a1", "b2"):
        listener.result(stage("kinit_service", outcomes=[], run={"id": name}))
    assert listener.collected.run == "a1"


def test_result_of_stages_is_collected(listener: PlayListener) -> None:
    contacts = {"dune_production": {"experiment": "dune", "emails": ["a@x"], "notify": True}}
    run = {"id": "r1", "deadline": 9.0, "started": 2.0}
    listener.result(stage("service_info", outcomes=[outcome("setup")], run=run, contacts=contacts))
    listener.result(stage("run_record", outcomes=[outcome("state")]))
    listener.result(stage("run_verdict", msg="all well", outcomes=[outcome("setup")]))
    listener.result(FakeResult(FakeTask("ansible.builtin.debug"), {"outcomes": [outcome("push")]}))
    found = listener.finish(FakeStats())
    assert found is not None
    assert [item.stage for item in found.outcomes] == ["setup", "state"]
    assert (found.run, found.started, found.deadline, found.msg) == ("r1", 2.0, 9.0, "all well")
    assert found.contacts == {"dune_production": Contact("dune", ("a@x",), True)}
    assert found.was_recorded
    assert found.program == "token-push"
    assert found.hosts == ("n1", "n2")


def test_finish_counts_nodes_that_had_no_result_of_their_own(listener: PlayListener) -> None:
    listener.result(stage("push_vault_token", outcomes=[outcome("push", node="n2"), outcome("push", node="n3")]))
    found = listener.finish(FakeStats())
    assert found is not None
    assert found.hosts == ("n1", "n2", "n3")


def test_result_of_the_registry_names_the_other_program(listener: PlayListener) -> None:
    listener.result(stage("ferry_uids", outcomes=[outcome("registry", account="dunepro")]))
    assert listener.collected.program == "refresh-uids-from-ferry"


@pytest.mark.parametrize(
    ("first", "role", "program"),
    [
        ("service_info", "", "token-push"),
        ("service_info", "token_push", "token-push"),
        ("service_info", "onboarding", "onboarding"),
        ("ferry_uids", "", "refresh-uids-from-ferry"),
        ("offboarding_info", "", "offboarding"),
        ("login_audience", "", "onboarding"),
        (None, "token_push", "token-push"),
        (None, "refresh_uids", "refresh-uids-from-ferry"),
        (None, "offboarding", "offboarding"),
    ],
)
def test_a_refused_run_is_one_of_its_own_program(first: str | None, role: str, program: str) -> None:
    """By its first stage or its role; without a stage, its settings were refused."""
    listener = PlayListener()
    action = f"fife.managed_tokens.{first}" if first else "ansible.builtin.assert"
    task = FakeTask(action, _role=FakeRole(f"fife.managed_tokens.{role}") if role else None)
    assert listener.task_begins(task) == (first is not None)
    listener.result(FakeResult(task, {"msg": "wrong"}), is_failed=True)
    found = listener.finish(FakeStats())
    assert found is not None
    assert (found.program, [refusal.message for refusal in found.refusals]) == (program, ["wrong"])


def test_an_offboarding_is_known_by_its_outcomes(listener: PlayListener) -> None:
    listener.result(stage("push_vault_token", outcomes=[outcome("node_removal", node="n1")]))
    assert listener.collected.program == "offboarding"


@pytest.mark.parametrize("stage_name", ["check", "login"])
def test_an_onboarding_is_known_by_its_outcomes(listener: PlayListener, stage_name: str) -> None:
    listener.result(stage("vault_login", outcomes=[outcome(stage_name)]))
    assert listener.collected.program == "onboarding"


def test_result_state_that_failed_is_not_recorded(listener: PlayListener) -> None:
    listener.result(stage("run_record", outcomes=[outcome("state", "failed", kind="state_unavailable")]))
    assert not listener.collected.was_recorded


def test_result_stage_that_could_not_begin_is_a_refusal(listener: PlayListener) -> None:
    listener.result(stage("service_info", msg="wrong", kind="bad_input"), is_failed=True)
    found = listener.finish(FakeStats())
    assert found is not None
    assert found.refusals == [Refusal("a task", "bad_input", "wrong")]
    assert not found.is_well


@pytest.mark.parametrize("action", ["ansible.builtin.assert", "fife.managed_tokens.settings_check"])
def test_result_failed_check_of_our_role_is_a_refusal_although_no_stage_has_begun(action: str) -> None:
    listener = PlayListener()
    task = FakeTask(action, _role=FakeRole("fife.managed_tokens.token_push"))
    assert not listener.task_begins(task)
    listener.result(FakeResult(task, {"msg": "no such option"}), is_failed=True)
    found = listener.finish(FakeStats())
    assert found is not None
    assert [refusal.kind for refusal in found.refusals] == ["bad_input"]


def test_result_failure_of_somebody_else_is_nothing() -> None:
    listener = PlayListener()
    task = FakeTask("ansible.builtin.command", _role=FakeRole("site.other.role"))
    listener.result(FakeResult(task, {"msg": "no"}), is_failed=True)
    assert listener.finish(FakeStats()) is None


def test_result_nodes_are_counted_by_their_own_results(listener: PlayListener) -> None:
    listener.result(stage("service_info", outcomes=[outcome("setup")]))
    listener.result(stage("node_result", msg="refused"), is_failed=True)
    listener.result(FakeResult(FakeTask("fife.managed_tokens.node_result"), host=FakeHost("n2")), is_unreachable=True)
    found = listener.finish(FakeStats())
    assert found is not None
    assert (found.failed, found.unreachable, found.refusals) == (("n1",), ("n2",), [])


@pytest.mark.parametrize("reported", [True, False])
def test_result_of_the_report_task_says_whether_it_has_reported(listener: PlayListener, reported: bool) -> None:
    listener.result(stage("report", reported=reported))
    assert listener.is_told_by_task is reported


@pytest.mark.parametrize("name", ["status_info", "service_list", "experiment_stanza"])
def test_what_only_looks_is_no_run_and_nobody_is_told_of_it(name: str) -> None:
    listener = PlayListener()
    role = FakeRole("fife.managed_tokens.status")
    assert not listener.task_begins(FakeTask(f"fife.managed_tokens.{name}"))
    listener.result(
        FakeResult(FakeTask("fife.managed_tokens.settings_check", _role=role), {"msg": "no"}), is_failed=True
    )
    listener.result(FakeResult(FakeTask(f"fife.managed_tokens.{name}", _role=role), {"msg": "red"}), is_failed=True)
    assert listener.finish(FakeStats()) is None
