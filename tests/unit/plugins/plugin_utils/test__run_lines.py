# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run is said in lines of JSON: itself, what was not plainly well, and what was sent."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_lines import lines_of
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    any_run,
    at,
    bad_run,
    collected,
    delivery,
    good_run,
    many_failures,
    nasty_run,
    refused_run,
)

SETTINGS = ReportSettings(environment="integration")


def said(run: Collected, *deliveries: t.Any) -> list[dict[str, t.Any]]:
    """Give the lines as a program reads them."""
    lines = lines_of(run, SETTINGS, deliveries)
    assert not any(character in line.text for line in lines for character in "\r\n\x00\x1b\x85\u2028")
    plain = [json.loads(line.text, parse_constant=pytest.fail) for line in lines]
    assert [item["level"] for item in plain] == [line.level for line in lines]
    assert [line.time for line in lines] == sorted(line.time for line in lines)
    return plain


def test_lines_of_a_good_run_are_one() -> None:
    assert said(good_run(msg="All well.")) == [
        {
            "time": "2026-09-21T14:13:30.000Z", "level": "info", "event": "run", "program": "token-push",
            "run": "0123456789ab", "environment": "integration", "verdict": "ok", "check_mode": False,
            "started": "2026-09-21T14:13:20.000Z", "seconds": 10.0, "services": 1, "services_failed": 0, "pairs": 2,
            "pairs_failed": 0, "unreachable": 0, "message": "All well.",
        }
    ]  # fmt: skip


def test_lines_of_a_bad_run_tell_each_trouble_and_message() -> None:
    ping, push, run, sent, unsent = said(bad_run(), delivery(), delivery("The relay is down."))
    assert (ping["event"], ping["level"], ping["kind"]) == ("outcome", "warning", "ping_unanswered")
    assert push == {
        "time": "2026-09-21T14:13:21.750Z", "level": "error", "event": "outcome", "program": "token-push",
        "run": "0123456789ab", "environment": "integration", "stage": "push", "status": "failed",
        "service": "dune_production", "config_service": "dune_production", "node": "n2.lab.example",
        "started": "2026-09-21T14:13:21.500Z", "seconds": 0.25, "kind": "node_unreachable",
        "message": "No ssh server answered.",
    }  # fmt: skip
    assert (run["event"], run["level"], run["verdict"]) == ("run", "error", "partial")
    assert (sent["event"], sent["level"], sent["accepted"]) == ("message", "info", True)
    assert (unsent["level"], unsent["accepted"], unsent["message"]) == ("warning", False, "The relay is down.")


def test_lines_of_a_refused_run_say_why() -> None:
    refusal, run = said(refused_run())
    assert (refusal["event"], refusal["level"], refusal["kind"]) == ("refusal", "error", "bad_input")
    assert (refusal["message"], run["verdict"]) == ("No experiment x.", "refused")


LEVELS: tuple[tuple[Outcome, list[str]], ...] = (
    (at("push", "ok"), []),
    (at("push", "changed"), []),
    (at("push", "ok", message="A remark."), ["info"]),
    (at("store", "skipped"), ["info"]),
    (at("push", "skipped", kind="not_attempted"), ["warning"]),
    (at("push", "failed"), ["error"]),
    (at("ping", "failed"), ["warning"]),
)


@pytest.mark.parametrize(("outcome", "levels"), LEVELS)
def test_lines_of_an_outcome_have_its_level(outcome: Outcome, levels: list[str]) -> None:
    found = [line["level"] for line in said(collected([outcome])) if line["event"] == "outcome"]
    assert found == levels


def test_lines_of_hostile_texts_are_clean() -> None:
    lines = said(nasty_run(), delivery(CANARY))
    assert CANARY not in json.dumps(lines)
    assert max(len(json.dumps(line)) for line in lines) < 5000


def test_lines_of_many_failures_are_one_for_each() -> None:
    assert len(said(many_failures(3000))) == 3001


@given(run=any_run())
def test_lines_of_any_run_are_json(run: Collected) -> None:
    assert said(run)[-1]["level"] in ("info", "warning", "error")
