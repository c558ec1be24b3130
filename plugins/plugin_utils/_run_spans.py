# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Make a run into the spans of one trace, with the times that its outcomes have; needs the OpenTelemetry SDK."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHECK,
    CREDD_REMOVAL,
    KEPT_REMOVAL,
    LOGIN,
    NODE_REMOVAL,
    PING,
    PUSH,
    REGISTRY,
    SETUP,
    STATE,
    STATE_REMOVAL,
    STORE,
    TICKETS,
    Outcome,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import (
    MESSAGE_LIMIT,
    clean_all,
    number,
    text,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected

if t.TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
    from opentelemetry.trace import Tracer

SERVICE_NAME = "managed-tokens"
# What OTLP can say: nanoseconds in 64 bits.
LAST_SECOND = 18e9
# A few names only: receivers group by them, and what is special stands in the attributes.
NAMES = {
    SETUP: "set up service",
    TICKETS: "get ticket",
    STORE: "store token",
    PING: "ping node",
    PUSH: "push token",
    STATE: "remember run",
    REGISTRY: "ask for UID",
    CHECK: "check what is needed",
    LOGIN: "log in",
    NODE_REMOVAL: "remove from node",
    CREDD_REMOVAL: "remove from credd",
    KEPT_REMOVAL: "remove kept tokens",
    STATE_REMOVAL: "forget service",
}


def requests_of(collected: Collected, environment: str, variables: t.Mapping[str, str], most: int) -> list[bytes]:
    """Give the run's spans as bodies of OTLP/HTTP requests in protobuf, at most about `most` spans in each; none when
    the parent says that it is not sampled.

    `variables` are those of the process: TRACEPARENT and TRACESTATE name the parent, OTEL_RESOURCE_ATTRIBUTES adds to
    the resource.

    Raises: ImportError when the SDK or the exporter is not installed.
    Source: https://www.w3.org/TR/trace-context/
    """
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    resource = Resource.create({"service.name": SERVICE_NAME, "deployment.environment": text(environment)})
    # Of our own, never the global one: other plugins have theirs. Nothing is sent as spans end.
    encoded: list[bytes] = []
    keeper = _keeper(encoded, most)
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(keeper)
    tracer = provider.get_tracer(SERVICE_NAME)
    carrier = {"traceparent": variables.get("TRACEPARENT", ""), "tracestate": variables.get("TRACESTATE", "")}
    parent = TraceContextTextMapPropagator().extract(carrier, Context())

    outcomes = clean_all(collected.outcomes)
    by_stage: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_stage.setdefault(outcome.stage, []).append(outcome)
    root = tracer.start_span(
        text(collected.program), parent, attributes=_of_run(collected), start_time=_nanoseconds(collected.started)
    )
    if root.is_recording():
        below = set_span_in_context(root, Context())
        for stage, found in by_stage.items():
            _stage(tracer, below, stage, found)
        for refusal in collected.refusals:
            fields = {"task": text(refusal.task), "kind": text(refusal.kind)}
            message = text(refusal.message, MESSAGE_LIMIT)
            root.add_event("refused", {**fields, "message": message}, _nanoseconds(collected.ended))
        if not collected.is_well:
            root.set_status(_error(_why(collected)))
        root.end(max(_nanoseconds(collected.ended), _nanoseconds(collected.started)))
    keeper.force_flush()
    return encoded


def rejection(answer: bytes) -> tuple[int, str]:
    """Read a receiver's answer: how many spans it did not take, and its words; 0 for what is no such answer."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
    except DecodeError:
        return 0, ""
    return int(partial.rejected_spans), str(partial.error_message)


def _keeper(encoded: list[bytes], most: int) -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace import SpanProcessor

    class Keeper(SpanProcessor):
        """Encode spans that have ended by the batch: as objects they take ten times the memory."""

        def __init__(self) -> None:
            self._ended: list[ReadableSpan] = []

        def on_end(self, span: ReadableSpan) -> None:
            self._ended.append(span)
            if len(self._ended) >= most:
                self.force_flush()

        def force_flush(self, timeout_millis: int = 0) -> bool:
            if self._ended:
                encoded.append(encode_spans(self._ended).SerializePartialToString())
                self._ended.clear()
            return True

    return Keeper()


def _stage(tracer: Tracer, parent: Context, stage: str, outcomes: t.Sequence[Outcome]) -> None:
    from opentelemetry.context import Context
    from opentelemetry.trace import set_span_in_context

    failures = 0 if stage == PING else sum(outcome.is_failure for outcome in outcomes)
    span = tracer.start_span(
        stage,
        parent,
        attributes={"stage": stage, "outcomes": len(outcomes), "failures": failures},
        start_time=_nanoseconds(min(outcome.started for outcome in outcomes)),
    )
    below = set_span_in_context(span, Context())
    for outcome in outcomes:
        _outcome(tracer, below, outcome)
    if failures:
        span.set_status(_error(f"{failures} of {len(outcomes)} failed"))
    span.end(_nanoseconds(max(outcome.started + outcome.seconds for outcome in outcomes)))


def _outcome(tracer: Tracer, parent: Context, outcome: Outcome) -> None:
    fields = {
        "stage": outcome.stage,
        "status": outcome.status,
        "service": outcome.config_service or outcome.service,
        "node": outcome.node,
        "credd": outcome.credd,
        "account": outcome.account,
        "kind": outcome.kind,
    }
    if not outcome.is_failure:
        fields["message"] = outcome.message
    span: Span = tracer.start_span(  # type: ignore[assignment]
        NAMES.get(outcome.stage, outcome.stage),
        parent,
        attributes={name: value for name, value in fields.items() if value},
        start_time=_nanoseconds(outcome.started),
    )
    if outcome.is_failure:
        span.set_status(_error(outcome.message))
    span.end(_nanoseconds(outcome.started + outcome.seconds))


def _error(message: str) -> t.Any:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR, message)


def _of_run(collected: Collected) -> dict[str, str | int | bool]:
    return {
        "run": text(collected.run),
        "check_mode": bool(collected.check_mode),
        "hosts": len(collected.hosts),
        "unreachable": len(collected.unreachable),
        **collected.summary(),
    }


def _why(collected: Collected) -> str:
    if collected.refusals:
        return text(collected.refusals[0].message, MESSAGE_LIMIT)
    if collected.msg:
        return text(collected.msg, MESSAGE_LIMIT)
    if not collected.outcomes:
        return "nothing was done"
    return f"{len(collected.failures)} failures"


def _nanoseconds(seconds: float) -> int:
    return int(number(seconds, LAST_SECOND) * 1e9)
