# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""POST something over HTTP or HTTPS within a time that holds for everything: name service, TLS, retries, answer.

No proxy, redirect, cookie or .netrc takes part, certificates are always verified with the system's CAs, and no
problem holds the URL, its password, or a header.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ssl
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._time_limit import within

ANSWER_LIMIT = 64 * 1024
WORDS_LIMIT = 200
MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class Address:
    """Where to post; `path` holds the query too, and `authorization` what the URL's user and password make."""

    is_tls: bool
    host: str
    port: int
    path: str = field(repr=False)
    authorization: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Address | None:
        """Read a URL; None when it is none of HTTP or HTTPS with a host."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not host:
            return None
        is_tls = parts.scheme == "https"
        login = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            login = "Basic " + base64.b64encode(pair.encode()).decode()
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return cls(is_tls, host, port or (443 if is_tls else 80), path, login)

    @property
    def place(self) -> str:
        """Give what a problem may say of it."""
        return one_line(f"{self.host} port {self.port}", 120)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of it; `problem` is one sentence without secrets, "" when it was accepted."""

    problem: str = ""
    body: bytes = b""
    may_pass: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How long everything may take, in seconds, and how many further attempts are made after what can pass."""

    timeout: float
    retries: int = 0


def post(
    address: Address,
    body: bytes,
    headers: t.Mapping[str, str],
    limits: Limits,
    *,
    name: str,
    ca: str = "",
    quotes: bool = True,
) -> Reply:
    """Post `body` and give the answer, at most 64 KiB of it; `name` begins every problem.

    What the server says is quoted in the problem unless `quotes` is false. `ca` is a file that replaces the system's
    CAs. Never raises for what a network, a server or a setting can do.
    """
    sent = {"User-Agent": "managed-tokens", "Connection": "close", **headers}
    if address.authorization:
        sent.setdefault("Authorization", address.authorization)
    try:
        context = ssl.create_default_context(cafile=ca or None) if address.is_tls else None
    except OSError as err:
        reason = one_line(err.strerror or "not PEM", 100)
        return Reply(f"{name} was not asked: the CA certificates in {one_line(ca, 200)} cannot be read ({reason}).")
    until = time.monotonic() + limits.timeout

    def work() -> Reply:
        return _attempts(lambda left: _once(address, context, body, sent, left, quotes=quotes), limits, until)

    reply = within(limits.timeout, work) or Reply(_silence(limits))
    return Reply(f"{name} {reply.problem}" if reply.problem else "", reply.body)


def _attempts(once: t.Callable[[float], Reply], limits: Limits, until: float) -> Reply:
    reply = Reply(_silence(limits), may_pass=True)
    for attempt in range(max(0, limits.retries) + 1):
        if attempt:
            time.sleep(PAUSE_S * attempt)
        left = until - time.monotonic()
        if left <= 0:
            return reply
        try:
            reply = once(left)
        except (OSError, http.client.HTTPException, ValueError) as err:
            reply = _meaning(err, limits)
        if not reply.may_pass:
            return reply
    return reply


def _once(
    address: Address,
    context: ssl.SSLContext | None,
    body: bytes,
    headers: t.Mapping[str, str],
    left: float,
    *,
    quotes: bool,
) -> Reply:
    connection = (
        http.client.HTTPConnection(address.host, address.port, timeout=left)
        if context is None
        else http.client.HTTPSConnection(address.host, address.port, timeout=left, context=context)
    )
    try:
        # A server that refuses may answer and close before it has read everything; the answer says why.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", address.path or "/", body, dict(headers))
        response = connection.getresponse()
        answer = response.read(ANSWER_LIMIT)
        if 200 <= response.status < 300:
            return Reply("", answer)
        words = _words(answer, headers) if quotes else ""
        return Reply(f"answered with HTTP {response.status}{words}.", may_pass=response.status in MAY_PASS)
    finally:
        connection.close()


def _words(answer: bytes, headers: t.Mapping[str, str]) -> str:
    """Give the server's own words; what we sent in headers is never among them."""
    words = one_line(answer[:4096].decode("utf-8", "replace"), WORDS_LIMIT)
    echoes = [
        part for value in headers.values() for part in (value, value.rpartition(" ")[2]) if part and part in words
    ]
    return f" ({words.rstrip('.')})" if words and not echoes else ""


def _meaning(error: OSError | http.client.HTTPException | ValueError, limits: Limits) -> Reply:
    # Never with the error's own words: those of http.client quote URLs and headers.
    if isinstance(error, ssl.SSLCertVerificationError):
        return Reply(f"has a certificate that is not verified: {one_line(error.verify_message, 100).rstrip('.')}.")
    if isinstance(error, TimeoutError):
        return Reply(_silence(limits), may_pass=True)
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        if isinstance(error, http.client.InvalidURL):
            return Reply("was not asked: its URL holds spaces or control characters.")
        return Reply("answered with something that is no HTTP.", may_pass=True)
    if isinstance(error, ssl.SSLError):
        return Reply("and this machine do not agree on TLS.", may_pass=True)
    if isinstance(error, OSError):
        if isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError):
            return Reply("closed the connection without an answer.", may_pass=True)
        return Reply(f"cannot be reached: {one_line(error.strerror or type(error).__name__, 100)}.", may_pass=True)
    return Reply("was not asked: its URL or headers hold what HTTP cannot carry.")


def _silence(limits: Limits) -> str:
    return f"did not answer within {limits.timeout:.3g} s."
