# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces reach the receiver that is named, and say in one sentence when they do not."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_traces import (
    CERTIFICATE,
    ENDPOINT,
    HEADERS,
    send,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    good_run,
    many_failures,
    nasty_run,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import (
    closed_port,
    receiver,
    silent,
)

LOGIN = "user:hunter2"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENDPOINT, HEADERS, CERTIFICATE, "TRACEPARENT", "TRACESTATE"):
        monkeypatch.delenv(name, raising=False)


def spans_in(body: bytes) -> list[Span]:
    """Give the spans of a request."""
    found = ExportTraceServiceRequest.FromString(body).resource_spans
    return [span for item in found for scope in item.scope_spans for span in scope.spans]


def test_send_without_endpoint_needs_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert send(good_run(), ReportSettings()) == ""


@pytest.mark.parametrize(
    "module", ["opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.common.trace_encoder"]
)
def test_send_without_packages_names_them(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert send(good_run(), ReportSettings(otlp_endpoint="http://127.0.0.1:1")) == (
        "Traces were not sent: the Python packages opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http "
        "are not installed beside ansible-core."
    )


PATHS: tuple[tuple[str, str, bool], ...] = (
    ("", "/v1/traces", False),
    ("/", "/v1/traces", False),
    ("/otlp", "/otlp", False),
    ("/v1/traces?x=1", "/v1/traces?x=1", False),
    ("", "/v1/traces", True),
    ("/otlp/", "/otlp/v1/traces", True),
    ("/v1/traces", "/v1/traces", True),
)


@pytest.mark.parametrize(("path", "expected", "is_variable"), PATHS)
def test_send_posts_to_the_path(monkeypatch: pytest.MonkeyPatch, path: str, expected: str, is_variable: bool) -> None:
    monkeypatch.setenv("TRACEPARENT", f"00-{'1' * 32}-{'2' * 16}-01")
    with receiver((200, b"")) as sink:
        if is_variable:
            monkeypatch.setenv(ENDPOINT, sink.url + path)
        assert send(good_run(), ReportSettings(otlp_endpoint="" if is_variable else sink.url + path)) == ""
    [posted] = sink.posted
    assert (posted.path, posted.headers["Content-Type"]) == (expected, "application/x-protobuf")
    assert len(spans_in(posted.body)) == 12
    assert bytes.fromhex("1" * 32) in posted.body


def test_send_the_setting_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "nowhere")
    with receiver((200, b"")) as sink:
        assert send(good_run(), ReportSettings(otlp_endpoint=sink.url)) == ""
    assert len(sink.posted) == 1


def test_send_adds_the_headers_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEADERS, "X-Tenant=a%20b , Authorization=Bearer%20hunter2,nonsense,=x")
    with receiver((401, b"Bearer hunter2 is wrong")) as sink:
        problem = send(good_run(), ReportSettings(otlp_endpoint=sink.url))
    assert problem == f"The receiver of traces at 127.0.0.1 port {sink.port} answered with HTTP 401."
    headers = sink.posted[0].headers
    assert (headers["X-Tenant"], headers["Authorization"]) == ("a b", "Bearer hunter2")


def test_send_with_a_ca_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CERTIFICATE, "/missing.pem")
    problem = send(good_run(), ReportSettings(otlp_endpoint="https://127.0.0.1:1"))
    assert problem.endswith("the CA certificates in /missing.pem cannot be read (No such file or directory).")


@pytest.mark.parametrize("url", ["collector:4318", "grpc://collector", "http://"])
def test_send_to_no_url_says_which_setting(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert send(good_run(), ReportSettings(otlp_endpoint=url)) == (
        "Traces were not sent: managed_tokens_otlp_endpoint is no http or https URL."
    )
    monkeypatch.setenv(ENDPOINT, url)
    assert send(good_run(), ReportSettings()) == (
        "Traces were not sent: OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL."
    )


def test_send_to_nobody_or_the_silent_is_one_sentence() -> None:
    port = closed_port()
    assert send(good_run(), ReportSettings(otlp_endpoint=f"http://{LOGIN}@127.0.0.1:{port}")) == (
        f"The receiver of traces at 127.0.0.1 port {port} cannot be reached: Connection refused."
    )
    with silent() as url:
        problem = send(good_run(), ReportSettings(otlp_endpoint=url, send_timeout=0.2))
    assert problem.endswith(" did not answer within 0.2 s.")


def test_send_many_outcomes_goes_in_batches() -> None:
    with receiver((200, b"")) as sink:
        assert send(many_failures(10_000), ReportSettings(otlp_endpoint=sink.url)) == ""
    assert [len(spans_in(item.body)) for item in sink.posted] == [*[2000] * 5, 2]
    ids = {span.trace_id for item in sink.posted for span in spans_in(item.body)}
    assert len(ids) == 1


def test_send_ends_with_the_first_problem() -> None:
    with receiver((400, b"")) as sink:
        assert send(many_failures(6000), ReportSettings(otlp_endpoint=sink.url)).endswith(" answered with HTTP 400.")
    assert len(sink.posted) == 1


def test_send_tells_what_the_receiver_rejected() -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 2
    answer.partial_success.error_message = "too\nold"
    with receiver((200, answer.SerializeToString())) as sink:
        problem = send(nasty_run(), ReportSettings(otlp_endpoint=sink.url))
    assert problem == f"The receiver of traces at 127.0.0.1 port {sink.port} rejected 2 spans (too old)."


def test_send_leaves_the_global_provider_alone() -> None:
    from opentelemetry import trace

    before = trace.get_tracer_provider()
    with receiver((200, b"")) as sink:
        send(good_run(), ReportSettings(otlp_endpoint=sink.url))
    assert trace.get_tracer_provider() is before
