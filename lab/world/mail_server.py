# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be a mail server that keeps each mail in a file: SMTP with STARTTLS or TLS from the start, with a login or without.

Runs with the Python that has aiosmtpd.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import sys
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from world.layout import MAIL_USER
from world.report_misbehaviour import deceiving, delay_of, listen_to_faults
from world.stand_in_http import read_layout

FAULTS = listen_to_faults()
STARTTLS, TLS, NONE = "starttls", "tls", "none"


class LateSmtp(SMTP):
    """A server whose every answer takes as long as the active faults say, its greeting as well."""

    async def push(self, status: t.AnyStr) -> None:
        # Once for an answer of several lines: all but the last have "-" behind the code.
        if status[3:4] not in ("-", b"-"):
            await asyncio.sleep(delay_of(FAULTS, "smtp"))
        await super().push(status)


class Keeper:
    """Takes every mail, except as the active faults say; the files are numbered in the order of arrival."""

    def __init__(self, directory: Path, how: str, numbers: t.Iterator[int]) -> None:
        self._directory, self._how, self._numbers = directory, how, numbers

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        for fault in FAULTS.active("smtp-refuse"):
            if fault.words in ([], [address]):
                return f"550 5.1.1 <{address}>: Recipient address rejected"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's too
        how = STARTTLS if session.ssl is not None else self._how
        user = MAIL_USER if session.authenticated else ""
        facts = {"From": envelope.mail_from or "", "To": ", ".join(envelope.rcpt_tos), "Tls": how, "User": user}
        head = "".join(f"X-Envelope-{name}: {value}\r\n" for name, value in facts.items())
        number = next(self._numbers)
        temporary = self._directory / f".{number}.new"
        temporary.write_bytes(head.encode() + (envelope.original_content or b""))
        temporary.replace(self._directory / f"{number}.eml")
        return f"250 2.0.0 Ok: kept as {number}"


def numbers_from(directory: Path) -> t.Iterator[int]:
    """Count on from the highest number that a file has."""
    number = max((int(path.stem) for path in directory.glob("*.eml") if path.stem.isdigit()), default=0)
    while True:
        number += 1
        yield number


async def main() -> None:
    """Serve until killed."""
    layout = read_layout()
    mail, directory = layout["mail"], Path(layout["paths"]["mail"])
    password = Path(layout["paths"]["mail_password"]).read_bytes().strip()
    context = deceiving(layout, "mail", FAULTS, "smtp-tls-wrong")
    numbers = numbers_from(directory)

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        is_right = (
            isinstance(data, LoginPassword)
            and data.login == MAIL_USER.encode()
            and hmac.compare_digest(data.password, password)
        )
        return AuthResult(success=is_right, handled=False)

    def speak(how: str) -> t.Callable[[], SMTP]:
        # A login needs TLS: by STARTTLS on the one port, there from the start on the other.
        tls: dict[str, t.Any] = {"tls_context": context} if how == NONE else {"auth_require_tls": False}
        common: dict[str, t.Any] = {"hostname": mail["name"], "enable_SMTPUTF8": True, "authenticator": authenticate}
        return lambda: LateSmtp(Keeper(directory, how, numbers), **common, **tls)

    loop = asyncio.get_running_loop()
    await loop.create_server(speak(TLS), mail["address"], mail["tls_port"], ssl=context)
    await loop.create_server(speak(NONE), mail["address"], mail["port"])
    await asyncio.Event().wait()


if __name__ == "__main__":
    os.umask(0o022)
    asyncio.run(main())
