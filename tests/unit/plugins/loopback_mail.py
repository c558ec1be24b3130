# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a mail server on loopback that keeps what it takes and refuses what a test says; and what is none."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
import threading
import typing as t
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

USER, PASSWORD = "reporter", "hunt2hunt2hunt2"
FROM = "Tokens <tokens@lab.example>"


def mail_settings(**changes: t.Any) -> ReportSettings:
    """Give settings for a mail server on loopback."""
    values: dict[str, t.Any] = {"smtp_host": "127.0.0.1", "mail_from": FROM, "send_timeout": 20.0}
    return ReportSettings(**{**values, **changes})


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail as it arrived."""

    mail: EmailMessage
    sender: str
    recipients: tuple[str, ...]
    is_encrypted: bool
    is_logged_in: bool


@dataclass
class MailServer:
    """What was taken, and what is refused: answers by recipient, and answers to whole mails one after the other ("250"
    and nothing left mean to take it)."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    attempts: int = 0

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.attempts += 1
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - and so
        answer = self.answers.pop(0) if self.answers else "250"
        if answer != "250":
            return answer
        content = envelope.original_content or b""
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.taken.append(
            Taken(
                mail,
                envelope.mail_from or "",
                tuple(envelope.rcpt_tos),
                session.ssl is not None or bool(server.transport and server.transport.get_extra_info("sslcontext")),
                bool(session.authenticated),
            )
        )
        return "250 2.0.0 Ok"


@contextlib.contextmanager
def mail_server(
    context: ssl.SSLContext | None = None, *, is_tls: bool = False, has_login: bool = False
) -> t.Iterator[MailServer]:
    """Serve until the block ends; with a `context` it offers STARTTLS, or with `is_tls` speaks TLS from the
    beginning."""
    server, loop = MailServer(), asyncio.new_event_loop()

    def login(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
        good = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=data == good, handled=False)

    def speak() -> SMTP:
        more: dict[str, t.Any] = {"authenticator": login, "auth_require_tls": False} if has_login else {}
        offered = None if is_tls else context
        return SMTP(server, hostname="mail.lab.example", tls_context=offered, loop=loop, **more)

    listening = loop.run_until_complete(loop.create_server(speak, "127.0.0.1", 0, ssl=context if is_tls else None))
    server.port = listening.sockets[0].getsockname()[1]
    # What a client that has gone leaves behind is nothing to tell of.
    loop.set_exception_handler(lambda _loop, _context: None)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:

        async def end() -> None:
            listening.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            loop.stop()

        asyncio.run_coroutine_threadsafe(end(), loop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def greeter(words: bytes) -> t.Iterator[int]:
    """Give the port of a server that says this to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listening.accept()
                    connection.sendall(words)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
