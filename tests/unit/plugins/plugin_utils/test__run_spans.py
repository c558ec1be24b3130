# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run becomes one trace: the run, its stages, its outcomes, with the times and errors that they have."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_spans import (
    rejection,
    requests_of,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    BEGAN,
    any_run,
    bad_run,
    collected,
    good_run,
    nasty_run,
    refresh_run,
    refused_run,
)

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ERROR = Status.STATUS_CODE_ERROR


def sent(run: Collected, **variables: str) -> ExportTraceServiceRequest:
    """Give what a receiver reads."""
    # Requests that are put together are one.
    return ExportTraceServiceRequest.FromString(b"".join(requests_of(run, "integration", variables, 4)))


def spans(run: Collected, **variables: str) -> list[Span]:
    """Give the spans of the one scope, the root last."""
    return [
        span for found in sent(run, **variables).resource_spans for scope in found.scope_spans for span in scope.spans
    ]


def attributes(span: Span) -> dict[str, t.Any]:
    """Give a span's attributes as plain values."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value") or "") for item in span.attributes}


def nanoseconds(after: float) -> int:
    return int((BEGAN + after) * 1e9)


def test_spans_of_a_run_are_a_tree_of_run_stages_and_outcomes() -> None:
    *others, root = spans(good_run())
    names = {span.span_id: span.name for span in [*others, root]}
    assert [(names[span.parent_span_id], span.name) for span in others] == [
        ("setup", "set up service"), ("token-push", "setup"),
        ("tickets", "get ticket"), ("token-push", "tickets"),
        ("store", "store token"), ("token-push", "store"),
        ("ping", "ping node"), ("token-push", "ping"),
        ("push", "push token"), ("push", "push token"), ("token-push", "push"),
    ]  # fmt: skip
    assert (root.name, root.parent_span_id, len({span.trace_id for span in [*others, root]})) == ("token-push", b"", 1)
    assert not any(span.status.code == ERROR for span in [*others, root])
    assert attributes(root) == {
        "run": "0123456789ab", "check_mode": False, "hosts": 2, "unreachable": 0, "services": 1, "services_failed": 0,
        "pairs": 2, "pairs_failed": 0,
    }  # fmt: skip


def test_spans_have_the_times_of_the_outcomes() -> None:
    run = good_run()
    found = {span.name: (span.start_time_unix_nano, span.end_time_unix_nano) for span in spans(run)}
    assert found["token-push"] == (nanoseconds(0), nanoseconds(10))
    assert found["push"] == found["push token"] == (nanoseconds(1.5), nanoseconds(1.75))


def test_spans_of_failures_are_errors_with_kind_and_message() -> None:
    found = spans(bad_run(msg="0 of 1 services well."))
    errors = {span.name: span for span in found if span.status.code == ERROR}
    assert {name: span.status.message for name, span in errors.items()} == {
        "ping node": "",
        "push token": "No ssh server answered.",
        "push": "1 of 2 failed",
        "token-push": "0 of 1 services well.",
    }
    assert attributes(errors["push token"]) == {
        "stage": "push", "status": "failed", "service": "dune_production", "node": "n2.lab.example",
        "kind": "node_unreachable",
    }  # fmt: skip


def test_spans_of_a_refresh_name_the_account() -> None:
    found = [attributes(span) for span in spans(refresh_run()) if span.name == "ask for UID"]
    assert [(item["account"], item["status"], item.get("message")) for item in found] == [
        ("dunepro", "changed", "account dunepro has the UID 1."),
        ("novapro", "failed", None),
    ]


def test_spans_of_a_refused_run_are_one_with_the_reason() -> None:
    [root] = spans(refused_run())
    assert (root.status.code, root.status.message) == (ERROR, "No experiment x.")
    assert [event.name for event in root.events] == ["refused"]


def test_spans_of_a_run_that_did_nothing_say_so() -> None:
    [root] = spans(collected([]))
    assert root.status.message == "nothing was done"


def test_spans_belong_to_our_resource() -> None:
    for found in sent(good_run()).resource_spans:
        named = {item.key: item.value.string_value for item in found.resource.attributes}
        assert (named["service.name"], named["deployment.environment"]) == ("managed-tokens", "integration")


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{PARENT}", "\x00" * 9])
def test_spans_without_a_good_parent_begin_a_trace(header: str) -> None:
    root = spans(good_run(), TRACEPARENT=header)[-1]
    assert (root.parent_span_id, root.trace_id.hex() != TRACE) == (b"", True)


def test_spans_with_a_parent_continue_its_trace() -> None:
    found = spans(good_run(), TRACEPARENT=f"00-{TRACE}-{PARENT}-01", TRACESTATE="a=b")
    assert {span.trace_id.hex() for span in found} == {TRACE}
    assert (found[-1].parent_span_id.hex(), found[-1].trace_state) == (PARENT, "a=b")


def test_spans_below_a_parent_that_is_not_sampled_are_none() -> None:
    assert spans(good_run(), TRACEPARENT=f"00-{TRACE}-{PARENT}-00") == []


@pytest.mark.parametrize(("most", "requests"), [(100, 1), (12, 1), (11, 2), (5, 3), (1, 12)])
def test_requests_of_hold_at_most_so_many_spans(most: int, requests: int) -> None:
    assert len(requests_of(good_run(), "x", {}, most)) == requests


def test_spans_of_hostile_texts_are_clean() -> None:
    [encoded] = requests_of(nasty_run(), CANARY, {}, 100)
    assert CANARY.encode() not in encoded
    assert len(encoded) < 20_000


@given(run=any_run())
def test_spans_of_any_run_can_be_read(run: Collected) -> None:
    stages = {outcome.stage for outcome in run.outcomes}
    assert len(stages and spans(run)) >= len(run.outcomes)
    for span in spans(run):
        assert span.end_time_unix_nano >= span.start_time_unix_nano


def test_rejection_reads_what_was_not_taken() -> None:
    answer = ExportTraceServiceResponse()
    assert rejection(answer.SerializeToString()) == (0, "")
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "too old"
    assert rejection(answer.SerializeToString()) == (3, "too old")


def test_rejection_of_something_else_is_none() -> None:
    assert rejection(b"OK, thanks \xff") == (0, "")
