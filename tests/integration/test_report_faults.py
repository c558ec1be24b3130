# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that what the report is sent to breaks as told, alone or together, and is well again when mended."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import VENV, Laboratory
from remembered import SOURCES
from report_sinks import ReportSinks

if t.TYPE_CHECKING:
    from collections.abc import Iterator

PROBE = (f"{VENV}/bin/python", "-P", f"{SOURCES}/tests/integration/report_probe.py")
WELL = {
    "mail": "250",
    "mail_tls": "250",
    "slack": "200",
    "pushgateway": "200",
    "otlp": "200",
    "loki": "204",
    "ping": "200",
}
# An answer that is late by LATE comes after a client with SHORT has gone, and one by BIT_LATE in time for one with LONG
# (there are ten answers to a mail).
BIT_LATE, LATE, SHORT, LONG = "0.3", "2", "0.2", "30"


def probe(laboratory: Laboratory, *names: str, timeout: str = LONG) -> list[str]:
    """Give what each server said, or why it said nothing; all are asked at once."""
    found: list[str] = json.loads(laboratory.run(*PROBE, timeout, *names).output)
    return found


@pytest.fixture
def sinks(reporting: Laboratory) -> Iterator[ReportSinks]:
    """Give the other side of the report, empty, and nothing broken there afterwards."""
    found = ReportSinks(reporting)
    found.clear()
    yield found
    reporting.lab("heal")


def arrived(sinks: ReportSinks) -> dict[str, int]:
    return {
        "mails": len(sinks.mails()),
        "slack": len(sinks.slack()),
        "spans": len(sinks.spans()),
        "lines": len(sinks.loki()),
        "pings": len(sinks.pings()),
        "metrics": sinks.pushed().count("\nprobe_metric{"),
    }


BOTH_MAILS = ("mail", "mail_tls")
FAULTS: list[tuple[list[str], tuple[str, ...], str]] = [
    (["smtp-down"], BOTH_MAILS, "refused"),
    (["smtp-refuse"], BOTH_MAILS, "550"),
    (["smtp-refuse", "one@lab.example"], BOTH_MAILS, "250 but one@lab.example"),
    (["smtp-refuse", "three@lab.example"], (), ""),
    (["smtp-tls-wrong"], BOTH_MAILS, "untrusted"),
    (["slack-down"], ("slack",), "refused"),
    (["slack-500"], ("slack",), "500"),
    (["slack-429", "3"], ("slack",), "429 after 3"),
    (["slack-tls-wrong"], ("slack",), "untrusted"),
    (["pushgateway-down"], ("pushgateway",), "refused"),
    (["otlp-down"], ("otlp",), "refused"),
    (["otlp-500"], ("otlp",), "500"),
    (["loki-down"], ("loki",), "refused"),
    (["loki-500"], ("loki",), "500"),
    (["ping-down"], ("ping",), "refused"),
    (["ping-500"], ("ping",), "500"),
    (["ping-tls-wrong"], ("ping",), "untrusted"),
    (["report-down"], tuple(WELL), "refused"),
]


@pytest.mark.parametrize(("words", "broken", "how"), FAULTS, ids=[" ".join(entry[0]) for entry in FAULTS])
def test_what_is_broken_is_broken_alone(
    reporting: Laboratory, words: list[str], broken: tuple[str, ...], how: str
) -> None:
    with reporting.fault(*words):
        assert dict(zip(WELL, probe(reporting), strict=True)) == WELL | dict.fromkeys(broken, how)


SLOW = {
    "smtp-slow": BOTH_MAILS,
    "slack-slow": ("slack",),
    "pushgateway-slow": ("pushgateway",),
    "otlp-slow": ("otlp",),
    "loki-slow": ("loki",),
    "ping-slow": ("ping",),
}


@pytest.mark.parametrize("fault", SLOW)
def test_what_is_slow_is_slow_alone(reporting: Laboratory, fault: str) -> None:
    others = [name for name in WELL if name not in SLOW[fault]]
    with reporting.fault(fault, LATE):
        assert probe(reporting, *SLOW[fault], timeout=SHORT) == ["timeout"] * len(SLOW[fault])
        assert probe(reporting, *others) == [WELL[name] for name in others]


def test_all_at_once_slow_is_too_late_or_a_bit_late(sinks: ReportSinks) -> None:
    with sinks.laboratory.fault("report-slow", LATE):
        assert probe(sinks.laboratory, timeout=SHORT) == ["timeout"] * len(WELL)
    # This takes longer than the answers that nobody waits for any more.
    with sinks.laboratory.fault("report-slow", BIT_LATE):
        assert probe(sinks.laboratory) == list(WELL.values())
    # Who went away before the answer has sent nothing.
    assert arrived(sinks) == {"mails": 2, "slack": 1, "spans": 1, "lines": 1, "pings": 1, "metrics": 1}


def test_nothing_arrives_at_closed_ports(sinks: ReportSinks) -> None:
    with sinks.laboratory.fault("report-down"):
        assert probe(sinks.laboratory) == ["refused"] * len(WELL)
    assert set(arrived(sinks).values()) == {0}
    assert probe(sinks.laboratory) == list(WELL.values())


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["slack-500", "2"], ["500", "500", "200"]),
        (["slack-429", "0", "1"], ["429 after 0", "200", "200"]),
        (["loki-500", "1"], ["500", "204", "204"]),
    ],
)
def test_a_count_of_requests_is_spoilt_and_no_more(reporting: Laboratory, words: list[str], answers: list[str]) -> None:
    server = words[0].partition("-")[0]
    # Twice: what was mended and is made again counts from the start.
    for _time in range(2):
        with reporting.fault(*words):
            assert sorted(probe(reporting, *[server] * len(answers))) == sorted(answers)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["smtp-slow"], "The fault smtp-slow is used as: fault smtp-slow SECONDS"),
        (["smtp-slow", "long"], "smtp-slow needs a number of seconds, not 'long'."),
        (["smtp-refuse", "admins"], "smtp-refuse needs a mail address, not 'admins'."),
        (["slack-429", "1.5"], "slack-429 needs a whole number of seconds, not '1.5'."),
        (["slack-500", "0"], "slack-500 needs a number of requests from 1 on, not '0'."),
        (["report-slow", "-1"], "report-slow needs a number of seconds, not '-1'."),
    ],
)
def test_mistakes_are_told_in_one_sentence(reporting: Laboratory, words: list[str], sentence: str) -> None:
    done = reporting.lab("fault", "--", *words, check=False)
    assert (done.status, sentence in done.flat) == (2, True)
    assert probe(reporting, "slack") == ["200"]


def test_a_laboratory_without_these_servers_says_so(light: Laboratory) -> None:
    done = light.lab("fault", "report-down", check=False)
    assert done.status == 2
    assert "The report has no servers here; the laboratory would have been started with --report." in done.flat
    assert light.run("ls", "/srv/lab/mail", check=False).status != 0
