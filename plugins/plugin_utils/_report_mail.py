# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Write a message as a mail, plain and HTML, and send it to all its recipients at once."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from ansible_collections.fife.managed_tokens.plugins.module_utils._mail_address import split_address
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._time_limit import within
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import LAST_SECOND, number
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._mail_handover import hand_over, this_host
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    SERVICE_EMAIL,
    Delivery,
    Message,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_headline import (
    SUBJECT_MARK,
    headline,
    plain,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_templates import filled_in
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_text import content_of

DEFAULT_USER = "managed-tokens"


def compose(
    message: Message, collected: Collected, settings: ReportSettings, problems: list[str] | None = None
) -> EmailMessage:
    """Give the mail, ready to be sent; what is wrong with an operator's template or a recipient is added to `problems`.

    Recipients that are no addresses are left out.
    """
    problems = [] if problems is None else problems
    subject = headline(message, settings, mark=SUBJECT_MARK)
    sender = sender_of(settings.mail_from, problems)
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = sender
    if recipients := _recipients(message.emails, problems):
        mail["To"] = recipients
    # An experiment's people know the administrators by nothing else.
    if message.experiment and (operators := _recipients(settings.admin_emails, problems)):
        mail["Reply-To"] = operators
    mail["Date"] = format_datetime(datetime.fromtimestamp(_moment_of(collected), UTC))
    mail["Message-ID"] = make_msgid(DEFAULT_USER, domain=sender.domain)
    # RFC 3834: nobody's holiday message is to answer.
    mail["Auto-Submitted"] = "auto-generated"
    name = "experiment" if message.experiment else "admin"
    values = {"subject": subject, "content": content_of(message, collected, settings)}
    mail.set_content(_valid(filled_in(f"{name}.txt.j2", values, settings.template_dir, problems)))
    html = filled_in(f"{name}.html.j2", values, settings.template_dir, problems)
    mail.add_alternative(_valid(html), subtype="html")
    return mail


def send(message: Message, collected: Collected, settings: ReportSettings) -> Delivery:
    """Send the message to all its addresses in one mail; never raises.

    Accepted means that the mail server took it for at least one of them; the remark names the others. What is wrong
    with the server is said in the same words for every message, so that it need be shown only once.
    """
    started, mark = time.time(), time.monotonic()
    try:
        problem, remarks = within(
            settings.send_timeout, lambda: _sent(message, collected, settings, mark + settings.send_timeout)
        ) or (f"{_server(settings)} did not answer within {settings.send_timeout:.3g} s.", ())
    except Exception as err:  # noqa: BLE001 - one sender must not take away the others
        problem = f"The mail to {_whom(message)} could not be written ({type(err).__name__}; please report this)."
        remarks = ()
    return Delivery(
        SERVICE_EMAIL if message.experiment else EMAIL,
        message.experiment,
        tuple(notice.key for notice in message.notices),
        started,
        time.monotonic() - mark,
        _hidden(problem, settings),
        "" if problem else _hidden(" ".join(remarks), settings),
    )


def _sent(
    message: Message, collected: Collected, settings: ReportSettings, until: float
) -> tuple[str, tuple[str, ...]]:
    """Send the mail; give the problem and remarks, each a sentence."""
    remarks: list[str] = []
    mail = compose(message, collected, settings, remarks)
    if mail["To"] is None:
        return f"No mail to {_whom(message)}: none of the recipients is an e-mail address.", ()
    addresses = [address.addr_spec for address in mail["To"].addresses]
    handed = hand_over(mail, addresses, settings, until)
    if handed.problem:
        return f"{_server(settings)} {handed.problem}.", ()
    if handed.refused:
        more = f"; and {len(handed.refused) - 3} more" if len(handed.refused) > 3 else ""
        remarks.append(f"{_server(settings)} did not take the mail for {'; '.join(handed.refused[:3])}{more}.")
    return "", tuple(remarks)


def _whom(message: Message) -> str:
    return f"the people of {plain(message.experiment)[:60]}" if message.experiment else "the administrators"


def _server(settings: ReportSettings) -> str:
    return one_line(f"The mail server {settings.smtp_host} port {settings.smtp_port}", 120)


def sender_of(mail_from: str, problems: list[str]) -> Address:
    """Give the sender of our mails; a setting that is no address is added to `problems`."""
    if mail_from:
        if address := address_of(mail_from):
            return address
        problems.append("managed_tokens_mail_from is no e-mail address, so the default was used.")
    return address_of(f"{DEFAULT_USER}@{this_host()}") or Address(username=DEFAULT_USER, domain="localhost")


def _recipients(emails: t.Iterable[str], problems: list[str]) -> tuple[Address, ...]:
    found = {entry: address_of(entry) for entry in dict.fromkeys(emails)}
    wrong = [one_line(entry, 60) or "(empty)" for entry, address in found.items() if address is None]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        problems.append(f"No e-mail address: {', '.join(wrong[:3])}{more}.")
    return tuple({address.addr_spec: address for address in found.values() if address is not None}.values())


def address_of(entry: str) -> Address | None:
    """Read `user@host` or `Name <user@host>`; None for anything else."""
    found = split_address(entry)
    return None if found is None else Address(plain(found[0])[:60], addr_spec=found[1])


def _moment_of(collected: Collected) -> float:
    return number(collected.ended, LAST_SECOND) or time.time()


def _valid(rendered: str) -> str:
    return rendered.encode("utf-8", "replace").decode("utf-8")


def _hidden(sentence: str, settings: ReportSettings) -> str:
    for secret in settings.secrets:
        sentence = sentence.replace(secret, "[hidden]")
    return one_line(sentence, 500)
