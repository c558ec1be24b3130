# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to log in is said so that it can be copied, in every place the same."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_invitation import (
    mail_text,
    slack_post,
    subject,
    terminal_lines,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.login_words import ADDRESS

INVITATION = Invitation("dune_production", "dune", ADDRESS, "D134-7ABC", 120.0, 600.0)
NOW = 1_795_600_000.0


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where the clock is that of Greenwich."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_terminal_lines_address_stands_alone() -> None:
    assert terminal_lines(INVITATION, NOW) == [
        "dune_production: somebody of dune has to log in with a web browser.",
        "  Open this address, on any machine:",
        f"  {ADDRESS}",
        "  When asked for a code, enter D134-7ABC",
        "  This address counts until 09:48:40 UTC; new ones come until 09:56:40 UTC.",
    ]


def test_terminal_lines_without_code_last_address_and_turn() -> None:
    lines = terminal_lines(replace(INVITATION, code="", life=90.0, left=90.0, number=2, total=3), NOW)
    assert lines[0].endswith("(login 2 of 3).")
    assert lines[3:] == ["  This address counts until 09:48:10 UTC."]


@pytest.mark.parametrize("is_renewed", [True, False])
def test_mail_and_slack_have_address_code_and_time(is_renewed: bool) -> None:
    invitation = replace(INVITATION, is_renewed=is_renewed)
    mail = mail_text(invitation, "push.lab.example", NOW)
    post = json.dumps(slack_post(invitation, "push.lab.example", NOW))
    for text in (mail, post):
        assert ADDRESS in text
        for words in ("D134-7ABC", "09:48:40 UTC", "push.lab.example", "dune_production"):
            assert words in text
        assert ("no longer count" in text) is is_renewed
    assert max(map(len, mail.splitlines())) < 998
    assert subject(invitation) == "[managed tokens] dune_production needs your login" + " (new address)" * is_renewed


def test_slack_post_what_slack_would_read_is_escaped() -> None:
    address = "https://vault.lab.example/?a=1&b=<!channel>"
    text = slack_post(replace(INVITATION, address=address), "h", NOW)["blocks"][0]["text"]["text"]
    assert "a=1&amp;b=&lt;!channel&gt;" in text
