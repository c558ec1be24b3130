# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Send a run as one trace over OTLP/HTTP: a span for the run, one for each stage, one for each outcome."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import replace
from urllib.parse import unquote

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _run_spans as run_spans
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_request import Limits, Request
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_request import send as send_request
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

PACKAGES = "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http"
TRACES_PATH = "/v1/traces"
ENDPOINT, HEADERS, CERTIFICATE = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
)
# Receivers take at most some megabytes at once; 2,000 spans are about 1 MB.
MOST_SPANS = 2000


def send(collected: Collected, settings: ReportSettings) -> str:
    """Send the trace; gives the problem in one sentence without secrets, "" when it was taken or no endpoint is set.

    Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
    """
    url = settings.otlp_endpoint or os.environ.get(ENDPOINT, "")
    if not url:
        return ""
    address = Address.of(url)
    if address is None:
        where = "managed_tokens_otlp_endpoint" if settings.otlp_endpoint else ENDPOINT
        return f"Traces were not sent: {where} is no http or https URL."
    # As the specification says: what the variable names is a base to which the path is always added.
    target = replace(address, path=_path(address.path, always=not settings.otlp_endpoint))
    try:
        batches = run_spans.requests_of(collected, settings.environment, os.environ, MOST_SPANS)
    except ImportError:
        return f"Traces were not sent: the Python packages {PACKAGES} are not installed beside ansible-core."
    return _send(batches, target, settings)


def _send(batches: t.Sequence[bytes], target: Address, settings: ReportSettings) -> str:
    """Send all within one time limit; the first problem ends it."""
    name = f"The receiver of traces at {target.place}"
    headers = {**_headers(os.environ.get(HEADERS, "")), "Content-Type": "application/x-protobuf"}
    until = time.monotonic() + settings.send_timeout
    for batch in batches:
        if until <= time.monotonic():
            return f"{name} did not take everything within {settings.send_timeout:.3g} s."
        limits = Limits(settings.send_timeout, settings.send_retries, until)
        request = Request(target, batch, headers, ca=os.environ.get(CERTIFICATE, ""))
        reply = send_request(request, limits, name=name)
        if reply.problem:
            return reply.problem
        rejected, words = run_spans.rejection(reply.body)
        if rejected:
            return f"{name} rejected {rejected} spans{f' ({one_line(words, 200)})' if words else ''}."
    return ""


def _path(base: str, *, always: bool) -> str:
    path, mark, query = base.partition("?")
    path = path.rstrip("/")
    if path.endswith(TRACES_PATH) or (path and not always):
        return path + mark + query
    return path + TRACES_PATH + mark + query


def _headers(text: str) -> dict[str, str]:
    """Read C(name=value,name=value), percent-encoded; what is none of it is left out."""
    pairs = [item.partition("=") for item in text.split(",") if "=" in item]
    return {unquote(name.strip()): unquote(value.strip()) for name, _equals, value in pairs if name.strip()}
