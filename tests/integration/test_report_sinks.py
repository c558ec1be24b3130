# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove with plain clients that the laboratory takes what the report sends, keeps it, and refuses what others would."""

from __future__ import annotations

import gzip
import json
import time
import typing as t

import pytest
from laboratory import VENV, Laboratory
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from report_sinks import ReportSinks

if t.TYPE_CHECKING:
    pass

PYTHON = f"{VENV}/bin/python"
SECRETS = ("mail.password", "slack.url", "ping.url")
SEND = """
import json, smtplib, ssl, sys
how, login, password, text = sys.argv[1:]
context = ssl.create_default_context(cafile="/srv/lab/pki/ca.pem")
host = "mail.lab.example"
with smtplib.SMTP_SSL(host, 465, context=context) if how == "tls" else smtplib.SMTP(host, 25) as client:
    if how == "starttls":
        client.starttls(context=context)
    try:
        if login:
            client.login(login, password or open("/srv/lab/mail.password").read().strip())
        refused = client.sendmail("from@lab.example", ["one@lab.example", "two@lab.example"], text.encode())
        print(json.dumps({"refused": sorted(refused), "offers": sorted(client.esmtp_features)}))
    except smtplib.SMTPException as err:
        print(json.dumps({"error": type(err).__name__, "code": getattr(err, "smtp_code", 0)}))
"""
POST = """
import json, sys, requests
address, bodies = sys.argv[1], json.loads(sys.argv[2])
with requests.Session() as session:
    session.verify, session.headers["Content-Type"] = "/srv/lab/pki/ca.pem", "application/json"
    answers = [session.post(address, data=body, timeout=20) for body in bodies]
    print(json.dumps([[answer.status_code, answer.text] for answer in answers]))
"""
CURL = ("curl", "--silent", "--show-error", "--cacert", "/srv/lab/pki/ca.pem", "--write-out", "\n%{http_code}")


def post(laboratory: Laboratory, address: str, body: str | bytes, kind: str, *options: str) -> tuple[int, str]:
    """Give status and text of the answer; a body of bytes goes by a file, as words cannot hold it."""
    if isinstance(body, bytes):
        script = "import sys; open(sys.argv[1], 'wb').write(bytes.fromhex(sys.argv[2]))"
        laboratory.run("/usr/bin/python3", "-c", script, "/tmp/report-body", body.hex())
        body = "@/tmp/report-body"
    done = laboratory.run(*CURL, "--header", f"Content-Type: {kind}", "--data-binary", body, *options, address)
    words, _newline, status = done.output.rpartition("\n")
    return int(status), words


def post_all(laboratory: Laboratory, address: str, *bodies: object) -> list[list[object]]:
    """Give status and text of each answer, to bodies of JSON that are sent over one connection."""
    texts = json.dumps([body if isinstance(body, str) else json.dumps(body) for body in bodies])
    answers: list[list[object]] = json.loads(laboratory.run(PYTHON, "-c", POST, address, texts).output)
    return answers


@pytest.fixture
def sinks(reporting: Laboratory) -> ReportSinks:
    """Give the other side of the report, empty."""
    found = ReportSinks(reporting)
    found.clear()
    return found


def content(laboratory: Laboratory, file: str) -> str:
    return laboratory.run("cat", f"/srv/lab/{file}").output.strip()


def test_its_parts_are_listed_and_its_secrets_are_kept(reporting: Laboratory) -> None:
    listed = {line.split()[0]: line for line in reporting.lab("status").output.splitlines()}
    parts = ("mail", "slack", "pushgateway", "prometheus", "otlp", "loki", "ping")
    assert {part: " up    1 of 1 " in listed.get(part, "") for part in parts} == dict.fromkeys(parts, True)
    layout = json.dumps(reporting.layout)
    for file in SECRETS:
        assert content(reporting, file).rpartition("/")[2] not in layout
        assert reporting.run("cat", f"/srv/lab/{file}", user="dunepro", check=False).status != 0


