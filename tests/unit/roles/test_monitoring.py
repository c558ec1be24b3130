# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the alerts count, each where it says; tests/integration/test_monitoring.py sees the alerts fire."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import (
    MONITORING_SETTINGS,
    REPORT_SETTINGS,
    STAGE_SETTINGS,
)
from ansible_collections.fife.managed_tokens.tests.unit.roles.alert_rules import (
    DASHBOARD,
    OPTIONS,
    PRIVATE,
    PUBLIC,
    VARIABLES,
    rendered,
    rules,
)

ALERTS = rules()


def test_settings_are_exactly_the_known_ones_and_no_others_have_their_names() -> None:
    assert OPTIONS.keys() == MONITORING_SETTINGS
    assert MONITORING_SETTINGS.isdisjoint(STAGE_SETTINGS | REPORT_SETTINGS)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_setting_has_the_documented_default(name: str) -> None:
    default = OPTIONS[name]["default"]
    assert VARIABLES[name.replace(PUBLIC, PRIVATE)] == f"{{{{ {name} | default({default!r}) }}}}"


def test_every_alert_has_defaults_and_says_what_it_is_about() -> None:
    assert ALERTS.keys() == VARIABLES["__monitoring_all_alerts"].keys()
    for name, rule in ALERTS.items():
        assert rule.keys() == {"alert", "for", "labels", "expr", "annotations"}, name
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, name
        assert rule["labels"].keys() == {"severity"}, name
        assert rule["labels"]["severity"] in ("warning", "critical"), name
        assert re.fullmatch(VARIABLES["__monitoring_time"], rule["for"]), name


# A setting, the alert that it changes, and what stands in its expression then.
THRESHOLDS: tuple[tuple[dict[str, t.Any], str, str], ...] = (
    ({"stopped_hours": 1.5}, "RunsStopped", "> 5400"),
    ({"stopped_hours": "4"}, "MetricsStale", "> 14400"),
    ({"runs": 5}, "ServiceFails", "> 18000"),
    ({"runs": 2, "interval_hours": 0.5}, "NodeUnreachable", "> 3600"),
    ({"interval_hours": 4}, "PushFails", "> 43200"),
    ({"old_hours": 12}, "Old", "> 43200"),
    ({"margin_hours": 24}, "VaultTokenExpires", "< 86400"),
    ({"uids_hours": 24}, "UidsOld", "> 86400"),
    ({"interrupted_runs": 2}, "RunInterrupted", ">= 2"),
    ({"overlapping_runs": 9}, "RunsOverlap", ">= 9"),
)


@pytest.mark.parametrize(("settings", "alert", "wanted"), THRESHOLDS)
def test_threshold_is_that_of_the_setting(settings: dict[str, t.Any], alert: str, wanted: str) -> None:
    name = f"ManagedTokens{alert}"
    threshold = re.compile(r"[<>]=? \d+\b")
    found = rules(**settings)[name]["expr"]
    assert wanted in threshold.findall(found)
    assert threshold.sub("", found) == threshold.sub("", ALERTS[name]["expr"])
    assert found != ALERTS[name]["expr"]


def test_two_runs_are_waited_for_where_one_is_no_alert() -> None:
    assert [name for name, rule in rules(interval_hours=2).items() if rule["for"] == "10800s"] == [
        "ManagedTokensRunFails", "ManagedTokensUidsOld"
    ]  # fmt: skip


def test_labels_and_the_runbook_are_those_of_the_settings() -> None:
    found = rules(labels={"team": 'a: "b"'}, runbook_url="https://docs.example.org/runbook.html")
    assert {rule["labels"]["team"] for rule in found.values()} == {'a: "b"'}
    for name, rule in found.items():
        assert rule["annotations"]["runbook_url"] == f"https://docs.example.org/runbook.html#{name.lower()}"


def test_single_alerts_can_differ_and_be_left_out() -> None:
    found = rules(
        labels={"team": "all"},
        alerts={
            "ManagedTokensUidsOld": {"enabled": False},
            "ManagedTokensOld": {"for": "1h", "severity": "page", "labels": {"team": "few"}},
        },
    )
    assert ALERTS.keys() - found.keys() == {"ManagedTokensUidsOld"}
    changed = found["ManagedTokensOld"]
    assert (changed["for"], changed["labels"]) == ("1h", {"severity": "page", "team": "few"})
    assert changed["expr"] == ALERTS["ManagedTokensOld"]["expr"]


def test_rules_without_any_alert_are_yaml() -> None:
    assert rules(alerts={name: {"enabled": "no"} for name in ALERTS}) == {}


def test_rules_leave_prometheus_its_own_templates() -> None:
    text = rendered()
    assert "{{ $labels.service }}" in text
    assert "[[" not in text
    assert max(len(line) for line in text.splitlines()) < 200


def test_panels_of_the_dashboard_have_their_own_places() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))


def test_panels_take_their_data_from_where_the_user_says() -> None:
    (source,) = [item["name"] for item in DASHBOARD["templating"]["list"] if item["type"] == "datasource"]
    wanted = {"type": "prometheus", "uid": f"${{{source}}}"}
    for panel in DASHBOARD["panels"]:
        for place in (panel, *panel.get("targets", [])):
            assert place.get("datasource", wanted) == wanted, panel["title"]
        assert panel["type"] == "row" or panel["description"], panel["title"]
