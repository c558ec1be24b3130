# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the servers that the report is sent to: closed ports, late or wrong answers, wrong certificates."""

from __future__ import annotations

from world import misbehaviour, network_faults
from world.fault_targets import layout
from world.fault_words import Fault, Pair, count, seconds
from world.misbehaviour import Check
from world.namespaces import WorldError
from world.report_misbehaviour import FAULTS_FILE, REPORT_SLOW

SLACK, OTLP, LOKI, PING = "Slack", "the receiver of traces", "Loki", "the dead man's switch"
NAMES = {"slack": SLACK, "otlp": OTLP, "loki": LOKI, "ping": PING}


def _check_seconds(fault: str) -> Check:
    def check(words: list[str]) -> list[str]:
        seconds(fault, words[0])
        return words

    return check


def _check_count(fault: str) -> Check:
    def check(words: list[str]) -> list[str]:
        for word in words:
            count(fault, word, "requests")
        return words

    return check


def _check_429(words: list[str]) -> list[str]:
    if not words[0].isdecimal() or not words[0].isascii():
        raise WorldError(f"slack-429 needs a whole number of seconds, not {words[0]!r}.")
    for word in words[1:]:
        count("slack-429", word, "requests")
    return words


def _check_address(words: list[str]) -> list[str]:
    if words and "@" not in words[0]:
        raise WorldError(f"smtp-refuse needs a mail address, not {words[0]!r}.")
    return words


def _told(name: str, check: Check = list) -> Pair:
    """Give a fault that servers are told of."""
    return _with_servers(misbehaviour.pair(FAULTS_FILE, name, check))


def _closed(name: str) -> Pair:
    return _with_servers(network_faults.pair(name))


def _led_astray(name: str) -> Pair:
    """Give a fault that servers are told of, and that leads clients of the real Pushgateway to one that is late."""
    tell, untell = misbehaviour.pair(FAULTS_FILE, name, _check_seconds(name))
    lead, lead_back = network_faults.pair(name)

    def make(words: list[str]) -> None:
        tell(words)
        lead(words)

    def mend(words: list[str]) -> None:
        untell(words)
        lead_back(words)

    return _with_servers((make, mend))


def _with_servers(pair: Pair) -> Pair:
    make, mend = pair

    def make_if_there(words: list[str]) -> None:
        if not layout().get("report"):
            raise WorldError("The report has no servers here; the laboratory would have been started with --report.")
        make(words)

    return make_if_there, mend


FAULTS: dict[str, Fault] = {
    "smtp-down": Fault("the mail server's ports are closed", "", *_closed("smtp-down")),
    "smtp-refuse": Fault(
        "the mail server refuses a recipient, or all", "[ADDRESS]", *_told("smtp-refuse", _check_address)
    ),
    "smtp-slow": Fault(
        "every answer of the mail server takes so many seconds",
        "SECONDS",
        *_told("smtp-slow", _check_seconds("smtp-slow")),
    ),
    "slack-429": Fault(
        "Slack says to come back in SECONDS, to the next COUNT requests or to all",
        "SECONDS [COUNT]",
        *_told("slack-429", _check_429),
    ),
    "pushgateway-down": Fault("the Pushgateway's port is closed", "", *_closed("pushgateway-down")),
    "pushgateway-slow": Fault(
        "the Pushgateway takes so many seconds longer", "SECONDS", *_led_astray("pushgateway-slow")
    ),
    "report-down": Fault("every port that the report is sent to is closed", "", *_closed("report-down")),
    "report-slow": Fault(
        "everything that the report is sent to takes so many seconds", "SECONDS", *_led_astray(REPORT_SLOW)
    ),
}
for _name, _title in NAMES.items():
    _down, _late, _broken = f"{_name}-down", f"{_name}-slow", f"{_name}-500"
    FAULTS |= {
        _down: Fault(f"the port of {_title} is closed", "", *_closed(_down)),
        _late: Fault(
            f"every answer of {_title} takes so many seconds", "SECONDS", *_told(_late, _check_seconds(_late))
        ),
        _broken: Fault(
            f"{_title} fails at the next COUNT requests, or at all", "[COUNT]", *_told(_broken, _check_count(_broken))
        ),
    }
for _name, _title in (("smtp", "the mail server"), ("slack", SLACK), ("ping", PING)):
    _wrong = f"{_name}-tls-wrong"
    FAULTS[_wrong] = Fault(f"{_title} shows a certificate of a CA that nobody trusts", "", *_told(_wrong))
