# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails has a time since when it does, with its kind, until it is well again."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, outcome, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import (
    named,
    outcomes_of,
    series_of,
    snapshot_in,
    token_push,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

HOUR_S = 3600.0
N1, N2 = node("n1"), node("n2")
DUNE = service(nodes=(N1, N2))
MU2E = service("mu2e_pro", name="mu2e_production", nodes=(N1,), credds=(Credd("c1"), Credd("c2")))


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


def run(state: State, hours_ago: float, bad: t.Mapping[tuple[str, ...], str]) -> float:
    """Do a run of both services in which that fails, with these kinds; gives when it began."""
    when = time.time() - hours_ago * HOUR_S
    outcomes = outcomes_of([DUNE, MU2E], when=when, bad=bad)
    token_push(state, [DUNE, MU2E], outcomes=[replace(one, kind=kind_of(one, bad)) for one in outcomes])
    return when


def kind_of(one: Outcome, bad: t.Mapping[tuple[str, ...], str]) -> str:
    keys = ((one.stage, one.config_service), (one.stage, one.config_service, one.credd or one.node))
    return next((bad[key] for key in keys if key in bad), "")


def test_failing_since_is_the_first_failure_with_the_last_kind(state: State) -> None:
    ticket = ("tickets", "dune_production")
    first = run(state, 3, {ticket: "kdc_unreachable"})
    run(state, 2, {ticket: "keytab_missing"})
    found = series_of(snapshot_in(state))
    assert named(found, "failing_since_timestamp_seconds") == {
        ("keytab_missing", "dune_production", "getKerberosTickets"): pytest.approx(first)
    }
    run(state, 1, {})
    assert named(series_of(snapshot_in(state)), "failing_since_timestamp_seconds") == {}


def test_failing_since_is_the_oldest_of_a_service_s_targets(state: State) -> None:
    first = run(state, 3, {("store", "mu2e_pro", "c2"): "credd_unavailable"})
    run(state, 2, {("store", "mu2e_pro", name): "credd_unavailable" for name in ("c1", "c2")})
    assert named(series_of(snapshot_in(state)), "failing_since_timestamp_seconds") == {
        ("credd_unavailable", "mu2e_production", "storeAndGetTokens"): pytest.approx(first)
    }


def test_node_failing_since_is_the_oldest_of_its_services_by_kind(state: State) -> None:
    dune, mu2e = ("push", "dune_production", "n1"), ("push", "mu2e_pro", "n1")
    first = run(state, 3, {dune: "node_unreachable"})
    second = run(state, 2, {dune: "node_unreachable", mu2e: "node_unreachable"})
    assert named(series_of(snapshot_in(state)), "node_failing_since_timestamp_seconds") == {
        ("node_unreachable", "n1"): pytest.approx(first)
    }
    run(state, 1, {dune: "node_unreachable", mu2e: "account_refused"})
    assert named(series_of(snapshot_in(state)), "node_failing_since_timestamp_seconds") == {
        ("node_unreachable", "n1"): pytest.approx(first),
        ("account_refused", "n1"): pytest.approx(second),
    }


def test_failing_since_knows_no_pings(state: State) -> None:
    token_push(state, [DUNE], outcomes=[outcome("ping", "failed", service="", config_service="", node="n1", kind="x")])
    assert not [name for name, _labels in series_of(snapshot_in(state)) if "failing_since" in name]


def test_metrics_timestamp_is_when_the_snapshot_was_taken(state: State) -> None:
    assert named(series_of(snapshot_in(state, now=1000.0)), "metrics_timestamp_seconds") == {(): 1000}
