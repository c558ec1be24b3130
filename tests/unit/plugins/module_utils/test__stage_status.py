# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown on a terminal fits its columns, whatever there is to show; and what programs get says the same."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_status import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import FAILED, Status
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_lines import good_of, lines
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_record import record_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_times import ago, since, stamp, utc
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import token_push
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at
from ansible_collections.fife.managed_tokens.tests.unit.plugins.status_scenes import (
    NOW,
    failing,
    judged,
    run_status,
    service_status,
    status,
    target,
)

LONG = "a" * 120
DUNE = service(nodes=(node("n1"),))


def shown(found: Status, width: int = 76) -> list[str]:
    return lines(found, judged(found), width)


def test_lines_of_what_is_well() -> None:
    assert shown(status(service_status())) == [
        "GREEN: all well",
        "  1 service, 2 (service, node) pairs: every token was brought up to date",
        "    within the last 3 h.",
        "",
        "  service                UID  credds  nodes  oldest success",
        "  dune_production      50100     1/1    2/2  60 s ago",
        "",
        "Last runs",
        "  2026-09-21 14:12 UTC, 65 s ago  token-push: well, 1 service, 5 s",
    ]


def test_lines_say_what_is_wrong_and_what_to_do() -> None:
    text = "\n".join(shown(status(service_status(nodes=(failing(), target("n2"))))))
    assert "RED: 1 problem" in text
    assert "dune_production      50100     1/1    1/2  60 min ago   FAILING" in text
    assert (
        "  dune_production on n1.lab.example: The connection was lost (since\n    2026-09-21 13:43 UTC, 30 min ago)"
        in text
    )
    assert "     -> Look at the node's sshd log" in text


@pytest.mark.parametrize("width", [76, 200])
@pytest.mark.parametrize(
    "found",
    [
        status(service_status(LONG, credds=(failing(LONG, STORE),), nodes=(failing(LONG, message="x " * 200),))),
        status(*(service_status(f"s{number}", nodes=(failing(),)) for number in range(1000))),
        status(service_status(), recent=(run_status(FAILED, program=LONG),) * 10, label=LONG),
        Status(NOW, trouble="x" * 400, untold=(("a", "b" * 400),)),
        Status(NOW),
    ],
)
def test_lines_fit(found: Status, width: int) -> None:
    text = shown(found, width)
    assert max(map(len, text)) <= width
    assert len(text) < 130


def test_lines_of_very_many_services_show_what_fails() -> None:
    well = [service_status(f"s{number}") for number in range(100)]
    text = "\n".join(shown(status(*well, service_status("bad", nodes=(failing(),)))))
    assert "100 of 101 services have nothing that fails" in text
    assert "\n  bad " in text
    assert "\n  s1 " not in text


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ((), "-"),
        ((target("", STORE),), "ok"),
        ((failing("", STORE),), "FAILED"),
        ((target("c1", STORE), failing("c2", STORE)), "1/2"),
        ((target("n1", attempted=0.0, succeeded=0.0),), "0/1"),
    ],
)
def test_good_of_counts_places_that_have_the_token(targets: t.Any, words: str) -> None:
    assert good_of(targets) == words


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("-inf")])
def test_times_what_is_none_is_never(seconds: float) -> None:
    assert (utc(seconds), ago(seconds, NOW), since(seconds, NOW), stamp(seconds)) == ("never", "never", "never", None)


def test_times_are_utc_with_how_long_ago() -> None:
    assert since(NOW - 7200, NOW) == "2026-09-21 12:13 UTC, 2 h ago"
    assert ago(NOW + 100, NOW) == "0 s ago"
    assert stamp(NOW) == "2026-09-21T14:13:20Z"
    assert utc(1e300).startswith("9999-12-31")


def test_record_is_plain_and_says_all() -> None:
    found = status(service_status(setup=(failing("", TICKETS, ago=5),), nodes=(target(), failing("n2"))))
    record = json.loads(json.dumps(record_of(found, judged(found))))
    assert (record["colour"], record["title"]) == ("red", "2 problems")
    (plain,) = record["services"]
    assert (plain["is_well"], plain["uid"], plain["uid_age"]) == (False, 50100, 3600)
    assert [item["status"] for item in plain["nodes"]] == ["ok", "failed"]
    assert plain["nodes"][1]["failing_since"] == "2026-09-21T13:43:20Z"
    assert record["problems"][0]["who"]
    assert record["runs"][0]["result"] == "well"


# -- the stage ----------------------------------------------------------------------


def options(path: Path, **changes: t.Any) -> dict[str, t.Any]:
    plain = {name: item.get("default") for name, item in ARGUMENT_SPEC.items()}
    return {**plain, "database": str(path), **changes}


def test_stage_gives_the_verdict_and_fails_only_when_it_is_to(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    token_push(state_at(path), [DUNE], bad={("push", "dune_production", "n1")})
    result = run_stage(options(path), Context())
    assert (result["changed"], result["status"]["colour"], "failed" in result) == (False, "red", False)
    assert result["msg"] == "red: 1 problem: dune_production on n1."
    assert result["summary"][0] == "RED: 1 problem"
    failed = run_stage(options(path, fail=True), Context())
    assert (failed["failed"], failed["msg"], "status" in failed) == (True, result["msg"], False)
    token_push(state_at(path), [DUNE])
    good = run_stage(options(path, fail=True), Context())
    assert ("failed" in good, good["msg"]) == (False, "green: all well.")


def test_stage_gives_a_view_only_for_a_page(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    assert "view" not in run_stage(options(path), Context())
    view = run_stage(options(path, page="x.html", environment="dev"), Context())["view"]
    assert (view["title"], view["environment"]) == ("Tokens: 1 warning", "dev")
    assert json.loads(json.dumps(view))["epoch"] == view["epoch"]


def test_stage_of_some_services_shows_those_and_leaves_the_page_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    services = [DUNE, service("nova_test", nodes=(node("n2"),))]
    token_push(state_at(path), services, bad={("push", "dune_production", "n1")})
    of_all = run_stage(options(path, page="x.html"), Context())
    of_nova = run_stage(options(path, page="x.html", service=["nova_test"]), Context())
    assert [item["name"] for item in of_nova["status"]["services"]] == ["nova_test"]
    assert "dune_production" not in "\n".join(of_nova["summary"])
    assert of_nova["view"]["title"] == of_all["view"]["title"] == "Tokens: 1 problem"
    with pytest.raises(BadInput, match=r"names 'nova_tset', which the state database does not know.*nova_test"):
        run_stage(options(path, service=["nova_tset"]), Context())


def test_stage_without_a_database_is_not_well() -> None:
    assert run_stage(options(Path("x"), database=""), Context())["status"]["colour"] == "red"


@pytest.mark.parametrize(
    "changes",
    [{"max_age": "soon"}, {"max_age": "1s"}, {"uid_max_age": "x"}, {"min_token_lifetime": "8d"}, {"database": "x"}],
)
def test_stage_refuses_what_cannot_be_meant(tmp_path: Path, changes: dict[str, t.Any]) -> None:
    with pytest.raises(BadInput):
        run_stage(options(tmp_path / "state.db", **changes), Context())
