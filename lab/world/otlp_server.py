# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive traces by OTLP over HTTP, in protocol buffers, and keep each span. Runs with the Python that has them."""

from __future__ import annotations

import sys
import typing as t
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from world.json_lines import JsonLines
from world.stand_in_http import Reply, Request, read_layout, serve, text

KIND = "application/x-protobuf"
STATUS = ("UNSET", "OK", "ERROR")


def spans_of(body: bytes) -> list[dict[str, t.Any]]:
    """Give the spans; times in seconds since the epoch, a root's parent is "".

    Raises: DecodeError for what is no export of traces.
    """
    export = ExportTraceServiceRequest()
    export.ParseFromString(body)
    return [
        _span(span) | {"resource": _plain_map(group.resource.attributes), "scope": scoped.scope.name}
        for group in export.resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    ]


def _span(span: t.Any) -> dict[str, t.Any]:
    return {
        "name": span.name,
        "start": span.start_time_unix_nano / 1e9,
        "end": span.end_time_unix_nano / 1e9,
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "attributes": _plain_map(span.attributes),
        "status": {"code": STATUS[span.status.code], "message": span.status.message},
        "events": [{"name": event.name, "attributes": _plain_map(event.attributes)} for event in span.events],
    }


def _plain_map(pairs: t.Iterable[t.Any]) -> dict[str, t.Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: t.Any) -> t.Any:
    """Give an attribute's value as JSON has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _plain_map(value.kvlist_value.values)
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind else None


def main() -> None:
    """Serve until killed."""
    layout = read_layout()
    log = JsonLines(Path(layout["paths"]["log"]) / "otlp.jsonl")
    accepted = ExportTraceServiceResponse().SerializeToString()

    def answer(asked: Request) -> Reply:
        if (asked.method, asked.path) != ("POST", "/v1/traces"):
            return text(HTTPStatus.NOT_FOUND, "404 page not found")
        if asked.kind != KIND:
            return text(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"only {KIND} is understood here")
        try:
            spans = spans_of(asked.body)
        except DecodeError:
            return text(HTTPStatus.BAD_REQUEST, "that is no export of traces")
        log.write(*spans)
        return Reply(HTTPStatus.OK, accepted, kind=KIND)

    serve(layout, "otlp", answer)


if __name__ == "__main__":
    main()
