# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address reaches whom it is to reach, or it is said in one sentence why not."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_senders import Sender, senders_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.login_words import ADDRESS
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_mail import mail_server, mail_settings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import receiver

INVITATION = Invitation("dune_production", "dune", ADDRESS, "D134-7ABC", 120.0, 600.0)
SECRET = "/services/T000/B000/hunt2hunt2"


def only(found: tuple[list[Sender], list[str]]) -> Sender:
    ((sender,), problems) = found
    assert problems == []
    return sender


def test_mail_is_accepted_by_the_reports_server() -> None:
    with mail_server() as server:
        settings = mail_settings(smtp_port=server.port)
        sender = only(senders_of(["Ann <ann@lab.example>"], False, "", settings))
        assert sender.send(INVITATION) == ""
    (taken,) = server.taken
    assert taken.recipients == ("ann@lab.example",)
    assert ADDRESS in taken.mail.get_content()


def test_mail_that_is_not_taken_is_said() -> None:
    with mail_server() as server:
        server.refused["ann@lab.example"] = "550 5.1.1 No such person"
        sender = only(senders_of(["ann@lab.example"], False, "", mail_settings(smtp_port=server.port)))
        assert sender.send(INVITATION).startswith("The mail server 127.0.0.1 ")
    assert server.taken == []


def test_slack_own_webhook_wins_and_no_problem_holds_it() -> None:
    with receiver((200, b"ok"), (404, b"no_service")) as taken:
        settings = ReportSettings(slack_webhook="http://127.0.0.1:1/other", send_retries=0)
        sender = only(senders_of([], True, taken.url + SECRET, settings))
        assert (sender.where, sender.send(INVITATION)) == ("Slack", "")
        problem = sender.send(INVITATION)
    assert ADDRESS in json.dumps(json.loads(taken.posted[0].body))
    assert problem
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        ({"mail": ["nobody"]}, {"smtp_host": "mail"}, "'nobody' is no e-mail address"),
        ({"mail": ["a@b.example, c@d.example"]}, {"smtp_host": "mail"}, "is no e-mail address"),
        ({"mail": ["a@b.example"]}, {}, "needs a mail server: managed_tokens_smtp_host"),
        ({"slack": True}, {}, "needs the URL of a webhook"),
        ({"slack": True, "slack_webhook": "ftp://x/" + SECRET}, {}, "needs the URL of a webhook"),
    ],
)
def test_senders_of_what_the_settings_do_not_allow_is_said(
    given: dict[str, t.Any], settings: dict[str, t.Any], words: str
) -> None:
    wanted = {"mail": [], "slack": False, "slack_webhook": "", **given}
    senders, (problem,) = senders_of(**wanted, settings=ReportSettings(**settings))
    assert senders == []
    assert words in problem
    assert SECRET not in problem
