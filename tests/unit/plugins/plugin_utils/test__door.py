# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both doors lead to the same stage; a stage that works on everything at once refuses to work in pieces."""

from __future__ import annotations

import os
import signal
import types
import typing as t

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import KeytabMissing
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import Door, OnceDoor

ALL = ["a", "b", "c"]
PLAY: dict[str, t.Any] = {"ansible_play_hosts": ALL, "ansible_play_batch": ALL, "inventory_hostname": "a"}


def stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Do what the option says."""
    if params["do"] == "fail":
        raise KeytabMissing("No keytab.")
    if params["do"] == "be ended":
        os.kill(os.getpid(), signal.SIGTERM)
    if params["do"] == "break":
        raise ZeroDivisionError
    context.warn("careful")
    return {"changed": False, "check": context.check_mode, "diff": context.diff, "owner": context.owner, **params}


class SomeDoor(OnceDoor):
    """A door to it."""

    STAGE = staticmethod(stage)
    SPEC: t.ClassVar[dict[str, t.Any]] = {"do": {"type": "str", "default": "well"}, "number": {"type": "int"}}


class PerHost(Door):
    """A door for each host."""

    STAGE = staticmethod(stage)
    SPEC = SomeDoor.SPEC


def door(kind: type[Door] = SomeDoor, transport: str = "local", **task: t.Any) -> Door:
    """Open a door as Ansible does, for a task like this."""
    values = {
        "action": "fife.managed_tokens.some",
        "args": {},
        "run_once": True,
        "check_mode": False,
        "diff": False,
        "async_val": 0,
        "get_name": lambda: "Some task",
        **task,
    }
    connection = types.SimpleNamespace(transport=transport, _shell=types.SimpleNamespace(tmpdir=None))
    fakes: list[t.Any] = [types.SimpleNamespace(**values), connection, None, None, None, None]
    return kind(*fakes)


def test_run_in_process_validates_and_gives_the_stages_result() -> None:
    result = door(args={"number": "5"}, check_mode=True, diff=True).run(task_vars=PLAY)
    assert (result["do"], result["number"]) == ("well", 5)
    assert (result["check"], result["diff"], result["owner"]) == (True, True, os.getppid())
    assert result["warnings"] == ["careful"]
    assert "failed" not in result


def test_run_expected_error_is_a_failed_result_with_one_sentence_and_its_kind() -> None:
    result = door(args={"do": "fail"}).run(task_vars=PLAY)
    assert (result["failed"], result["msg"], result["kind"]) == (True, "No keytab.", "keytab_missing")


def test_run_signal_is_a_failed_result() -> None:
    result = door(args={"do": "be ended"}).run(task_vars=PLAY)
    assert (result["failed"], result["msg"]) == (True, "The run was interrupted by SIGTERM.")
    assert result["kind"] == "interrupted"


def test_run_unexpected_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        door(args={"do": "break"}).run(task_vars=PLAY)


@pytest.mark.parametrize(("args", "words"), [({"nubmer": 5}, "nubmer"), ({"number": "five"}, "number")])
def test_run_bad_options_are_refused(args: dict[str, t.Any], words: str) -> None:
    with pytest.raises(AnsibleActionFail, match=words):
        door(args=args).run(task_vars=PLAY)


def test_run_over_another_connection_runs_the_module_of_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, t.Any]] = []

    def execute(_self: Door, **call: t.Any) -> dict[str, t.Any]:
        calls.append(call)
        return {"changed": True}

    monkeypatch.setattr(Door, "_execute_module", execute)
    result = door(transport="ssh", args={"number": 5}).run(task_vars=PLAY)
    assert result["changed"] is True
    assert calls == [
        {"module_name": "fife.managed_tokens.some", "module_args": {"number": 5}, "task_vars": PLAY},
    ]


SHOWN: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
    ({"database": "host=db password='a b'"}, {"database": "host=db password=***"}),
    ({"database": "postgresql://u@db/d?sslpassword=a"}, {"database": "postgresql://u@db/d?sslpassword=***"}),
    ({"database": "postgresql://u" + ":a@db/d"}, {"database": "postgresql://u@db/d", "database_password": "a"}),
    ({"database": "/srv/password=a"}, {"database": "/srv/password=a"}),
)


@pytest.mark.parametrize(("args", "shown"), SHOWN)
def test_run_hands_no_password_on_in_an_option_that_is_shown(
    monkeypatch: pytest.MonkeyPatch, args: dict[str, str], shown: dict[str, str]
) -> None:
    monkeypatch.setattr(Door, "_execute_module", lambda _self, **call: {"options": call["module_args"]})
    assert door(transport="ssh", args=args).run(task_vars=PLAY)["options"] == shown


class WithDatabase(SomeDoor):
    """A door of a stage that uses the state database."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {**SomeDoor.SPEC, **DATABASE_SPEC}


def test_run_takes_the_database_from_where_the_report_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANAGED_TOKENS_DATABASE", "postgresql://u" + ":secret@db/d")
    result = door(WithDatabase).run(task_vars=PLAY)
    assert (result["database"], result["database_password"]) == ("postgresql://u@db/d", "secret")
    assert door(WithDatabase, args={"database": "/x.db"}).run(task_vars=PLAY)["database"] == "/x.db"
    assert "database" not in door().run(task_vars=PLAY)


def test_once_door_is_started_for_one_host_only() -> None:
    assert SomeDoor.BYPASS_HOST_LOOP is True
    assert not getattr(PerHost, "BYPASS_HOST_LOOP", False)


PIECES: tuple[tuple[dict[str, t.Any], dict[str, t.Any], str], ...] = (
    (
        {"ansible_play_batch": ["a"]},
        {},
        "works on all 3 hosts of the play at once, and this batch has only 1 of them: remove serial from the play.",
    ),
    ({}, {"run_once": False}, "works on all hosts of the play at once: add run_once: true to the task."),
)


@pytest.mark.parametrize(("play", "task", "words"), PIECES)
def test_once_door_refuses_to_work_in_pieces(play: dict[str, t.Any], task: dict[str, t.Any], words: str) -> None:
    result = door(**task).run(task_vars={**PLAY, **play})
    assert (result["failed"], result["kind"]) == (True, "stage_order")
    assert words in result["msg"]


WHOLES: tuple[tuple[type[Door], dict[str, t.Any], dict[str, t.Any]], ...] = (
    (SomeDoor, {"ansible_play_hosts": ["a"], "ansible_play_batch": ["a"]}, {"run_once": False}),
    (SomeDoor, {}, {}),
    (PerHost, {"ansible_play_batch": ["a"]}, {"run_once": False}),
)


@pytest.mark.parametrize(("kind", "play", "task"), WHOLES)
def test_door_works_where_nothing_is_in_pieces(
    kind: type[Door], play: dict[str, t.Any], task: dict[str, t.Any]
) -> None:
    assert "failed" not in door(kind, **task).run(task_vars={**PLAY, **play})


def test_once_door_refuses_a_token_host_that_would_be_the_controller() -> None:
    groups = {"all": ALL}
    result = door(delegate_to="nothere.example.org").run(task_vars={**PLAY, "groups": groups})
    assert (result["failed"], result["kind"]) == (True, "bad_input")
    assert "managed_tokens_token_host is 'nothere.example.org'" in result["msg"]
    assert "failed" not in door(delegate_to="localhost").run(task_vars={**PLAY, "groups": groups})
