# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Send a message for administrators to their Slack webhook."""

from __future__ import annotations

import json
import re
import time

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _bounded_request as bounded
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import SLACK, Delivery, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._slack_posts import posts_of

NAME = "Slack"
# Slack knows no other success.
ACCEPTED = frozenset({200})
# Slack's own errors are such words; anything else that a server says might quote the URL.
_ERROR_WORD = re.compile(rb"[a-z_]{1,60}")


def send(message: Message, collected: Collected, settings: ReportSettings) -> Delivery | None:
    """Post the message, in several posts where it is long; None when there is no webhook or it is not for Slack.

    Never raises. It is accepted when every post was; nothing of the webhook's URL is in a problem.
    """
    webhook = settings.webhook_for(is_trial=message.is_trial).strip()
    if not webhook or not message.is_for(SLACK):
        return None
    started, mark = time.time(), time.monotonic()
    try:
        problem = _posted(webhook, message, collected, settings)
    except Exception as err:  # noqa: BLE001 - one sender must not take away the others
        problem = f"{NAME} got nothing: the message could not be written ({type(err).__name__}; please report this)."
    return Delivery(
        SLACK,
        message.experiment,
        tuple(notice.key for notice in message.notices),
        started,
        time.monotonic() - mark,
        one_line(problem, 300),
    )


def _posted(webhook: str, message: Message, collected: Collected, settings: ReportSettings) -> str:
    """Post it within the senders' timeout; give what was wrong in one sentence, "" when all was accepted."""
    until = time.monotonic() + settings.send_timeout
    address = Address.of(webhook)
    if address is None:
        name = (
            "managed_tokens_test_slack_webhook"
            if webhook == settings.test_slack_webhook.strip()
            else "managed_tokens_slack_webhook"
        )
        return f"{NAME} got nothing: {name} is no http or https URL."
    posts = posts_of(message, collected, settings)
    for number, post in enumerate(posts, start=1):
        if until <= time.monotonic():
            return f"{NAME} did not take everything within {settings.send_timeout:.3g} s."
        request = bounded.Request(
            address,
            json.dumps(post).encode("ascii"),
            {"Content-Type": "application/json"},
            accepted=ACCEPTED,
            quoted=lambda answer: _error_word(answer, address),
        )
        reply = bounded.send(request, bounded.Limits(settings.send_timeout, settings.send_retries, until), name=NAME)
        if reply.problem:
            part = f" (part {number} of {len(posts)})." if number > 1 else "."
            return reply.problem.removesuffix(".") + part
    return ""


def _error_word(answer: bytes, address: Address) -> str:
    word = answer.strip()
    return word.decode() if _ERROR_WORD.fullmatch(word) and word.decode() not in address.path else ""
