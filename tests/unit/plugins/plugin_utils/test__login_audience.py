# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login is shown and sent while it goes on, and it is known beforehand when nobody would see it."""

from __future__ import annotations

import os
import pty
import threading

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_audience import (
    LiveAudience,
    is_watched,
    why_not_shown,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_senders import Sender
from ansible_collections.fife.managed_tokens.tests.unit.plugins.login_words import ADDRESS

INVITATION = Invitation("dune_production", "dune", ADDRESS, "D134-7ABC", 120.0, 600.0)


def test_invite_shows_at_once_and_waits_for_no_sender() -> None:
    shown: list[str] = []
    may_send, has_sent = threading.Event(), threading.Event()

    def slow(_invitation: Invitation) -> str:
        may_send.wait(60)
        has_sent.set()
        return ""

    audience = LiveAudience(shown.append, [Sender("ann@lab.example", slow)])
    audience.invite(INVITATION)
    assert f"  {ADDRESS}" in shown
    audience.waited()
    assert "The address was sent" not in " ".join(shown)
    may_send.set()
    while "The address was sent to ann@lab.example." not in shown:
        assert has_sent.wait(60)
        audience.waited()


@pytest.mark.parametrize("is_broken", [True, False])
def test_invite_sender_that_fails_is_said_and_nothing_else(is_broken: bool) -> None:
    shown: list[str] = []

    def failing(_invitation: Invitation) -> str:
        if is_broken:
            raise ValueError("what is this")
        return "it was refused."

    audience = LiveAudience(shown.append, [Sender("Slack", failing)])
    audience.invite(INVITATION)
    lines = len(shown)
    while len(shown) == lines:
        audience.waited()
    assert shown[-1].startswith("The address was NOT sent to Slack: " + ("ValueError" if is_broken else "it was"))


@pytest.mark.parametrize(("has_terminal", "expected"), [(True, True), (False, False)])
def test_is_watched_a_terminal_among_the_standard_files(has_terminal: bool, expected: bool) -> None:
    read_end, write_end = os.pipe()
    terminal, other = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number, handle in enumerate((null, other if has_terminal else write_end, null)):
            os.dup2(handle, number)
        os.write(write_end, b"x")
        os.read(terminal, 1)
        os._exit(0)
    try:
        os.read(read_end, 1)
        assert is_watched(pid) is expected
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        for handle in (read_end, write_end, terminal, other):
            os.close(handle)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"is_local": False, "has_senders": True}, "on the token host itself"),
        ({"is_quiet": True}, "unset ANSIBLE_STDOUT_CALLBACK"),
        ({"is_quiet": True, "has_senders": True}, ""),
        ({"is_watched": False}, "managed_tokens_onboarding_watched=true"),
        ({"is_watched": False, "has_senders": True}, ""),
        ({"is_watched": False, "is_quiet": True}, "prints nothing"),
    ],
)
def test_why_not_shown_table(changes: dict[str, bool], words: str) -> None:
    found = why_not_shown(**{"is_local": True, "is_quiet": False, "is_watched": True, "has_senders": False, **changes})
    assert (words in found) if words else found == ""
