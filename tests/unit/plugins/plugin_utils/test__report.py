# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a whole: with everything off, with everything broken, in check mode, and with very much to tell."""

from __future__ import annotations

import json
import socket
import threading
import time
import typing as t
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import remember_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import (
    _dead_man,
    _report_loki,
    _report_mail,
    _report_metrics,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report as reporting
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_state as report_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    SERVICE_EMAIL,
    Delivery,
    InPlace,
    Message,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import Origin
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import CHANNELS
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import receiver, saying

SECRET = "https://hooks.lab.example/T/B/CanaryWebhook"


class Shown:
    """Keep what is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, text: str, *, is_warning: bool = False) -> None:
        (self.warnings if is_warning else self.lines).append(text)


def collected(pairs: int = 3, **more: t.Any) -> Collected:
    outcomes = [
        Outcome(
            "push",
            "failed",
            "dune_production",
            "dune_production",
            node=f"n{number:04d}",
            kind="node_unreachable",
            message=f"dune_production on n{number:04d}: no answer",
            started=1.0,
            seconds=1.0,
        )
        for number in range(pairs)
    ]
    contacts = {"dune_production": Contact("dune", ("dune@lab.example",))}
    values = {"run": "r1", "started": 1.0, "ended": 2.0, "outcomes": outcomes, "contacts": contacts}
    return Collected(**{**values, **more})


def settings(**more: t.Any) -> ReportSettings:
    return ReportSettings(**{"database": "", "send_timeout": 2.0, "send_retries": 0, **more})


def test_report_with_everything_off_shows_the_summary() -> None:
    shown = Shown()
    reporting.report(collected(), settings(), shown)
    assert shown.warnings == []
    assert any("dune_production" in line for line in shown.lines)


def test_report_of_a_run_that_only_looked_is_none(tmp_path: Path) -> None:
    shown = Shown()
    files = {"textfile": str(tmp_path / "a.prom"), "last_run_file": str(tmp_path / "a.json")}
    looked = collected(outcomes=[Outcome("setup", "ok"), Outcome("ping", "failed", node="n1")])
    reporting.report(looked, settings(**files), shown)
    assert (shown.lines, shown.warnings, list(tmp_path.iterdir())) == ([], [], [])
    reporting.report(collected(), settings(**files), shown)
    assert len(list(tmp_path.iterdir())) == len(files)


def test_report_the_dead_man_s_switch_waits_for_no_onboarding() -> None:
    with receiver() as switch:
        told = settings(ping_url=switch.url, send_timeout=200.0)
        reporting.begin_report(told, collected(program="onboarding"))
        reporting.report(collected(program="onboarding"), told, Shown())
        assert switch.posted == []
        reporting.report(collected(), told, Shown())
        assert len(switch.posted) == 1


def test_begin_report_tells_the_dead_man_s_switch() -> None:
    with receiver((200, b"")) as switch:
        reporting.begin_report(settings(ping_url=f"{switch.url}/Canary", send_timeout=200.0), collected())
        reporting.begin_report(settings(ping_url=switch.url), collected(check_mode=True))
    assert [posted.path.partition("?")[0] for posted in switch.posted] == ["/Canary/start"]


def test_begin_report_to_a_switch_without_end_leaves_nothing_that_a_fork_could_wait_for() -> None:
    """A thread that is still in the name service holds a lock of the C library, for ever in a process forked then."""
    before = set(threading.enumerate())  # other tests leave some to themselves, and they end when they can
    with saying(b"HTTP/1.1 200 OK\r\n", on_and_on=b"X-A: b\r\n", pause=0.02) as (url, heard):
        reporting.begin_report(settings(ping_url=url, send_timeout=10.0), collected())
        left = [thread for thread in threading.enumerate() if thread.name == "limited" and thread not in before]
        assert left == []
    assert len(heard) == 1


def test_report_tells_each_bad_setting_once_and_goes_on() -> None:
    shown = Shown()
    reporting.report(collected(), settings(summary="table"), shown, ("a does not count.", "b does not count."))
    assert shown.warnings == ["a does not count.", "b does not count."]
    assert shown.lines


def test_report_with_everything_broken_is_one_warning_each_and_shows_no_secret(tmp_path: Path) -> None:
    shown = Shown()
    broken = settings(
        smtp_host="127.0.0.1",
        smtp_port=9,
        admin_emails=("a@lab.example",),
        slack_webhook="https://127.0.0.1:9/services/CanaryWebhook",
        pushgateway="http://127.0.0.1:9",
        textfile=str(tmp_path / "nowhere" / "m.prom"),
        otlp_endpoint="http://127.0.0.1:9",
        loki="http://127.0.0.1:9",
        log_file=str(tmp_path / "nowhere" / "log"),
        last_run_file=str(tmp_path / "nowhere" / "last.json"),
        status_page=str(tmp_path / "nowhere" / "page.html"),
        ping_url="https://127.0.0.1:9/CanaryPing",
        threshold=1,
    )
    reporting.report(collected(), broken, shown)
    assert len(shown.warnings) == len(set(shown.warnings)) >= 8
    assert "Canary" not in " ".join([*shown.warnings, *shown.lines])


def test_report_in_check_mode_sends_nothing_and_says_what_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_arguments: t.Any) -> t.NoReturn:
        raise AssertionError("nothing may be sent")

    monkeypatch.setattr(_report_mail, "send", send)
    monkeypatch.setattr(_report_metrics, "export", send)
    monkeypatch.setattr(_dead_man, "ping", send)
    shown = Shown()
    on = settings(
        smtp_host="mail.lab.example", admin_emails=("a@lab.example",), ping_url="https://x", pushgateway="http://x"
    )
    reporting.report(collected(check_mode=True), on, shown)
    text = "\n".join(shown.lines)
    assert "Would be told\n  administrators by mail: 3 troubles\n  dune by mail: 3 troubles" in text


@pytest.mark.parametrize("check_mode", [True, False])
def test_report_tells_a_bad_setting_when_the_run_begins_and_to_whom_that_was_not_said(check_mode: bool) -> None:
    sentence = "managed_tokens_smtp_port is 99999; it has to be a number from 1 to 65535."
    told: list[str] = []
    reporting.begin_report(settings(smtp_port=99999), collected(check_mode=check_mode), told.append)
    assert told == [sentence]
    shown = Shown()
    reporting.report(collected(check_mode=check_mode), settings(smtp_port=99999), shown)
    assert shown.warnings == [sentence]


def test_report_of_three_thousand_failures_is_one_mail_for_each_group(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []

    def send(message: Message, _collected: Collected, _settings: ReportSettings) -> Delivery:
        sent.append(message)
        return Delivery("email", message.experiment, tuple(item.key for item in message.notices), 1.0, 0.1)

    monkeypatch.setattr(_report_mail, "send", send)
    shown = Shown()
    on = settings(smtp_host="mail.lab.example", admin_emails=("a@lab.example",))
    reporting.report(collected(3000), on, shown)
    assert [(message.experiment, len(message.notices)) for message in sent] == [("", 3000), ("dune", 3000)]
    assert len(shown.lines) < 40


def test_report_tells_people_until_when_the_token_in_place_lasts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[Message] = []
    origins: list[Origin] = []

    def send(message: Message, run: Collected, _settings: ReportSettings) -> Delivery:
        sent.append(message)
        origins.append(run.origin)
        return Delivery("email", message.experiment, tuple(item.key for item in message.notices), 1.0, 0.1)

    monkeypatch.setattr(_report_mail, "send", send)
    on = settings(
        smtp_host="mail.lab.example", admin_emails=("a@lab.example",), threshold=1, database=str(tmp_path / "here.db"),
        summary="quiet"
    )  # fmt: skip
    state = open_state(on.database, "", 5.0)
    assert state is not None
    now = time.time()
    failed = collected(1, was_recorded=True, ended=now + 10).outcomes
    good = [
        replace(item, status="ok", life=360_000.0, started=now, seconds=0.0, kind="", message="") for item in failed
    ]
    bad = [replace(item, started=now + 5) for item in failed]
    for name, outcomes in (("r0", good), ("r1", bad)):
        remember_run(state, Run(name, now, now + 900), outcomes, program="token-push", owner=None, message="")
    shown = Shown()
    reporting.report(collected(was_recorded=True, outcomes=bad, ended=now + 10), on, shown)
    assert shown.warnings == []
    assert [item.in_place for message in sent for item in message.notices] == [InPlace(1, until=now + 360_000.0)] * 2
    assert shown.lines[1].startswith("Nothing fails for users yet: the tokens in place last until ")
    assert {origin.host for origin in origins} == {socket.gethostname()}


def test_report_of_a_good_run_tries_the_channels_when_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Message] = []

    def send(message: Message, _collected: Collected, _settings: ReportSettings) -> Delivery:
        sent.append(message)
        return Delivery(EMAIL, message.experiment, (), 1.0, 0.1)

    monkeypatch.setattr(_report_mail, "send", send)
    good = [replace(item, status="ok", kind="", message="") for item in collected().outcomes]
    on = settings(smtp_host="mail.lab.example", admin_emails=("a@lab.example",))
    for is_test in (False, True):
        shown = Shown()
        reporting.report(collected(outcomes=good), replace(on, test=is_test), shown)
    assert [(message.is_trial, message.emails) for message in sent] == [(True, ("a@lab.example",))]
    assert "  administrators by mail: a test message" in shown.lines


def test_report_hides_a_secret_that_a_problem_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_report_loki, "push", lambda *_arguments: f"Cannot reach {SECRET} now")
    shown = Shown()
    reporting.report(collected(), settings(slack_webhook=SECRET, notify=False), shown)
    assert shown.warnings == ["Cannot reach [hidden] now"]


@pytest.mark.parametrize("part", [_report_metrics, _report_loki])
def test_report_part_that_nobody_expected_to_fail_takes_nothing_from_the_others(
    part: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_arguments: t.Any) -> t.NoReturn:
        raise KeyError("CanaryKey")

    monkeypatch.setattr(part, "export" if part is _report_metrics else "push", fail)
    shown = Shown()
    last = tmp_path / "last_run.json"
    reporting.report(collected(), settings(notify=False, last_run_file=str(last)), shown)
    assert shown.warnings == ["A part of the report could not be finished: KeyError. Please report this."]
    assert json.loads(last.read_text())["untold"]["notify_off"] == 3
    assert any("told to nobody" in line for line in shown.lines)


# Settings, whether a real experiment is told too, what is left of the counters, and who is marked as told.
TESTED: tuple[tuple[dict[str, t.Any], bool, int, set[str]], ...] = (
    ({}, False, 0, {EMAIL}),
    ({}, True, 0, {EMAIL, SERVICE_EMAIL}),
    ({"test": True, "test_admin_emails": ("t@lab.example",)}, False, 1, set()),
    # Its people are always the real ones.
    ({"test": True, "test_admin_emails": ("t@lab.example",)}, True, 0, {SERVICE_EMAIL}),
    ({"test": True}, False, 1, set()),
)


@pytest.mark.parametrize(("more", "has_people", "left", "marked"), TESTED)
def test_report_to_test_targets_counts_for_nobody(
    more: dict[str, t.Any],
    has_people: bool,
    left: int,
    marked: set[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def send(message: Message, _collected: Collected, _settings: ReportSettings) -> Delivery:
        channel = SERVICE_EMAIL if message.experiment else EMAIL
        return Delivery(channel, message.experiment, tuple(item.key for item in message.notices), 1.0, 0.1)

    monkeypatch.setattr(_report_mail, "send", send)
    place = str(tmp_path / "here.db")
    on = settings(smtp_host="mail.lab.example", admin_emails=("a@lab.example",), threshold=1, database=place, **more)
    found = collected(was_recorded=True)
    if not has_people:
        found.contacts.clear()
    state = open_state(on.database, "", 5.0)
    assert state is not None
    remember_run(state, Run("r1", 1.0, 900.0), found.outcomes, program="token-push", owner=None, message="")
    reporting.report(found, on, Shown())
    counters, told, trouble = report_state.look(state)
    assert trouble == ""
    assert counters is not None
    assert set(counters.push.values()) == {left}
    assert {channel for channel in CHANNELS if told.by(channel)} == marked


def test_report_that_looks_at_another_database_than_the_token_host_tells_all_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[Message] = []

    def send(message: Message, _collected: Collected, _settings: ReportSettings) -> Delivery:
        sent.append(message)
        return Delivery("email", message.experiment, tuple(item.key for item in message.notices), 1.0, 0.1)

    monkeypatch.setattr(_report_mail, "send", send)
    on = settings(
        smtp_host="mail.lab.example", admin_emails=("a@lab.example",), database=str(tmp_path / "here.db"), threshold=3
    )
    shown = Shown()
    reporting.report(collected(was_recorded=True), on, shown)
    assert [len(message.notices) for message in sent] == [3, 3]
    (warning,) = shown.warnings
    assert "does not know the run, which was recorded on the token host" in warning
    assert not (tmp_path / "here.db").exists()


def test_report_that_looks_at_the_database_of_the_run_keeps_to_the_threshold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def send(*_arguments: t.Any) -> t.NoReturn:
        raise AssertionError("nobody is to be told yet")

    monkeypatch.setattr(_report_mail, "send", send)
    on = settings(
        smtp_host="mail.lab.example", admin_emails=("a@lab.example",), database=str(tmp_path / "here.db"), threshold=3
    )
    found = collected(was_recorded=True)
    state = open_state(on.database, "", 5.0)
    assert state is not None
    remember_run(state, Run("r1", 1.0, 900.0), found.outcomes, program="token-push", owner=None, message="")
    shown = Shown()
    reporting.report(found, on, shown)
    assert shown.warnings == []


def test_report_writes_the_status_page_and_in_check_mode_says_that_it_would(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    shown = Shown()
    reporting.report(collected(check_mode=True), settings(status_page=str(page)), shown)
    # A path that is longer than a line is broken.
    said = "".join("".join(shown.lines).split())
    assert f"browsers: the status page {page} would be written".replace(" ", "") in said
    assert not page.exists()
    reporting.report(collected(), settings(status_page=str(page)), shown)
    assert "<title>Tokens: 1 problem</title>" in page.read_text()
    assert shown.warnings == []
