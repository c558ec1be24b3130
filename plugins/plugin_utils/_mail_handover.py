# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Hand one mail to the mail server, with TLS and login as set, and say in one sentence what was wrong."""

from __future__ import annotations

import contextlib
import os
import smtplib
import socket
import ssl
import time
import typing as t
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import (
    AUTO,
    NONE,
    STARTTLS,
    TLS,
    ReportSettings,
)

PAUSE_S = 0.3
WORDS_LIMIT = 150


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of it: `problem` ends the server's part of a sentence, "" when the mail was accepted for at least one
    recipient. `refused` are the recipients that were not accepted, with the server's words."""

    problem: str = ""
    refused: tuple[str, ...] = ()
    may_pass: bool = False


class _NotSecured(Exception):
    """The server does not offer what has to be there before anything secret is said."""


@lru_cache(maxsize=1)
def this_host() -> str:
    """Give the name of this machine, with its domain where it is known. May ask the name service."""
    name = socket.gethostname()
    return name if "." in name else socket.getfqdn(name)


def hand_over(mail: EmailMessage, recipients: t.Sequence[str], settings: ReportSettings, until: float) -> Handed:
    """Hand the mail over before `until` (monotonic seconds), trying again after what can pass.

    Never raises for what a network, a server or a setting can do.
    """
    handed = Handed(_silence(settings), may_pass=True)
    for attempt in range(settings.send_retries + 1):
        if attempt:
            time.sleep(min(PAUSE_S * attempt, max(0.0, until - time.monotonic())))
        if time.monotonic() >= until:
            return handed
        try:
            handed = _once(mail, recipients, settings, until)
        except (smtplib.SMTPException, OSError, ValueError, _NotSecured) as err:
            handed = _meaning(err, settings)
        if not handed.may_pass:
            return handed
    return handed


def _once(mail: EmailMessage, recipients: t.Sequence[str], settings: ReportSettings, until: float) -> Handed:
    try:
        context = _tls_context(settings)
    except OSError as err:
        reason = one_line(err.strerror or "no certificate in PEM form", 100)
        return Handed(f"was not asked: the CA certificates in {one_line(settings.smtp_ca, 200)} are no use ({reason})")
    host = this_host()
    # RFC 5321, 4.1.3: a machine without a full name says its address.
    hello = host if "." in host and host.isascii() else "[127.0.0.1]"
    place = (settings.smtp_host, settings.smtp_port, hello)
    server = (
        smtplib.SMTP_SSL(*place, timeout=_left(until), context=context)
        if settings.smtp_security == TLS
        else smtplib.SMTP(*place, timeout=_left(until))
    )
    try:
        _secure(server, settings, context, until)
        if settings.smtp_user:
            _limit(server, until)
            server.login(settings.smtp_user, settings.smtp_password)
        _limit(server, until)
        refused = server.send_message(mail, to_addrs=list(recipients))
        return Handed(refused=_refusals(refused, settings))
    finally:
        # Nobody waits for a server's goodbye: the mail is accepted, or it is not.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.putcmd("quit")
        server.close()


def _tls_context(settings: ReportSettings) -> ssl.SSLContext:
    ca = os.path.expanduser(settings.smtp_ca) if settings.smtp_security != NONE else ""
    if not ca:
        return ssl.create_default_context()
    if os.path.isdir(ca):
        return ssl.create_default_context(capath=ca)
    return ssl.create_default_context(cafile=ca)


def _secure(server: smtplib.SMTP, settings: ReportSettings, context: ssl.SSLContext, until: float) -> None:
    _limit(server, until)
    server.ehlo_or_helo_if_needed()
    if settings.smtp_security in (NONE, TLS):
        return
    if server.has_extn("starttls"):
        _limit(server, until)
        # Raises when the server offers it and then refuses: nothing is sent in the clear then.
        server.starttls(context=context)
        _limit(server, until)
        server.ehlo()
    elif settings.smtp_security == STARTTLS:
        raise _NotSecured("offers no STARTTLS")
    elif settings.smtp_security == AUTO and settings.smtp_user:
        # Somebody in between may have taken the offer away to see the password.
        raise _NotSecured("offers no STARTTLS, and the password is not sent without it")


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _limit(server: smtplib.SMTP, until: float) -> None:
    if server.sock is not None:
        server.sock.settimeout(_left(until))


def _refusals(refused: t.Mapping[str, tuple[int, bytes]], settings: ReportSettings) -> tuple[str, ...]:
    return tuple(f"{one_line(name, 100)}{_words(code, words, settings)}" for name, (code, words) in refused.items())


def _words(code: int, words: object, settings: ReportSettings) -> str:
    """Give the server's code and words in brackets; words with a secret in them are left out."""
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    said = "" if any(secret in said for secret in settings.secrets) else one_line(said[:4096], WORDS_LIMIT).rstrip(".")
    return f" ({code}{f' {said}' if said else ''})"


def _meaning(error: Exception, settings: ReportSettings) -> Handed:
    if isinstance(error, _NotSecured):
        return Handed(str(error))
    if isinstance(error, smtplib.SMTPException):
        return _meaning_of_smtp(error, settings)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Handed(f"has a certificate that is not verified: {one_line(error.verify_message, 100).rstrip('.')}")
    if isinstance(error, TimeoutError):
        return Handed(_silence(settings), may_pass=True)
    if isinstance(error, ssl.SSLError):
        return Handed("and this machine do not agree on TLS; compare port and managed_tokens_smtp_security")
    if isinstance(error, OSError):
        reason = one_line(error.strerror or type(error).__name__, 100)
        return Handed(f"cannot be reached: {reason}", may_pass=True)
    return Handed("was not asked: its name, user or password holds what SMTP cannot carry")


def _meaning_of_smtp(error: smtplib.SMTPException, settings: ReportSettings) -> Handed:
    if isinstance(error, smtplib.SMTPServerDisconnected):
        # The library hides a time that is over behind this.
        if isinstance(error.__context__, TimeoutError):
            return Handed(_silence(settings), may_pass=True)
        return Handed("closed the connection", may_pass=True)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        refused = _refusals(error.recipients, settings)
        shown = "; ".join(refused[:3]) + (f"; and {len(refused) - 3} more" if len(refused) > 3 else "")
        passing = any(400 <= code < 500 for code, _words in error.recipients.values())
        return Handed(f"took no recipient: {shown}", may_pass=passing)
    if not isinstance(error, smtplib.SMTPResponseException):
        # No login at all, or none but ways that the library does not know: addresses and STARTTLS are checked before.
        return Handed("offers no login that is known here (managed_tokens_smtp_user)")
    may_pass = 400 <= error.smtp_code < 500
    if isinstance(error, smtplib.SMTPAuthenticationError):
        # Without its words: they may hold what was sent.
        return Handed(f"did not let us log in ({error.smtp_code})", may_pass=may_pass)
    if error.smtp_code < 0:
        return Handed("answered with something that is no SMTP")
    said = _words(error.smtp_code, error.smtp_error, settings)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Handed(f"takes no mail from {one_line(str(error.sender), 100)}{said}", may_pass=may_pass)
    return Handed(f"did not take the mail{said}", may_pass=may_pass)


def _silence(settings: ReportSettings) -> str:
    return f"did not answer within {settings.send_timeout:.3g} s"
