# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record says of every run what came of it, and fits its published schema."""

from __future__ import annotations

import json
import typing as t
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._last_run_record import (
    record_of,
    verdict_of,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Untold
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
    refresh_run,
    refused_run,
)

SCHEMA = Path(__file__).resolve().parents[4] / "docs" / "last_run.schema.json"


@cache
def validator() -> Draft202012Validator:
    """Give the published schema."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def valid(run: Collected, *deliveries: t.Any) -> dict[str, t.Any]:
    """Give the record as another program reads it."""
    record: dict[str, t.Any] = json.loads(json.dumps(record_of(run, deliveries), allow_nan=False))
    validator().validate(record)
    return record


def lone(**changes: t.Any) -> Outcome:
    return at("state", "failed", service="", config_service="", kind="state_unavailable", **changes)


VERDICTS: tuple[tuple[Collected, str], ...] = (
    (good_run(), "ok"),
    (bad_run(), "partial"),
    (refused_run(), "refused"),
    (refresh_run(), "partial"),
    (collected([]), "failed"),
    (collected([at("push", "failed")]), "failed"),
    (collected([at("tickets", "ok"), at("store", "failed")]), "failed"),
    (collected([at("tickets", "ok"), at("tickets", "failed")]), "partial"),
    (collected([at("setup", "failed")]), "failed"),
    (good_run(outcomes=[*good_run().outcomes, lone()]), "partial"),
    (good_run(failed=("n1.lab.example",)), "partial"),
    (collected([at("ping", "failed", node="n1"), at("push", "ok", node="n1")]), "ok"),
)


@pytest.mark.parametrize(("run", "expected"), VERDICTS)
def test_verdict_of_run(run: Collected, expected: str) -> None:
    assert verdict_of(run) == expected
    assert valid(run)["verdict"] == expected


def test_record_of_a_good_run_holds_all_there_is() -> None:
    record = valid(good_run(msg="1 of 1 services well."), delivery(), delivery("The relay is down."))
    [service] = record.pop("services")
    assert record == {
        "schema": 1, "program": "token-push", "run": "0123456789ab", "started": "2026-09-21T14:13:20.000Z",
        "ended": "2026-09-21T14:13:30.000Z", "seconds": 10.0, "check_mode": False, "verdict": "ok",
        "message": "1 of 1 services well.",
        "counts": {
            "services": 1, "services_failed": 0, "pairs": 2, "pairs_failed": 0, "accounts": 0, "accounts_failed": 0,
            "hosts": 2, "hosts_failed": 0, "hosts_unreachable": 0,
        },
        "accounts": [], "refusals": [], "problems": [],
        "untold": {"below_threshold": 0, "reminder_not_due": 0, "notify_off": 0},
        "messages": [
            {"channel": "email", "target": "", "accepted": True, "troubles": 1, "problem": ""},
            {"channel": "email", "target": "", "accepted": False, "troubles": 1, "problem": "The relay is down."},
        ],
    }  # fmt: skip
    well = {"kind": "", "message": "", "seconds": 0.25}
    assert service == {
        "service": "dune_production", "name": "dune_production", "experiment": "dune", "status": "ok",
        "stages": {"setup": "ok", "tickets": "ok", "store": "changed", "push": "changed"},
        "credds": [
            {"name": "credd1.lab.example", "status": "changed", "expires": "2026-09-22T14:13:21.750Z", **well}
        ],
        "nodes": [
            {"name": "n1.lab.example", "status": "changed", **well}, {"name": "n2.lab.example", "status": "ok", **well}
        ],
        "problem": None,
    }  # fmt: skip


def test_record_of_a_bad_run_says_what_failed_and_what_to_do() -> None:
    record = valid(bad_run())
    [service] = record["services"]
    assert (service["status"], service["stages"]["push"]) == ("partial", "partial")
    assert service["problem"] == {"stage": "push", "kind": "node_unreachable", "message": "No ssh server answered."}
    assert service["credds"][0]["expires"] is None
    [problem] = record["problems"]
    assert (problem["kind"], problem["count"], problem["who"]) == ("node_unreachable", 1, "node administrators")
    assert problem["example"] == "No ssh server answered."
    assert "Check that the node is up" in problem["advice"]


def test_record_says_of_how_much_nobody_was_told_and_why() -> None:
    record = record_of(bad_run(), (), Untold(3, 2, 1))
    validator().validate(record)
    assert record["untold"] == {"below_threshold": 3, "reminder_not_due": 2, "notify_off": 1}


def test_record_of_a_refresh_lists_the_accounts() -> None:
    record = valid(refresh_run())
    assert [(item["name"], item["status"], item["kind"]) for item in record["accounts"]] == [
        ("dunepro", "changed", ""),
        ("novapro", "failed", "account_unknown"),
    ]
    assert (record["counts"]["accounts"], record["counts"]["accounts_failed"], record["services"]) == (2, 1, [])


def test_record_of_a_refused_run_says_why() -> None:
    record = valid(refused_run())
    refusal = {"task": "Look up services", "kind": "bad_input", "message": "No experiment x."}
    assert (record["run"], record["refusals"]) == ("", [refusal])
    assert [problem["kind"] for problem in record["problems"]] == ["bad_input"]


STATUSES: tuple[tuple[list[Outcome], str], ...] = (
    ([at("tickets", "failed")], "failed"),
    ([at("setup", "failed")], "failed"),
    ([at("setup", "skipped", kind="service_held")], "elsewhere"),
    ([at("store", "ok", credd="a"), at("store", "failed", credd="b")], "partial"),
    ([at("store", "ok", credd="a"), at("push", "skipped", node="n", kind="not_attempted")], "failed"),
    ([at("push", "ok", node="a"), at("push", "skipped", node="b", kind="service_held")], "ok"),
    ([at("store", "skipped", credd="a"), at("push", "ok", node="b")], "ok"),
    ([at("node_removal", "changed", node="a"), at("node_removal", "failed", node="b")], "partial"),
    ([at("node_removal", "failed", node="a"), at("credd_removal", "changed", credd="b")], "failed"),
)


@pytest.mark.parametrize(("outcomes", "expected"), STATUSES)
def test_record_status_of_a_service(outcomes: list[Outcome], expected: str) -> None:
    assert [item["status"] for item in valid(collected(outcomes))["services"]] == [expected]


def test_record_of_an_offboarding_lists_nodes_and_credds() -> None:
    (item,) = valid(collected([at("node_removal", "changed", node="a"), at("credd_removal", "ok", credd="c")]))[
        "services"
    ]
    assert [[(entry["name"], entry["status"]) for entry in item[key]] for key in ("nodes", "credds")] == [
        [("a", "changed")],
        [("c", "ok")],
    ]


def test_record_of_hostile_texts_is_clean() -> None:
    record = valid(nasty_run(), delivery("\x00\n" * 1000 + CANARY, target=CANARY))
    assert CANARY not in json.dumps(record)


def test_record_of_many_failures_lists_them_once() -> None:
    record = valid(many_failures(3000))
    assert sum(len(service["nodes"]) for service in record["services"]) == 3000
    assert [problem["count"] for problem in record["problems"]] == [3000]


@given(run=any_run())
def test_record_of_any_run_fits_the_schema(run: Collected) -> None:
    valid(run, delivery(run.msg))


@pytest.mark.parametrize(
    ("key", "value"), [("schema", 2), ("verdict", "green"), ("ended", "yesterday"), ("run", "a\nb"), ("services", None)]
)
def test_schema_refuses_what_is_no_record(key: str, value: t.Any) -> None:
    with pytest.raises(ValidationError):
        validator().validate({**record_of(good_run(), ()), key: value})
