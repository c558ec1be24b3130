# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A webhook and a mail server can be tried although nothing is wrong, and nobody takes that for a trouble."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, SLACK, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_mail import compose
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision, channels_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_trial import with_trial
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._slack_posts import posts_of
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import good_run
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import for_dune, message, trouble

REAL: dict[str, t.Any] = {"smtp_host": "m", "admin_emails": ("admin@x",), "slack_webhook": "https://real"}
TEST: dict[str, t.Any] = {"test": True, "test_admin_emails": ("test@x",), "test_slack_webhook": "https://test"}
BOTH = (EMAIL, SLACK)


def trial(run: Collected | None = None, *messages: Message, **settings: t.Any) -> tuple[Message | None, ReportSettings]:
    """Give the test message, None when there is none."""
    chosen = ReportSettings(**{**REAL, **settings})
    found = with_trial(Decision(messages), run or good_run(), chosen).messages
    assert found[: len(messages)] == messages
    return (found[-1] if len(found) > len(messages) else None), chosen


# Settings; addresses, webhook and channels of the test message.
TARGETS: tuple[tuple[dict[str, t.Any], tuple[str, ...], str, tuple[str, ...]], ...] = (
    (TEST, ("test@x",), "https://test", BOTH),
    # Nobody but the administrators could see whether it arrives.
    ({"test": True}, ("admin@x",), "https://real", BOTH),
    ({"test": True, "slack_webhook": ""}, ("admin@x",), "", (EMAIL,)),
    # Who has a test target means to leave the real ones alone.
    ({**TEST, "test_slack_webhook": ""}, ("test@x",), "", (EMAIL,)),
    ({**TEST, "test_admin_emails": ()}, (), "https://test", (SLACK,)),
    ({**TEST, "smtp_host": ""}, ("test@x",), "https://test", (SLACK,)),
)


@pytest.mark.parametrize(("settings", "emails", "webhook", "channels"), TARGETS)
def test_with_trial_goes_to_test_targets_and_else_to_the_administrators(
    settings: dict[str, t.Any], emails: tuple[str, ...], webhook: str, channels: tuple[str, ...]
) -> None:
    found, chosen = trial(**settings)
    assert found is not None
    assert (found.experiment, found.emails, channels_of(found, chosen)) == ("", emails, channels)
    assert chosen.webhook_for(is_trial=True) == webhook


NONE: tuple[tuple[dict[str, t.Any], str, tuple[Message, ...]], ...] = (
    ({}, "token-push", ()),
    ({**TEST, "notify": False}, "token-push", ()),
    (TEST, "onboarding", ()),
    ({"test": True, "smtp_host": "", "slack_webhook": ""}, "token-push", ()),
    # What is to be told shows as well whether it arrives.
    (TEST, "token-push", (message(trouble(), emails=("test@x",)),)),
)


@pytest.mark.parametrize(("settings", "program", "messages"), NONE)
def test_with_trial_none_where_none_is_wanted(
    settings: dict[str, t.Any], program: str, messages: tuple[Message, ...]
) -> None:
    assert trial(good_run(program=program), *messages, **settings)[0] is None


def test_with_trial_tries_what_is_not_tried_by_a_message_anyway() -> None:
    of_slack = message(trouble(), emails=(), channels=(SLACK,))
    found, chosen = trial(None, of_slack, for_dune(trouble()), **TEST)
    assert found is not None
    assert channels_of(found, chosen) == (EMAIL,)


def test_with_trial_says_in_mail_and_slack_that_it_is_one() -> None:
    found, chosen = trial(**TEST)
    assert found is not None
    mail = compose(found, good_run(), chosen)
    assert (mail["To"], mail["Subject"]) == ("test@x", "[managed tokens] TEST MESSAGE, nobody has to do anything")
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "This is a test of the notifications" in body.get_content()
    (post,) = posts_of(found, good_run(), chosen)
    assert post["blocks"][0]["text"]["text"] == mail["Subject"]
    assert "This is a test of the notifications" in post["blocks"][1]["text"]["text"]
