# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say in words where somebody is to log in: for the terminal, a mail, and Slack. Pure."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._slack_posts import escaped

# Beside what show_line puts before it.
INDENT = "  "


def terminal_lines(invitation: Invitation, now: float) -> list[str]:
    """Give the lines for the terminal; an address stands alone on its line, however long, so that it can be copied.

    `now` in seconds since the epoch.
    """
    turn = f" (login {invitation.number} of {invitation.total})" if invitation.total > 1 else ""
    return [
        f"{invitation.service}: somebody of {invitation.experiment} has to log in with a web browser{turn}.",
        f"{INDENT}Open this address, on any machine:",
        f"{INDENT}{invitation.address}",
        *([f"{INDENT}When asked for a code, enter {invitation.code}"] if invitation.code else []),
        f"{INDENT}{until_words(invitation, now)}",
    ]


def until_words(invitation: Invitation, now: float) -> str:
    """Say how long the address counts, and how long somebody is waited for."""
    text = f"This address counts until {_at(now + invitation.life)}"
    if invitation.left - invitation.life >= 1:
        return f"{text}; new ones come until {_at(now + invitation.left)}."
    return f"{text}."


def subject(invitation: Invitation) -> str:
    """Give the subject of the mail."""
    again = " (new address)" if invitation.is_renewed else ""
    return f"[managed tokens] {invitation.service} needs your login{again}"


def mail_text(invitation: Invitation, host: str, now: float) -> str:
    """Give the text of the mail; `host` is the machine that waits."""
    lines = [
        f"The service {invitation.service} gets its tokens only when somebody of {invitation.experiment} has logged in",
        "once, with a web browser. Please open this address and approve the login:",
        "",
        f"    {invitation.address}",
        "",
        *([f"When asked for a code, enter {invitation.code}", ""] if invitation.code else []),
        until_words(invitation, now),
        *(["The addresses of earlier mails no longer count.", ""] if invitation.is_renewed else [""]),
        f"The onboarding on {host} waits for it. If you do not know of one that was started for this service,",
        "do not approve it.",
    ]
    return "\n".join(lines) + "\n"


def slack_post(invitation: Invitation, host: str, now: float) -> dict[str, t.Any]:
    """Give the post for Slack's webhook."""
    code = f"\nWhen asked for a code, enter *{escaped(invitation.code)}*" if invitation.code else ""
    again = "\nEarlier addresses no longer count." if invitation.is_renewed else ""
    text = (
        f"*{escaped(invitation.service)}* needs a login with a web browser by somebody of "
        f"{escaped(invitation.experiment)}:\n{escaped(invitation.address)}{code}\n"
        f"{escaped(until_words(invitation, now))}{again}\n_The onboarding on {escaped(host)} waits for it._"
    )
    return {
        "text": subject(invitation),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}],
    }


def _at(moment: float) -> str:
    # With the zone: a job's container seldom has that of the person.
    return time.strftime("%H:%M:%S %Z", time.localtime(moment)).strip()
