# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Send a message for administrators to their Slack webhook."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_post import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import SLACK, Delivery, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._slack_posts import posts_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._time_limit import within

PAUSE_S = 0.3
MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
# Slack's own errors are such words; anything else that a server says might quote the URL.
_ERROR_WORD = re.compile(rb"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one attempt: `problem` ends a sentence that begins with "Slack", "" when it was accepted.

    `pause` is how many seconds the server wants to be left alone, None when it did not say.
    """

    problem: str = ""
    may_pass: bool = False
    pause: float | None = None


def send(message: Message, collected: Collected, settings: ReportSettings) -> Delivery | None:
    """Post the message, in several posts where it is long; None when there is no webhook or it is not for Slack.

    Never raises. It is accepted when every post was; nothing of the webhook's URL is in a problem.
    """
    webhook = (settings.test_slack_webhook if settings.test else settings.slack_webhook).strip()
    if not webhook or not message.is_for(SLACK):
        return None
    started, mark = time.time(), time.monotonic()
    until = mark + settings.send_timeout
    try:
        problem = within(settings.send_timeout, lambda: _posted(webhook, message, collected, settings, until))
    except Exception as err:  # noqa: BLE001 - one sender must not take away the others
        problem = f"got nothing: the message could not be written ({type(err).__name__}; please report this)"
    if problem is None:
        problem = _silence(settings)
    return Delivery(
        SLACK,
        message.experiment,
        tuple(notice.key for notice in message.notices),
        started,
        time.monotonic() - mark,
        one_line(f"Slack {problem}.", 300) if problem else "",
    )


def _posted(webhook: str, message: Message, collected: Collected, settings: ReportSettings, until: float) -> str:
    """Post it; give the end of a sentence that says what was wrong, "" when all was accepted."""
    name = "managed_tokens_test_slack_webhook" if settings.test else "managed_tokens_slack_webhook"
    address = Address.of(webhook)
    if address is None:
        return f"got nothing: {name} is no http or https URL"
    context = ssl.create_default_context() if address.is_tls else None
    posts = posts_of(message, collected, settings)
    for number, post in enumerate(posts, start=1):
        body = json.dumps(post).encode("ascii")
        answer = _attempts(address, context, body, settings, until)
        if answer.problem:
            return answer.problem + (f" (part {number} of {len(posts)})" if number > 1 else "")
    return ""


def _attempts(
    address: Address, context: ssl.SSLContext | None, body: bytes, settings: ReportSettings, until: float
) -> _Answer:
    answer = _Answer(_silence(settings))
    for attempt in range(settings.send_retries + 1):
        if attempt:
            pause = PAUSE_S * attempt if answer.pause is None else answer.pause
            if time.monotonic() + pause >= until:
                return answer
            time.sleep(pause)
        if time.monotonic() >= until:
            return answer
        try:
            answer = _once(address, context, body, until)
        except (OSError, http.client.HTTPException, ValueError) as err:
            answer = _meaning(err, settings)
        if not answer.may_pass:
            return answer
    return answer


def _once(address: Address, context: ssl.SSLContext | None, body: bytes, until: float) -> _Answer:
    left = max(0.001, until - time.monotonic())
    # No proxy, redirect, cookie or .netrc takes part.
    connection = (
        http.client.HTTPConnection(address.host, address.port, timeout=left)
        if context is None
        else http.client.HTTPSConnection(address.host, address.port, timeout=left, context=context)
    )
    headers = {"Content-Type": "application/json", "User-Agent": "managed-tokens", "Connection": "close"}
    if address.authorization:
        headers["Authorization"] = address.authorization
    try:
        connection.request("POST", address.path or "/", body, headers)
        response = connection.getresponse()
        said = response.read(200)
        # Slack knows no other success.
        if response.status == 200:
            return _Answer()
        word = said.strip()
        quoted = word.decode() if _ERROR_WORD.fullmatch(word) and word.decode() not in address.path else ""
        return _Answer(
            f"answered with HTTP {response.status}{f' ({quoted})' if quoted else ''}",
            response.status in MAY_PASS,
            _pause(response.headers.get("Retry-After", "")),
        )
    finally:
        connection.close()


def _pause(retry_after: str) -> float | None:
    """Read the header: seconds; None for none, and for a date, which Slack does not send."""
    value = retry_after.strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _meaning(error: Exception, settings: ReportSettings) -> _Answer:
    # Never with the error's own words: those of http.client quote the URL.
    if isinstance(error, ssl.SSLCertVerificationError):
        return _Answer(f"has a certificate that is not verified: {one_line(error.verify_message, 100).rstrip('.')}")
    if isinstance(error, TimeoutError):
        return _Answer(_silence(settings), may_pass=True)
    if isinstance(error, http.client.InvalidURL):
        return _Answer("got nothing: the webhook's URL holds spaces or control characters")
    if isinstance(error, ssl.SSLError):
        return _Answer("and this machine do not agree on TLS", may_pass=True)
    if isinstance(error, ConnectionRefusedError):
        return _Answer("cannot be reached: Connection refused", may_pass=True)
    if isinstance(error, ConnectionError):
        return _Answer("closed the connection without an answer", may_pass=True)
    if isinstance(error, http.client.HTTPException):
        return _Answer("answered with something that is no HTTP", may_pass=True)
    if isinstance(error, OSError):
        return _Answer(f"cannot be reached: {one_line(error.strerror or type(error).__name__, 100)}", may_pass=True)
    return _Answer("got nothing: the webhook's URL holds what HTTP cannot carry")


def _silence(settings: ReportSettings) -> str:
    return f"did not answer within {settings.send_timeout:.3g} s"
