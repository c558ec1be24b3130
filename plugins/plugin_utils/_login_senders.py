# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Send somebody where to log in, by mail or to a Slack channel; each sender says in one sentence what was wrong."""

from __future__ import annotations

import json
import time
import typing as t
from dataclasses import dataclass
from email.message import EmailMessage

from ansible_collections.fife.managed_tokens.plugins.module_utils._time_limit import within
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _bounded_request as bounded
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _login_invitation as words
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._mail_handover import hand_over, this_host
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_mail import address_of, sender_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_slack import ACCEPTED


@dataclass(frozen=True, slots=True)
class Sender:
    """A way to somebody: where it leads, in words, and what sends; `send` gives a problem, "" when it was accepted."""

    where: str
    send: t.Callable[[Invitation], str]


def senders_of(
    mail: t.Sequence[str], slack: bool, slack_webhook: str, settings: ReportSettings
) -> tuple[list[Sender], list[str]]:
    """Give the senders that are wanted, and one sentence for each that the settings do not allow."""
    senders: list[Sender] = []
    problems: list[str] = []
    for entry in mail:
        if address_of(entry) is None:
            problems.append(f"managed_tokens_onboarding_mail: {entry!r} is no e-mail address.")
        elif not settings.smtp_host:
            problems.append("managed_tokens_onboarding_mail needs a mail server: managed_tokens_smtp_host.")
        else:
            senders.append(Sender(entry, _mailer(entry, settings)))
    if slack:
        address = Address.of((slack_webhook or settings.slack_webhook).strip())
        if address is None:
            problems.append(
                "managed_tokens_onboarding_slack needs the URL of a webhook: "
                "managed_tokens_onboarding_slack_webhook, or managed_tokens_slack_webhook."
            )
        else:
            senders.append(Sender("Slack", _poster(address, settings)))
    return senders, problems


def mail_of(invitation: Invitation, recipient: str, settings: ReportSettings, now: float) -> EmailMessage:
    """Give the mail, ready to be sent."""
    mail = EmailMessage()
    mail["Subject"] = words.subject(invitation)
    mail["From"] = sender_of(settings.mail_from, [])
    mail["To"] = address_of(recipient)
    mail.set_content(words.mail_text(invitation, this_host(), now))
    return mail


def _mailer(recipient: str, settings: ReportSettings) -> t.Callable[[Invitation], str]:
    def send(invitation: Invitation) -> str:
        until = time.monotonic() + settings.send_timeout
        address = address_of(recipient)

        def work() -> str:
            mail = mail_of(invitation, recipient, settings, time.time())
            handed = hand_over(mail, [address.addr_spec if address else recipient], settings, until)
            if handed.problem:
                return f"The mail server {settings.smtp_host} {handed.problem}."
            return f"The mail server {settings.smtp_host} did not take it." if handed.refused else ""

        found = within(settings.send_timeout, work)
        return f"The mail server {settings.smtp_host} did not answer in time." if found is None else found

    return send


def _poster(address: Address, settings: ReportSettings) -> t.Callable[[Invitation], str]:
    def send(invitation: Invitation) -> str:
        post = words.slack_post(invitation, this_host(), time.time())
        request = bounded.Request(
            address,
            json.dumps(post).encode("ascii"),
            {"Content-Type": "application/json"},
            accepted=ACCEPTED,
            # What Slack says might quote the URL.
            quoted=lambda _answer: "",
        )
        return bounded.send(request, bounded.Limits(settings.send_timeout, settings.send_retries), name="Slack").problem

    return send
