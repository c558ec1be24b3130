# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot is what all runs together have told, without what has left the configuration."""

from __future__ import annotations

import shutil
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _state_runs as runs
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import note_configured
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import remember_outcomes
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import store_uids
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_state as report_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import LastRun
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    SERVICE_EMAIL,
    SLACK,
    Delivery,
    Key,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, outcome, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import (
    LIFE_S,
    SECONDS,
    Series,
    named,
    outcomes_of,
    refresh_uids,
    series_of,
    snapshot_in,
    token_push,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import GO_FILE, state_at

DAY_S = 86400.0
N1, N2, N3 = (node(f"n{number}") for number in (1, 2, 3))
DUNE = service(nodes=(N1, N2))
NOVA = service("nova_production", nodes=(N3,))
# A service whose real name is another one, and which is stored on two credds.
MU2E = service("mu2e_pro", name="mu2e_production", nodes=(N1,), credds=(Credd("c1"), Credd("c2")))
DEV = service("dev_production", nodes=(), credds=())


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


def series_in(state: State, **more: t.Any) -> Series:
    return series_of(snapshot_in(state, **more))


def labels_in(found: Series, label: str) -> set[str]:
    """Give all values that a label has anywhere."""
    return {dict(labels)[label] for _name, labels in found if label in dict(labels)}


# -- whose series there are ---------------------------------------------------------


def test_snapshot_keeps_what_a_limited_run_did_not_touch(state: State) -> None:
    token_push(state, [DUNE, NOVA], bad={("push", "nova_production", "n3")})
    before = series_in(state)
    token_push(state, [replace(DUNE, nodes=(N2,))], known=[DUNE, NOVA])
    after = series_in(state)
    assert after.keys() == before.keys()
    assert named(after, "failed_services_push_count") == {(): 1}
    pushed = named(after, "last_token_push_timestamp")
    assert pushed["n1", "dune_production"] < pushed["n2", "dune_production"]


def test_snapshot_keeps_what_a_refresh_did_not_touch(state: State) -> None:
    token_push(state, [DUNE])
    before = series_in(state)
    refresh_uids(state, {"dunepro": 50100})
    assert before.keys() < series_in(state).keys()


def test_snapshot_leaves_out_services_and_nodes_that_are_gone(state: State) -> None:
    # Both fail first, so that counters of theirs stay in the tables that are shared with the Go service.
    bad = {("push", "nova_production", "n3"), ("push", "dune_production", "n2"), ("tickets", "mu2e_pro")}
    token_push(state, [DUNE, NOVA, MU2E], bad=bad)
    assert labels_in(series_in(state), "service") == {
        "dune_production",
        "nova_production",
        "mu2e_production",
        "mu2e_pro",
    }
    token_push(state, [replace(DUNE, nodes=(N1,))])
    found = series_in(state)
    assert labels_in(found, "service") == {"dune_production"}
    assert labels_in(found, "node") == {"n1"}
    assert named(found, "failed_services_push_count") == {(): 0}


def test_snapshot_does_not_bring_back_what_was_forgotten(state: State) -> None:
    token_push(state, [DUNE, NOVA], bad={("store", "nova_production", "credd1.lab.example")})
    token_push(state, [DUNE])
    with state.write() as db:
        now = time.time()
        assert note_configured(db, {"dune_production": "dune_production"}, ["n1", "n2"], now=now, forget_after=-1.0)
    assert labels_in(series_in(state), "service") == {"dune_production"}


# A service's last store is now; how long ago something else of it was tried, and whether that still counts.
RETIRED = (
    ("store", "c2", 0.9 * DAY_S, True),
    ("store", "c2", 1.1 * DAY_S, False),
    ("push", "n1", 6.9 * DAY_S, True),
    ("push", "n1", 7.1 * DAY_S, False),
    ("ping", "n1", 6.9 * DAY_S, True),
    ("ping", "n1", 7.1 * DAY_S, False),
)


@pytest.mark.parametrize(("stage", "target", "ago", "counts"), RETIRED)
def test_snapshot_leaves_out_credds_and_nodes_that_a_service_has_no_more(
    state: State, stage: str, target: str, ago: float, counts: bool
) -> None:
    now = time.time()
    old = Outcome(
        stage,
        "failed",
        config_service="" if stage == "ping" else "mu2e_pro",
        node="" if stage == "store" else target,
        credd=target if stage == "store" else "",
        started=now - ago,
    )
    token_push(
        state, [MU2E], outcomes=[outcome("store", "ok", credd="c1", config_service="mu2e_pro", started=now), old]
    )
    assert (target in {item.target for item in snapshot_in(state).of(stage)}) is counts


def test_snapshot_keeps_old_pushes_while_nothing_new_is_stored(state: State) -> None:
    token_push(state, [DUNE], ago=60 * DAY_S)
    assert len(named(series_in(state), "last_token_push_timestamp")) == 2


# -- names ---------------------------------------------------------


def test_series_have_the_real_name_and_counters_the_configured_one(state: State) -> None:
    token_push(state, [MU2E], bad={("push", "mu2e_pro", "n1"), ("store", "mu2e_pro", "c2")})
    found = series_in(state)
    by_name = {name: service for name, labels in found for label, service in labels if label == "service"}
    assert {name for name, service in by_name.items() if service == "mu2e_pro"} == {
        "current_setup_error_count", "current_push_error_count"
    }  # fmt: skip
    assert by_name["failed_token_push_count"] == by_name["kinit_duration_seconds"] == "mu2e_production"
    assert named(found, "last_token_store_timestamp").keys() == {("c1", "mu2e_production")}


def test_series_of_a_service_without_credds_are_its_own(state: State) -> None:
    token_push(state, [DEV])
    found = series_in(state)
    assert named(found, "token_get_duration_seconds") == {("dev_production",): SECONDS}
    assert named(found, "last_token_get_timestamp").keys() == {("dev_production",)}
    assert not any(name.startswith(("last_token_store", "token_store", "failed_")) and labels for name, labels in found)
    token_push(state, [DEV], bad={("store", "dev_production", "")})
    assert named(series_in(state), "failed_vault_token_get_count") == {("dev_production",): 1}


# -- tokens ---------------------------------------------------------


def test_expiry_is_that_of_the_first_token_to_end(state: State) -> None:
    now = time.time()
    stored = [
        Outcome("store", "ok", config_service="mu2e_pro", credd=credd, started=now, life=life)
        for credd, life in (("c1", LIFE_S), ("c2", 3600.0), ("c3", 0.0))  # of c3 it is not known
    ]
    token_push(state, [MU2E], outcomes=stored)
    found = series_in(state, now=now + 4000)
    assert named(found, "token_expiry_timestamp_seconds") == {("mu2e_production",): pytest.approx(now + 3600)}
    assert named(found, "token_remaining_seconds") == {("mu2e_production",): pytest.approx(-400)}


def test_last_success_is_the_oldest_of_all_that_a_service_needs(state: State) -> None:
    first, second = time.time() - 100, time.time() - 50
    token_push(state, [DUNE, NOVA], outcomes=outcomes_of([DUNE], when=first))
    token_push(state, [DUNE, NOVA], outcomes=outcomes_of([DUNE], when=second, bad={("push", "dune_production", "n2")}))
    found = named(series_in(state), "last_success_timestamp_seconds")
    # Nothing was ever done for the other one.
    assert found == {("dune_production",): pytest.approx(first + SECONDS), ("nova_production",): 0}
    token_push(state, [DUNE, NOVA], outcomes=outcomes_of([DUNE, NOVA], when=second))
    found = named(series_in(state), "last_success_timestamp_seconds")
    assert found == dict.fromkeys(found, pytest.approx(second + SECONDS))


# -- runs ---------------------------------------------------------


def ended(program: str, **counts: t.Any) -> tuple[str, runs.Ending]:
    return program, runs.Ending(1000.0, **counts)


VERDICTS = (
    (ended(TOKEN_PUSH, well=3, services=2), True),
    # A ping that nobody answered is no service's.
    (ended(TOKEN_PUSH, well=3, failed=1, services=2), True),
    (ended(TOKEN_PUSH, well=3, failed=1, services=2, services_failed=1), False),
    (ended(TOKEN_PUSH), False),
    (ended(REFRESH_UIDS, well=2), True),
    (ended(REFRESH_UIDS, well=2, failed=1), False),
    (ended(REFRESH_UIDS), False),
)


@pytest.mark.parametrize(("run", "is_well"), VERDICTS)
def test_last_run_is_well_when_something_was_done_and_nothing_failed(
    state: State, run: tuple[str, runs.Ending], is_well: bool
) -> None:
    program, ending = run
    with state.write() as db:
        runs.end_run(db, runs.RunRow("r", program, 1.0, 2.0, holder(None)), ending)
    found = snapshot_in(state)
    assert found.runs == {program: LastRun(1000.0, is_well)}
    assert found.refreshed == (1000.0 if is_well and program == REFRESH_UIDS else 0.0)


def test_last_run_is_the_one_that_ended_last_and_an_interrupted_one_is_not_well(state: State) -> None:
    token_push(state, [DUNE])
    now = time.time()
    lost = runs.RunRow("lost", TOKEN_PUSH, now - 100, now - 90, holder(None))
    with state.write() as db:
        runs.begin_run(db, lost, now=now - 100)
    assert snapshot_in(state).runs[TOKEN_PUSH].is_well  # the lost one might go on
    with state.write() as db:
        next_one = runs.RunRow("next", TOKEN_PUSH, now, now + 10, holder(None))
        assert runs.begin_run(db, next_one, now=now + 1) == [lost]
    assert not snapshot_in(state).runs[TOKEN_PUSH].is_well


def test_refresh_that_fails_keeps_when_one_was_well_and_counts_its_failures(state: State) -> None:
    refresh_uids(state, {"a": 1, "b": 2, "c": 3})
    well = snapshot_in(state).refreshed
    assert well > 0
    refresh_uids(state, {"a": 1, "b": 2}, bad=["b"])
    found = series_in(state)
    assert named(found, "last_ferry_refresh") == {(): well}
    # c was not asked for in the last one.
    assert named(found, "ferry_request_error_count") == named(found, "ferry_request_duration_seconds_count") == {(): 1}
    assert named(found, "ferry_request_duration_seconds_sum") == {(): pytest.approx(SECONDS)}


def test_stages_have_the_go_service_s_names(state: State) -> None:
    token_push(state, [DUNE])
    refresh_uids(state, {"a": 1})
    assert named(series_in(state), "stage_duration_seconds").keys() == {
        ("token-push", "setup"), ("token-push", "getKerberosTickets"), ("token-push", "storeAndGetTokens"),
        ("token-push", "pingNodes"), ("token-push", "pushTokens"), ("refresh-uids-from-ferry", "getFERRYData"),
    }  # fmt: skip


def test_push_rate_is_that_of_the_last_push_alone(state: State) -> None:
    now = time.time()
    token_push(state, [DUNE, NOVA])
    pairs = [outcome(node=name, started=now, seconds=4.0) for name in ("n1", "n2")]
    token_push(state, [DUNE, NOVA], outcomes=pairs)
    assert named(series_in(state), "pushes_per_second") == {(): pytest.approx(0.5)}
    token_push(state, [DUNE, NOVA], outcomes=[outcome("setup", "ok", started=now + 5)])
    assert named(series_in(state), "pushes_per_second") == {(): pytest.approx(0.5)}


# -- messages and UIDs ---------------------------------------------------------


def test_messages_are_those_that_were_sent_last(state: State) -> None:
    token_push(state, [DUNE, NOVA])
    keys = tuple(Key(PUSH, name, "n1") for name in ("dune_production", "dune_gone"))
    deliveries = [
        Delivery(EMAIL, "", (), 1000.0, 2.0),
        Delivery(SLACK, "", (), 1000.0, 3.0, "no."),
        Delivery(SERVICE_EMAIL, "dune", keys, 2000.0, 4.0),
        Delivery(SERVICE_EMAIL, "nova", (Key(PUSH, "nova_production", "n3"),), 3000.0, 5.0, "no."),
    ]
    assert report_state.settle(state, deliveries, Decision(), "r", 1.0) == ""
    found = series_in(state)
    assert named(found, "admin_error_email_last_sent_timestamp") == {
        ("email", "true"): 1002, ("slack_message", "false"): 1003
    }  # fmt: skip
    assert named(found, "admin_error_email_send_duration_seconds") == {("email",): 2}
    assert named(found, "service_error_email_last_sent_timestamp") == {
        ("dune_production", "true"): 2004, ("nova_production", "false"): 3005
    }  # fmt: skip
    assert named(found, "service_error_email_send_duration_seconds_count") == {(): 1}
    assert named(found, "service_error_email_send_duration_seconds_sum") == {(): 4}


def test_one_mail_about_two_services_is_one_observation(state: State) -> None:
    token_push(state, [DUNE, NOVA])
    keys = tuple(Key(PUSH, name, "n1") for name in ("dune_production", "nova_production"))
    assert report_state.settle(state, [Delivery(SERVICE_EMAIL, "x", keys, 1.0, 4.0)], Decision(), "r", 1.0) == ""
    assert named(series_in(state), "service_error_email_send_duration_seconds_count") == {(): 1}


def test_uid_ages_are_of_accounts_that_somebody_has_seen(state: State) -> None:
    with state.write() as db:
        store_uids(db, {"dunepro": 50100}, [], now=1000.0, source="ferry")
    assert named(series_in(state, now=1060.0), "uid_age_seconds") == {("dunepro",): 60}


def test_database_of_the_go_service_alone_reads(tmp_path: Path) -> None:
    found = snapshot_in(state_at(Path(shutil.copy(GO_FILE, tmp_path / "go.db"))))
    # Its UIDs were never confirmed here, and nobody says which of its services are configured.
    assert (found.services, found.uid_ages, found.setup_errors, found.is_empty) == ({}, {}, {}, True)


def test_results_of_a_run_whose_beginning_is_unknown_are_there(state: State) -> None:
    with state.write() as db:
        remember_outcomes(db, outcomes_of([DUNE], when=time.time()), run="r")
    assert snapshot_in(state).services == {"dune_production": "dune_production"}


def test_names_of_services_that_were_never_served_are_configured_ones(state: State) -> None:
    known: list[Service] = [DUNE, MU2E]
    token_push(state, [DUNE], known=known)
    assert snapshot_in(state).services == {"dune_production": "dune_production", "mu2e_pro": "mu2e_production"}
