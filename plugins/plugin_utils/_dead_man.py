# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Tell a dead man's switch that a run begins, is well or has failed; it raises the alarm when it hears nothing."""

from __future__ import annotations

import uuid
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_request import Limits, Request, send
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

LONGEST_S = 5.0
MOST_LINES = 40
LINE_LIMIT = 200
RETRIES = 1
# Appended to the URL; success has no word of its own.
ENDINGS = {"start": "/start", "ok": "", "fail": "/fail"}
# Makes run ids into the UUIDs that the service wants, the same one for start and end.
_NAMESPACE = uuid.UUID("5ad2c1f3-6c35-4c0f-9e3b-0f6d9a9a7c11")
# The host's name may be a secret too, as a part of the URL.
_NAME = "The dead man's switch"


def ping(settings: ReportSettings, event: str, run: str, body: str) -> str:
    """Tell the switch of "start", "ok" or "fail"; gives the problem in one sentence that does not hold the URL, "" when
    it listened or there is none.

    Takes at most 5 seconds, and no more than the senders' timeout. `body` is shown by the service: at most 40 lines of
    it are sent. A run without an id is told of without one.

    Source: https://healthchecks.io/docs/http_api/
    """
    if not settings.ping_url:
        return ""
    address = Address.of(settings.ping_url)
    if address is None:
        return f"{_NAME} was not told: managed_tokens_ping_url is no http or https URL."
    limits = Limits(min(LONGEST_S, settings.send_timeout), RETRIES)
    target = replace(address, path=_path(address.path, event, run))
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    # What it answers is not quoted: an error page may hold the path that was asked for.
    return send(Request(target, _body(body), headers, quoted=lambda _answer: ""), limits, name=_NAME).problem


def _path(base: str, event: str, run: str) -> str:
    path, _mark, query = base.partition("?")
    path = path.rstrip("/") + ENDINGS[event] or "/"
    parts = [part for part in (query, f"rid={uuid.uuid5(_NAMESPACE, run)}" if run else "") if part]
    return "?".join(part for part in (path, "&".join(parts)) if part)


def _body(body: str) -> bytes:
    # Cut before it is split: a megabyte without an end of line is one line.
    lines = body[: 4 * MOST_LINES * LINE_LIMIT].splitlines()[:MOST_LINES]
    return "\n".join(one_line(line, LINE_LIMIT) for line in lines).encode("utf-8", "replace")
