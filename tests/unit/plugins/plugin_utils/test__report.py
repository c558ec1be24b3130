# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a whole: with everything off, with everything broken, in check mode, and with very much to tell."""

from __future__ import annotations

import typing as t
from pathlib import Path

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
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Delivery, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

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
        ping_url="https://127.0.0.1:9/CanaryPing",
        threshold=1,
    )
    reporting.report(collected(), broken, shown)
    assert len(shown.warnings) == len(set(shown.warnings)) >= 7
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


def test_report_hides_a_secret_that_a_problem_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_report_loki, "push", lambda *_arguments: f"Cannot reach {SECRET} now")
    shown = Shown()
    reporting.report(collected(), settings(slack_webhook=SECRET, notify=False), shown)
    assert shown.warnings == ["Cannot reach [hidden] now"]


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