def test_every_way_of_sending_mail(sinks: ReportSinks) -> None:
    ways = [("none", ""), ("starttls", ""), ("starttls", "reporter"), ("tls", ""), ("tls", "reporter")]
    for number, (how, login) in enumerate(ways):
        text = f"Subject: mail {number}\r\n\r\n.dot and \u00fcml\u00e4uts\r\n"
        done = sinks.laboratory.run(PYTHON, "-c", SEND, how, login, "", text)
        assert json.loads(done.output)["refused"] == []
        assert ("auth" in json.loads(done.output)["offers"]) == (how != "none")
    mails = sinks.mails()
    assert [(mail["X-Envelope-Tls"], mail["X-Envelope-User"]) for mail in mails] == ways
    assert [mail["Subject"] for mail in mails] == [f"mail {number}" for number in range(len(ways))]
    assert {mail["X-Envelope-To"] for mail in mails} == {"one@lab.example, two@lab.example"}
    assert all(raw.endswith("\r\n\r\n.dot and \u00fcml\u00e4uts\r\n".encode()) for raw in sinks.raw_mails())


@pytest.mark.parametrize(
    ("how", "login", "password", "error"),
    [
        ("starttls", "reporter", "wrong", {"error": "SMTPAuthenticationError", "code": 535}),
        ("tls", "somebody", "", {"error": "SMTPAuthenticationError", "code": 535}),
        ("none", "reporter", "", {"error": "SMTPNotSupportedError", "code": 0}),
    ],
)
def test_a_login_that_is_not_accepted(
    sinks: ReportSinks, how: str, login: str, password: str, error: dict[str, object]
) -> None:
    done = sinks.laboratory.run(PYTHON, "-c", SEND, how, login, password, "Subject: no")
    assert json.loads(done.output) == error
    assert sinks.mails() == []


