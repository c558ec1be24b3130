# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Send something over HTTP or HTTPS within a time that holds for everything: name service, TLS, retries, answer.

No proxy, redirect, cookie or .netrc takes part, certificates are always verified, and no problem holds the URL, its
password, or a header.
"""

from __future__ import annotations

import os
import ssl
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._system_ca import system_ca
from ansible_collections.fife.managed_tokens.plugins.module_utils._time_limit import within
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address

if t.TYPE_CHECKING:
    import requests
    from urllib3.exceptions import HTTPError

ANSWER_LIMIT = 64 * 1024
WORDS_LIMIT = 200
MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
PAUSE_S = 0.3
HEADERS = {"User-Agent": "managed-tokens", "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of it; `problem` is one sentence without secrets, "" when it was accepted.

    `pause` is how many seconds the server wants to be left alone, None when it did not say.
    """

    problem: str = ""
    body: bytes = b""
    may_pass: bool = False
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long everything may take, in seconds, and how many further attempts are made after what can pass.

    `until` is when that time ends, by the monotonic clock, for one request of several that share it.
    """

    timeout: float
    retries: int = 0
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and how its answer is read.

    `ca` is a file or directory that replaces the system's CAs. `accepted` are the statuses that count as success.
    `quoted` gives those words of a refusal that may be shown, None for what this file itself thinks may be.
    """

    address: Address
    body: bytes
    headers: t.Mapping[str, str]
    method: str = "POST"
    ca: str = ""
    accepted: t.Container[int] = range(200, 300)
    quoted: t.Callable[[bytes], str] | None = None

    def sent_headers(self) -> dict[str, str]:
        """Give all headers, with the address's login unless there is another."""
        login = {"Authorization": self.address.authorization} if self.address.authorization else {}
        return {**HEADERS, **login, **self.headers}

    def words(self, answer: bytes) -> str:
        """Give the server's own words; what we sent in headers is never among them."""
        if self.quoted is not None:
            return self.quoted(answer)
        words = one_line(answer[:4096].decode("utf-8", "replace"), WORDS_LIMIT).rstrip(".")
        secrets = {part for value in self.sent_headers().values() for part in (value, value.rpartition(" ")[2])}
        secrets = (secrets - set(HEADERS.values())) | {self.address.password}
        return "" if any(secret and secret in words for secret in secrets) else words


def send(request: Request, limits: Limits, *, name: str) -> Reply:
    """Send it and give the answer, at most 64 KiB of it; `name` begins every problem.

    Never raises for what a network, a server or a setting can do.
    """
    if request.ca and (reason := _unreadable(request.ca)):
        shown = one_line(request.ca, 200)
        return Reply(f"{name} was not asked: the CA certificates in {shown} cannot be read ({reason}).")
    if not request.address.is_printable:
        return Reply(f"{name} was not asked: its URL holds spaces or other characters that no URL has.")
    until = time.monotonic() + limits.timeout if limits.until is None else limits.until
    reply = within(until - time.monotonic(), lambda: _attempts(request, limits, until)) or Reply(_silence(limits))
    return replace(reply, problem=f"{name} {reply.problem}" if reply.problem else "")


def _attempts(request: Request, limits: Limits, until: float) -> Reply:
    import requests
    from urllib3.exceptions import HTTPError

    reply = Reply(_silence(limits), may_pass=True)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = request.ca or system_ca() or True
        # Even without following it, a session would read the body of a redirect, whatever its size.
        session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        for attempt in range(max(0, limits.retries) + 1):
            if attempt:
                pause = PAUSE_S * attempt if reply.pause is None else reply.pause
                if time.monotonic() + pause >= until:
                    return reply
                time.sleep(pause)
            left = until - time.monotonic()
            if left <= 0:
                return reply
            try:
                reply = _once(session, request, left)
            except (OSError, ValueError, HTTPError) as err:
                reply = _meaning(err, limits)
            if not reply.may_pass:
                return reply
    return reply


def _once(session: requests.Session, request: Request, left: float) -> Reply:
    with session.request(
        request.method,
        request.address.url,
        data=request.body,
        headers=request.sent_headers(),
        timeout=left,
        stream=True,
        allow_redirects=False,
    ) as response:
        answer = _answer(response)
        if response.status_code in request.accepted:
            return Reply("", answer)
        words = request.words(answer)
        return Reply(
            f"answered with HTTP {response.status_code}{f' ({words})' if words else ''}.",
            may_pass=response.status_code in MAY_PASS,
            pause=_pause(response.headers.get("Retry-After", "")),
        )


def _answer(response: requests.Response) -> bytes:
    from urllib3.exceptions import HTTPError

    try:
        return bytes(response.raw.read(ANSWER_LIMIT, decode_content=False))
    except (OSError, HTTPError):
        # The status has said whether it was taken; sent again for a broken body, people would be told twice.
        return b""


def _pause(retry_after: str) -> float | None:
    """Read the header: seconds; None for none, and for a date."""
    value = retry_after.strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _unreadable(ca: str) -> str:
    if os.path.isdir(ca):
        return ""
    try:
        ssl.create_default_context(cafile=ca)
    except OSError as err:
        return one_line(err.strerror or "not PEM", 100)
    return ""


def _meaning(error: OSError | ValueError | HTTPError, limits: Limits) -> Reply:
    # Never with the words of requests: they quote the URL, with its password, and headers.
    import requests
    from urllib3.exceptions import InvalidHeader, ReadTimeoutError

    cause = _beneath(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Reply(f"has a certificate that is not verified: {one_line(cause.verify_message, 100).rstrip('.')}.")
    if isinstance(error, requests.Timeout | ReadTimeoutError) or isinstance(cause, TimeoutError):
        return Reply(_silence(limits), may_pass=True)
    if isinstance(cause, ssl.SSLError):
        return Reply("and this machine do not agree on TLS.", may_pass=True)
    if isinstance(cause, ConnectionError) and not isinstance(cause, ConnectionRefusedError):
        return Reply("closed the connection without an answer.", may_pass=True)
    if cause is not None:
        reason = one_line(cause.strerror or type(cause).__name__, 100)
        return Reply(f"cannot be reached: {reason}.", may_pass=True)
    # That one is about the answer's headers.
    if isinstance(error, ValueError) and not isinstance(error.__context__, InvalidHeader):
        return Reply("was not asked: its URL or headers hold what HTTP cannot carry.")
    return Reply("answered with something that is no HTTP.", may_pass=True)


def _beneath(error: BaseException) -> OSError | None:
    """Give the error of the socket or of TLS that requests has wrapped."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and type(inner).__module__.partition(".")[0] not in ("requests", "urllib3"):
            return inner
        inner = inner.__cause__ or inner.__context__
    return None


def _silence(limits: Limits) -> str:
    return f"did not answer within {limits.timeout:.3g} s."
