# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Push a run's lines to Loki, all in one request."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_request import Limits, Request, send
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Delivery
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_lines import Line, lines_of

PUSH_PATH = "/loki/api/v1/push"


def push(collected: Collected, settings: ReportSettings, deliveries: t.Sequence[Delivery] = ()) -> str:
    """Push the lines; gives the problem in one sentence without secrets, "" when Loki took them or there is none.

    One stream for each level. The URL may hold a user and a password, and may end with the path of the interface.

    Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
    """
    if not settings.loki:
        return ""
    address = Address.of(settings.loki)
    if address is None:
        return "Loki got no lines: managed_tokens_loki is no http or https URL."
    path, mark, query = address.path.partition("?")
    path = path.rstrip("/")
    target = replace(address, path=(path if path.endswith(PUSH_PATH) else path + PUSH_PATH) + mark + query)
    body = body_of(
        lines_of(collected, settings, deliveries),
        {
            "app": "managed-tokens",
            "command": text(collected.program),
            "environment": text(settings.environment),
        },
    )
    limits = Limits(settings.send_timeout, settings.send_retries)
    request = Request(target, body, {"Content-Type": "application/json"})
    return send(request, limits, name=f"Loki at {address.place}").problem


def body_of(lines: t.Iterable[Line], labels: t.Mapping[str, str]) -> bytes:
    """Give what Loki takes: the lines by level, with their times in nanoseconds."""
    streams: dict[str, list[list[str]]] = {}
    for line in lines:
        streams.setdefault(line.level, []).append([str(round(line.time * 1000) * 1_000_000), line.text])
    found = [{"stream": dict(labels, level=level), "values": rows} for level, rows in streams.items()]
    return json.dumps({"streams": found}, ensure_ascii=False, separators=(",", ":")).encode()
