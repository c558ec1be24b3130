# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad setting of the report is told by name while nobody has to be told anything yet."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings_check import FILES, problems_of

URL = "is no http or https URL."
OF_MESSAGES: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"threshold": 0}, "managed_tokens_threshold is 0; it has to be at least 1, which tells at once."),
    (
        {"admin_emails": ("token admins", "a@lab.example")},
        "managed_tokens_admin_emails holds 'token admins'; an e-mail address looks like somebody@example.org.",
    ),
    (
        {"test_admin_emails": ("x",)},
        "managed_tokens_test_admin_emails holds 'x'; an e-mail address looks like somebody@example.org.",
    ),
    ({"mail_from": "nobody"}, "managed_tokens_mail_from is no e-mail address, so the default is used."),
    ({"slack_webhook": "hooks.slack.com/CanarySecret"}, f"managed_tokens_slack_webhook {URL}"),
    ({"test_slack_webhook": "hooks.slack.com/CanarySecret"}, f"managed_tokens_test_slack_webhook {URL}"),
    (
        {"smtp_host": "smtp://user" + ":secret@mail.lab.example"},
        "managed_tokens_smtp_host is no host's name; it is written without scheme, user and port.",
    ),
    ({"smtp_port": 99999}, "managed_tokens_smtp_port is 99999; it has to be a number from 1 to 65535."),
    ({"send_timeout": -1.0}, "managed_tokens_send_timeout is -1; it has to be more than 0 seconds."),
    ({"send_timeout": float("nan")}, "managed_tokens_send_timeout is nan; it has to be more than 0 seconds."),
    ({"send_retries": -1}, "managed_tokens_send_retries is -1; it has to be at least 0."),
    ({"smtp_ca": "/nonexistent/ca"}, "managed_tokens_smtp_ca is /nonexistent/ca, which does not exist."),
    ({"template_dir": "/nonexistent"}, "managed_tokens_template_dir is /nonexistent, which is no directory."),
)
OF_EXPORTS: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"pushgateway": "pushgateway.lab.example:9091"}, f"managed_tokens_pushgateway {URL}"),
    ({"loki": "loki.lab.example/CanarySecret"}, f"managed_tokens_loki {URL}"),
    ({"otlp_endpoint": "otlp.lab.example:4318"}, f"managed_tokens_otlp_endpoint {URL}"),
    ({"ping_url": "hc-ping.com/CanarySecret"}, f"managed_tokens_ping_url {URL}"),
    (
        {"pushgateway_grouping": {"job": "x"}},
        "managed_tokens_pushgateway_grouping names 'job', which is a label that the metrics have themselves.",
    ),
    ({"pushgateway_ca": "/nonexistent/ca"}, "managed_tokens_pushgateway_ca is /nonexistent/ca, which does not exist."),
    (
        {"status_max_age": "3hours"},
        "managed_tokens_status_max_age is '3hours'; it has to be a duration like 90s, 12h or 30d, at least 60 s.",
    ),
)


@pytest.mark.parametrize(("given", "sentence"), [*OF_MESSAGES, *OF_EXPORTS])
def test_problems_of_a_bad_setting_is_one_sentence_with_its_name(given: dict[str, t.Any], sentence: str) -> None:
    assert problems_of(ReportSettings(**given), sends_nothing=True) == [sentence]


@pytest.mark.parametrize(("given", "sentence"), OF_EXPORTS)
def test_problems_of_what_each_run_writes_or_sends_are_left_to_that_run(given: dict[str, t.Any], sentence: str) -> None:
    assert problems_of(ReportSettings(**given), sends_nothing=False) == []


def with_file(name: str, path: Path) -> ReportSettings:
    given: dict[str, t.Any] = {name: str(path)}
    return ReportSettings(**given)


@pytest.mark.parametrize("name", FILES)
def test_problems_of_a_file_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    directory = tmp_path / "a.prom"
    directory.mkdir()
    for path, why in (
        (tmp_path / "nowhere" / "x.prom", "its directory does not exist"),
        (directory, "it is a directory"),
    ):
        found = problems_of(with_file(name, path), sends_nothing=True)
        assert found == [f"managed_tokens_{name} is {path}, which cannot be written: {why}."]
    assert problems_of(with_file(name, tmp_path / "x.prom"), sends_nothing=True) == []


def test_problems_of_a_textfile_of_another_name(tmp_path: Path) -> None:
    found = problems_of(ReportSettings(textfile=str(tmp_path / "m.txt")), sends_nothing=True)
    assert found == [f"managed_tokens_textfile is {tmp_path}/m.txt; its name has to end in .prom."]


def test_problems_of_good_settings_are_none(tmp_path: Path) -> None:
    good = ReportSettings(
        threshold=1,
        admin_emails=("Token admins <a@lab.example>",),
        mail_from="managed-tokens@lab.example",
        slack_webhook=" https://hooks.lab.example/services/x ",
        smtp_host="mail.lab.example",
        smtp_port=587,
        send_timeout=0.5,
        send_retries=0,
        template_dir=str(tmp_path),
        pushgateway="https://user" + ":secret@pushgateway.lab.example/base",
        pushgateway_grouping={"site": "lab"},
        loki="http://loki.lab.example:3100",
        otlp_endpoint="http://[::1]:4318",
        ping_url="https://hc-ping.com/x",
        log_file=str(tmp_path / "log"),
        last_run_file=str(tmp_path / "last.json"),
    )
    assert problems_of(good, sends_nothing=True) == []
    assert problems_of(ReportSettings(), sends_nothing=True) == []
