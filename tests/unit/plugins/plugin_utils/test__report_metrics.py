# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the Go service exported is there after the same scenes, and no text can break the format."""

from __future__ import annotations

import shutil
import subprocess
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PUSH, STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_metrics as report_metrics
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_of_run import snapshot_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import Attempt, Sent, Snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_metrics import BUCKETS, export, render
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import any_run, good_run, nasty_run
from ansible_collections.fife.managed_tokens.tests.unit.plugins.metric_scenes import (
    named,
    refresh_uids,
    series_of,
    six_services,
    snapshot_in,
    token_push,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
# What the Pushgateway adds by itself.
OF_THE_GATEWAY = {"push_time_seconds", "push_failure_time_seconds"}
FAULTS = {
    (TICKETS, "exp02_production"),
    (STORE, "exp03_analysis", "credd1.lab.example"),
    (PUSH, "exp03_production", "exp03gpvm01.lab.example"),
    (PUSH, "exp03_production", "exp03gpvm02.lab.example"),
}


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


def shape(words: str) -> set[tuple[str, str, frozenset[str]]]:
    """Give name and type of every sample in the text format, with the names of its labels but for the job's."""
    return {
        (sample.name, family.type, frozenset(sample.labels) - {"job"})
        for family in text_string_to_metric_families(words)
        for sample in family.samples
        if sample.name not in OF_THE_GATEWAY
    }


def written(found: Snapshot) -> str:
    return generate_latest(render(found)).decode()


def healthy(state: State) -> None:
    token_push(state, six_services())


def three_times_bad(state: State) -> None:
    for _run in range(3):
        token_push(state, six_services(), bad=FAULTS)


def refreshed(state: State) -> None:
    refresh_uids(state, {f"exp0{number}pro": 50000 + number for number in range(6)})


@pytest.mark.parametrize(
    ("sample", "scene"), [("ok", healthy), ("faults", three_times_bad), ("refresh-uids", refreshed)]
)
def test_render_has_every_name_type_and_label_of_the_go_service(
    state: State, sample: str, scene: t.Callable[[State], None]
) -> None:
    scene(state)
    theirs = shape((FIXTURES / f"metrics-{sample}.txt").read_text())
    assert len(theirs) > 5
    assert theirs - shape(written(snapshot_in(state))) == set()


def test_render_after_faults_has_the_numbers_of_the_go_service(state: State) -> None:
    three_times_bad(state)
    found = series_of(snapshot_in(state))
    nodes = ("exp03gpvm01.lab.example", "exp03gpvm02.lab.example")
    assert named(found, "failed_services_push_count") == {(): 3}
    assert named(found, "failed_kinit_count") == {("exp02_production",): 1}
    assert named(found, "failed_vault_token_store_count") == {("credd1.lab.example", "exp03_analysis"): 1}
    assert named(found, "failed_token_push_count") == {(node, "exp03_production"): 1 for node in nodes}
    assert named(found, "current_setup_error_count") == {("exp02_production",): 3, ("exp03_analysis",): 3}
    assert named(found, "current_push_error_count") == {(node, "exp03_production"): 3 for node in nodes}
    assert len(named(found, "kinit_duration_seconds")) == 5
    assert len(named(found, "last_token_push_timestamp")) == len(named(found, "token_push_duration_seconds")) == 6
    never = named(found, "last_success_timestamp_seconds")
    assert {name for (name,), when in never.items() if not when} == {
        "exp02_production", "exp03_analysis", "exp03_production"
    }  # fmt: skip


def test_render_after_a_recovery_has_no_failures_left(state: State) -> None:
    three_times_bad(state)
    healthy(state)
    found = series_of(snapshot_in(state))
    failing = {name for name, _labels in found if name.startswith("failed_")}
    assert failing == {"failed_services_push_count"}
    assert named(found, "failed_services_push_count") == {(): 0}
    assert set(named(found, "current_setup_error_count").values()) == {0}


def test_render_writes_buckets_as_the_go_library_does() -> None:
    attempts = [
        Attempt("", "", name, False, 1.0, 1.0, seconds, 0.0, "r")
        for name, seconds in (("n1", 0.005), ("n2", 0.7), ("n3", 60.0))
    ]
    found = named(series_of(Snapshot(2.0, attempts={"ping": attempts})), "ping_duration_seconds_bucket")
    assert [bucket for bucket, node in found if node == "n1"] == list(BUCKETS)
    counts = {node: [found[bucket, node] for bucket in BUCKETS] for node in ("n1", "n2", "n3")}
    assert counts == {"n1": [1] * 12, "n2": [0] * 7 + [1] * 5, "n3": [0] * 11 + [1]}


def test_render_of_nothing_has_only_what_is_always_there() -> None:
    assert {family.name.removeprefix("managed_tokens_") for family in render(Snapshot(1.0)).collect()} == {
        "failed_services_push_count", "service_error_email_send_duration_seconds", "ferry_request_duration_seconds",
        "ferry_request_error_count", "metrics_timestamp_seconds", "build_info",
    }  # fmt: skip


def test_render_merges_series_whose_names_became_equal() -> None:
    attempts = [
        Attempt(name, name, "c", False, when, when, when, 100.0 - when, "r")
        for name, when in (("a\0b", 5.0), ("ab", 3.0))
    ]
    found = series_of(Snapshot(1.0, attempts={"store": attempts}))
    assert named(found, "last_token_store_timestamp") == {("c", "ab"): 3.0}
    assert named(found, "token_store_duration_seconds") == {("c", "ab"): 5.0}
    assert named(found, "token_expiry_timestamp_seconds") == {("ab",): 95.0}


HOSTILE = ('a"b', "a\\b", "a\\", 'a\\"b\\n', "a\nb\r\nc", "{}=,#", "# HELP x", "ä\u2028€", "\udcff", "a\0b", " ", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_render_hostile_names_parse_back(name: str) -> None:
    found = Snapshot(
        1.0,
        attempts={"push": [Attempt(name, name, f"n{name}", True, 1.0, 0.0, 1.0, 0.0, "r")]},
        sent=[Sent("service_email", name, True, 1.0, 2.0)],
    )
    read = {
        sample.name: sample.labels
        for family in text_string_to_metric_families(written(found))
        for sample in family.samples
    }
    assert read["managed_tokens_failed_token_push_count"] == {"service": text(name), "node": text(f"n{name}")}
    assert read["managed_tokens_service_error_email_last_sent_timestamp"]["service"] == text(name)


@given(any_run())
def test_render_any_run_parses_without_doubled_series(run: Collected) -> None:
    found, problem = snapshot_of(None, run, 1_790_000_000.0)
    assert problem == ""
    keys = [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in text_string_to_metric_families(written(found))
        for sample in family.samples
    ]
    assert len(keys) == len(set(keys)) > 5


def test_render_shows_no_token_of_a_hostile_run() -> None:
    found = written(snapshot_of(None, nasty_run(), time.time())[0])
    assert CANARY not in found
    assert "\x1b" not in found
    assert len(found) < 20_000


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (of Prometheus) is not installed")
def test_render_is_what_promtool_accepts_but_for_names_of_the_go_service(state: State) -> None:
    healthy(state)
    three_times_bad(state)
    refreshed(state)
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=written(snapshot_in(state)), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    # Gauges that end in _count; the names are the Go service's.
    complaints = [line for line in checked.stderr.splitlines() if line.strip() and '"_count" suffix' not in line]
    assert complaints == []
    assert '"_count" suffix' in checked.stderr  # it has looked


def test_export_without_a_place_to_go_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_metrics, "snapshot_of", None)
    assert export(None, good_run(), ReportSettings()) == ""


def test_export_writes_the_database_and_the_run_s_own_verdict(state: State, tmp_path: Path) -> None:
    healthy(state)
    path = tmp_path / "metrics.prom"
    run = replace(good_run(), refusals=nasty_run().refusals)
    assert export(state, run, ReportSettings(textfile=str(path))) == ""
    words = path.read_text()
    assert 'managed_tokens_run_success{executable="token-push"} 0.0' in words
    assert 'service="exp03_production"' in words
    assert "dune_production" not in words


def test_export_tells_of_each_trouble_and_writes_what_it_can(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("no database " * 100)
    broken = state_at(tmp_path / "broken.db")
    path = tmp_path / "metrics.prom"
    problem = export(broken, good_run(), ReportSettings(textfile=str(path), pushgateway="gateway:9091"))
    assert problem == (
        f"The state database {broken.label} is not an SQLite database. The metrics are those of this run alone. "
        "The metrics were not pushed: managed_tokens_pushgateway has to be a URL that begins with http:// or https:// "
        "and has no query."
    )
    assert 'service="dune_production"' in path.read_text()


@pytest.mark.parametrize("missing", ["prometheus_client", "sqlalchemy", "requests"])
def test_export_without_a_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def some(names: t.Sequence[str]) -> list[str]:
        return [f"No {name}." for name in names if name == missing]

    monkeypatch.setattr(report_metrics, "missing_packages", some)
    settings = ReportSettings(pushgateway="http://127.0.0.1:1")
    assert export(None, good_run(), settings) == f"The metrics were not exported. No {missing}."
