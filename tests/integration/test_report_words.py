# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read at night says what it means for users, until when, who acts, and how to look further."""

from __future__ import annotations

import json
import typing as t

from report_scene import Scene

NODE = "dunegpvm01.lab.example"
LASTS = "Nothing fails for users yet: the tokens in place last until "
STATUS = "ansible-playbook -i inventory fife.managed_tokens.status -e managed_tokens_service=dune_production"
SOON = ("-e", "managed_tokens_threshold=1")


def plain_words(mail: t.Any) -> str:
    """Give the plain text of a mail, without its lines."""
    return " ".join(mail.get_body(("plain",)).get_content().split())


def test_mails_and_slack_say_until_when_the_token_in_place_lasts(one: Scene) -> None:
    one.fault("account-refused", "dunepro", NODE)
    one.run(*SOON)
    of_admins, of_dune = sorted(one.sinks.mails(), key=lambda mail: str(mail["X-Envelope-To"]))
    assert (of_admins["Reply-To"], of_dune["Reply-To"]) == (None, "admins@lab.example")
    for mail in (of_admins, of_dune):
        assert plain_words(mail).startswith(LASTS)
        assert "; token in place: until " in plain_words(mail).replace(" | ", " ")
    assert "ansible-playbook" not in plain_words(of_dune)
    host = one.lab.run("hostname").output.strip()
    assert f"written by {host}, inventory inventory, fife.managed_tokens " in plain_words(of_admins)
    assert STATUS in plain_words(of_admins).replace(" \\", "")
    (post,) = one.sinks.slack()
    text = json.dumps(post)
    assert "[managed tokens] " in text
    assert LASTS in text
    assert f"Look further: `{STATUS}`" in text
    shown = one.run("-e", "managed_tokens_service=dune_production", play="status").output
    assert "RED: 1 problem" in shown
    assert "nova" not in shown


def test_the_quiet_mode_says_so_too(one: Scene) -> None:
    one.fault("account-refused", "dunepro", NODE)
    quiet = {"ANSIBLE_STDOUT_CALLBACK": "fife.managed_tokens.quiet", "MANAGED_TOKENS_SUMMARY": "quiet"}
    lines = one.run(env=quiet).output.strip().splitlines()
    assert "1 of " in lines[0]
    assert "tokens on nodes not in place (run " in lines[0]
    assert lines[1].startswith(LASTS)
    assert lines[-1] == f"look further: {STATUS}"


def test_the_quiet_mode_says_that_a_refused_run_did_nothing(one: Scene) -> None:
    quiet = {"ANSIBLE_STDOUT_CALLBACK": "fife.managed_tokens.quiet", "MANAGED_TOKENS_SUMMARY": "quiet"}
    lines = one.run("-e", "managed_tokens_service=dune_produktion", env=quiet).output.strip().splitlines()
    assert lines[0].startswith("managed tokens: nothing was done, the run was refused: ")
    assert "did you mean 'dune_production'" in lines[0]
    assert lines[1].startswith(LASTS)


def test_channels_can_be_tried_although_nothing_is_wrong(one: Scene) -> None:
    done = one.run("-e", "managed_tokens_notifications_test=true")
    assert done.status == 0
    (post,) = one.sinks.slack()
    assert "[managed tokens] TEST MESSAGE" in post["text"]
    assert one.told() == [("admins@lab.example", "[managed tokens] TEST MESSAGE, nobody has to do anything")]
    assert "administrators by mail: a test message" in done.flat
    one.run("-e", "{managed_tokens_notifications_test: true, managed_tokens_test_admin_emails: [tests@lab.example]}")
    assert one.sinks.slack() == []
    assert [to for to, _subject in one.told()] == ["tests@lab.example"]