def section(length: int) -> dict[str, t.Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


HEADER = {"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}


def test_slack_takes_what_is_within_its_limits(sinks: ReportSinks) -> None:
    slack = content(sinks.laboratory, "slack.url")
    messages: list[dict[str, t.Any]] = [
        {"text": "x" * 40000},
        {"text": "t", "blocks": [HEADER, {"type": "divider"}, *[section(1)] * 48]},
        {"blocks": [section(3000), {"type": "section", "fields": [section(2000)["text"]] * 10}]},
    ]
    assert post_all(sinks.laboratory, slack, *messages) == [[200, "ok"]] * 3
    assert sinks.slack() == messages


NO_MESSAGES: list[tuple[object, str]] = [
    ("{", "invalid_payload"),
    ([], "invalid_payload"),
    ({"text": 1}, "invalid_payload"),
    ({"text": "x" * 40001}, "invalid_payload"),
    ({}, "no_text"),
    ({"blocks": [section(1)] * 51}, "invalid_blocks"),
    ({"blocks": [section(3001)]}, "invalid_blocks"),
    ({"blocks": [section(0)]}, "invalid_blocks"),
    ({"blocks": [HEADER | {"text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
    ({"blocks": [HEADER | {"text": section(1)["text"]}]}, "invalid_blocks"),
    ({"blocks": [{"type": "context", "elements": [section(1)["text"]] * 11}]}, "invalid_blocks"),
    ({"blocks": [{"type": "blink"}]}, "invalid_blocks"),
    ({"blocks": [{**section(1), "block_id": "same"}] * 2}, "invalid_blocks"),
]


def test_slack_refuses_what_is_not(sinks: ReportSinks) -> None:
    slack = content(sinks.laboratory, "slack.url")
    answers = post_all(sinks.laboratory, slack, *(message for message, _answer in NO_MESSAGES))
    assert answers == [[400, answer] for _message, answer in NO_MESSAGES]
    assert sinks.slack() == []


def test_only_the_right_address_of_the_webhook_counts(sinks: ReportSinks) -> None:
    slack = content(sinks.laboratory, "slack.url")
    assert post_all(sinks.laboratory, f"{slack}x", {"text": "t"}) == [[404, "no_service"]]
    assert post(sinks.laboratory, slack, "payload={}", "application/x-www-form-urlencoded")[0] == 400
    assert sinks.slack() == []


def test_a_metric_comes_back_through_prometheus_with_its_own_labels(sinks: ReportSinks) -> None:
    mark = str(time.time_ns())
    script = (
        "import sys; from prometheus_client import CollectorRegistry, Gauge, push_to_gateway as push\n"
        "registry = CollectorRegistry(); Gauge('lab_mark', 'x', ['instance'], registry=registry).labels('own').set(7)\n"
        "push('http://pushgateway.lab.example:9091', job='lab', grouping_key={'mark': sys.argv[1]}, registry=registry)"
    )
    sinks.laboratory.run(PYTHON, "-c", script, mark)
    assert f'lab_mark{{instance="own",job="lab",mark="{mark}"}} 7' in sinks.pushed()
    question = f'lab_mark{{mark="{mark}"}}'
    sinks.laboratory.wait_until(lambda: bool(sinks.query(question)), "Prometheus has read the metric", 15)
    assert sinks.query(question) == [({"__name__": "lab_mark", "job": "lab", "instance": "own", "mark": mark}, 7.0)]
    sinks.clear()
    assert mark not in sinks.pushed()


def traces() -> bytes:
    export = ExportTraceServiceRequest()
    group = export.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "lab"
    spans = group.scope_spans.add().spans
    run = spans.add(name="run", trace_id=b"t" * 16, span_id=b"r" * 8)
    run.start_time_unix_nano, run.end_time_unix_nano = 1_500_000_000, 2_000_000_000
    push = spans.add(name="push", trace_id=b"t" * 16, span_id=b"p" * 8, parent_span_id=b"r" * 8)
    push.attributes.add(key="pairs").value.int_value = 3
    push.status.code, push.status.message = Status.STATUS_CODE_ERROR, "refused"
    return bytes(export.SerializeToString())


@pytest.mark.parametrize("is_packed", [False, True])
def test_spans_are_decoded(sinks: ReportSinks, is_packed: bool) -> None:
    address, kind = "http://otlp.lab.example:4318/v1/traces", "application/x-protobuf"
    sent = (gzip.compress(traces()), kind, "--header", "Content-Encoding: gzip") if is_packed else (traces(), kind)
    assert post(sinks.laboratory, address, *sent)[0] == 200
    run, push = sinks.spans()
    assert (run["name"], run["start"], run["end"], run["parent"]) == ("run", 1.5, 2.0, "")
    assert (run["trace"], run["span"], run["resource"]) == (push["trace"], push["parent"], {"service.name": "lab"})
    assert (push["attributes"], push["status"]) == ({"pairs": 3}, {"code": "ERROR", "message": "refused"})
    assert post(sinks.laboratory, address, traces()[:-1], kind)[0] == 400
    assert post(sinks.laboratory, address, "{}", "application/json")[0] == 415


def batch(*values: object, **labels: object) -> dict[str, object]:
    return {"streams": [{"stream": labels or {"job": "lab"}, "values": list(values)}]}


def test_lines_are_taken_by_loki(sinks: ReportSinks) -> None:
    now = str(time.time_ns())
    address = "http://loki.lab.example:3100/loki/api/v1/push"
    no_batches: list[tuple[object, str]] = [
        ("{", "Expecting property name"),
        ({}, "there is no list of streams"),
        ({"streams": [{"stream": {}, "values": [[now, "x"]]}]}, "at least one label pair is required"),
        (batch([now, "x"], **{"not-a-name": "x"}), "the label 'not-a-name' cannot be"),
        (batch([now, "x"], job=1), "the label 'job' cannot be"),
        (batch([now, "x"], **{f"label{number}": "x" for number in range(16)}), "16 label names"),
        (batch([int(now), "x"]), "not a time and a line, both as texts"),
        (batch([now]), "not a time and a line, both as texts"),
        (batch(["1.5", "x"]), "no number of nanoseconds"),
        (batch(["0", "x"]), "too far behind or ahead"),
        (batch([now, "one"], [now, "two", {"id": 3}]), "metadata"),
    ]
    right = batch([now, "one"], [now, "two", {"id": "3"}])
    first, *others = post_all(sinks.laboratory, address, right, *(wrong for wrong, _reason in no_batches))
    assert first == [204, ""]
    assert [status for status, _text in others] == [400] * len(no_batches)
    for (_status, text), (_wrong, reason) in zip(others, no_batches, strict=True):
        assert reason in str(text)
    facts = {"labels": {"job": "lab"}, "time": now}
    assert sinks.loki() == [{**facts, "line": "one", "metadata": {}}, {**facts, "line": "two", "metadata": {"id": "3"}}]


def test_pings_of_every_sort(sinks: ReportSinks) -> None:
    ping = content(sinks.laboratory, "ping.url")
    statuses = {"": 200, "/start": 200, "/fail": 200, "/0": 200, "/255": 200, "/256": 400, "/stop": 404, "x": 404}
    answers = [post(sinks.laboratory, ping + end, "words", "text/plain")[0] for end in statuses]
    assert dict(zip(statuses, answers, strict=True)) == statuses
    assert sinks.laboratory.run(*CURL, "--head", ping).output.endswith("\n200")
    kept = [(entry["method"], entry["signal"], entry["body"]) for entry in sinks.pings()]
    assert kept == [*(("POST", signal, "words") for signal in ("", "start", "fail", "0", "255")), ("HEAD", "", "")]
