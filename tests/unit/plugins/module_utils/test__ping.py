# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes answer; silence is no error."""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ping
from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_ping as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._ping import (
    UNANSWERED,
    ask,
    echo_probe,
    icmp_probe,
    nodes_of,
    tcp_probe,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service


@pytest.fixture
def ping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a ping."""
    (tmp_path / "ping").write_text("#!/bin/sh\n", encoding="ascii")
    (tmp_path / "ping").chmod(0o755)
    monkeypatch.setattr(
        "ansible_collections.fife.managed_tokens.plugins.module_utils._process.base_environment",
        lambda: {"PATH": str(tmp_path)},
    )
    return tmp_path / "ping"


def test_nodes_of_services_are_each_named_once() -> None:
    one, other = node("a"), node("b", port=2222)
    assert nodes_of([service(nodes=(one, other)), service(nodes=(other, one))]) == [one, other]
    assert len(nodes_of([service(nodes=(node("a", address="x"), node("b", address="x")))])) == 2
    # Services may reach a node at ports of their own.
    assert nodes_of([service(nodes=(node("a"),)), service(nodes=(node("a", port=2222),))]) == [node("a")]


# How the program ended, and what is said of it; None means that the node answered.
ANSWERS: tuple[tuple[Finished, str | None], ...] = (
    (Finished(0, "", 0.1), None),
    (Finished(1, "1 packets transmitted, 0 received\n", 2.5), "no answer within 2.5 s"),
    (Finished(-15, "", 2.5, timed_out=True), "no answer within 2.5 s"),
    (Finished(2, "usage\nping: a: Name or \x1b[1mservice not known\n", 0.1), "ping: a: Name or service not known"),
    (Finished(2, "", 0.1), "ping ended with exit status 2"),
)


@pytest.mark.parametrize(("done", "silence"), ANSWERS)
def test_icmp_probe_tells_why_there_was_no_answer(ping: Path, done: Finished, silence: str | None) -> None:
    asked: list[list[str]] = []

    def run(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        asked.append(list(argv))
        return done

    assert icmp_probe(run, 2.5, ["-I", "eth0"])(node("a", address="10.0.0.1")) == silence
    assert asked == [[str(ping), "-n", "-q", "-c", "1", "-W", "2", "-I", "eth0", "10.0.0.1"]]


def gone(_host: str, _timeout: float) -> t.NoReturn:
    raise OSError(113, "No route to host")


def unknown(_host: str, _timeout: float) -> t.NoReturn:
    raise socket.gaierror(-2, "Name or service not known")


def no_name(_host: str, _timeout: float) -> t.NoReturn:
    raise UnicodeError("label empty")


# How a host answers, and what is said of it.
ECHOES: tuple[tuple[t.Callable[[str, float], bool], str | None], ...] = (
    (lambda _host, _timeout: True, None),
    (lambda _host, _timeout: False, "no answer within 2.5 s"),
    (gone, "10.0.0.1: No route to host"),
    (unknown, "10.0.0.1: Name or service not known"),
    (no_name, "10.0.0.1: label empty"),
)


@pytest.mark.parametrize(("host", "silence"), ECHOES)
def test_echo_probe_tells_why_there_was_no_answer(
    monkeypatch: pytest.MonkeyPatch, host: t.Callable[[str, float], bool], silence: str | None
) -> None:
    monkeypatch.setattr(_ping, "may_ask", lambda: True)
    monkeypatch.setattr(_ping, "is_answered", host)
    probe = echo_probe(2.5)
    assert probe is not None
    assert probe(node("a", address="10.0.0.1")) == silence


def test_echo_probe_is_none_where_the_system_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ping, "may_ask", lambda: False)
    assert echo_probe(2.5) is None


def test_tcp_probe_of_a_listening_and_of_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = node("a", address="127.0.0.1", port=listening.getsockname()[1])
        assert tcp_probe(5.0)(there) is None
    assert tcp_probe(5.0)(there) == f"port {there.port}: Connection refused"
    # In Python's own words.
    assert "label" in str(tcp_probe(5.0)(node("a", address="n1..lab")))


def test_ask_records_the_answer_or_the_silence() -> None:
    answered = ask(node("a"), lambda _node: None)
    assert (answered.stage, answered.status, answered.node, answered.kind) == ("ping", "ok", "a", "")
    silent = ask(node("a"), lambda _node: "no answer within 3 s")
    assert (silent.status, silent.kind, silent.message) == ("failed", UNANSWERED, "a: no answer within 3 s")


def test_ask_program_that_vanished_is_recorded() -> None:
    def probe(_node: object) -> str | None:
        raise Missing("no ping.")

    assert ask(node("a"), probe).message == "a: no ping."


def run_stage(warnings: list[str], **params: t.Any) -> dict[str, t.Any]:
    """Run the ping stage on two nodes."""
    given = {"services": [service(nodes=(node("a"), node("b"))).to_dict()], **params}
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return stage.run_stage(checked.validated_parameters, Context(warn=warnings.append))


def test_run_stage_silence_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "tcp_probe", lambda _timeout: lambda node: None if node.name == "a" else "silence")
    found = run_stage([], probe="tcp")
    assert (found["answered"], found["unanswered"], found["changed"]) == (["a"], ["b"], False)
    assert [outcome["status"] for outcome in found["outcomes"]] == ["ok", "failed"]


# Whether the system lets us ask, the options, and who asks.
WHO: tuple[tuple[bool, list[str], str], ...] = (
    (True, [], "echo"),
    (True, ["-I", "eth0"], "program"),
    (False, [], "program"),
)


@pytest.mark.parametrize(("may_ask", "options", "who"), WHO)
def test_run_stage_the_program_is_for_its_options_and_for_who_may_not_ask(
    monkeypatch: pytest.MonkeyPatch, may_ask: bool, options: list[str], who: str
) -> None:
    monkeypatch.setattr(stage, "echo_probe", lambda _timeout: (lambda _node: "echo") if may_ask else None)
    monkeypatch.setattr(stage, "icmp_probe", lambda _run, _timeout, _options: lambda _node: "program")
    found = run_stage([], options=options)
    assert [outcome["message"] for outcome in found["outcomes"]] == [f"a: {who}", f"b: {who}"]


def test_run_stage_without_ping_probes_the_ssh_ports_and_says_so(ping: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ping.unlink()
    monkeypatch.setattr(stage, "echo_probe", lambda _timeout: None)
    monkeypatch.setattr(stage, "tcp_probe", lambda _timeout: lambda _node: None)
    warnings: list[str] = []
    assert run_stage(warnings)["answered"] == ["a", "b"]
    assert len(warnings) == 1
    assert "ping is not installed" in warnings[0]


def test_run_stage_probe_none_asks_nobody() -> None:
    assert run_stage([], probe="none") == {"changed": False, "answered": [], "unanswered": [], "outcomes": []}


def test_run_stage_stopped_services_nodes_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "tcp_probe", lambda _timeout: lambda _node: None)
    stopped = service(nodes=(node("a"),)).failed("tickets", "kerberos_refused", "no.")
    assert run_stage([], probe="tcp", services=[stopped.to_dict()])["outcomes"] == []
