# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document about metrics lists every metric of the catalogue with its type and labels, and nothing else; rules and
dashboard use these only."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    OFFBOARDING,
    ONBOARDING,
    REFRESH_UIDS,
    TOKEN_PUSH,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_catalogue import (
    CATALOGUE,
    HISTOGRAM,
    PREFIX,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_values import STAGE_NAMES
from ansible_collections.fife.managed_tokens.tests.unit.roles.alert_rules import DASHBOARD, rules

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("\n## The metrics\n")[2].partition("\n## ")[0]


def rows() -> list[list[str]]:
    """Give the cells of each row of the table of metrics, without its head."""
    lines = [line for line in TABLE.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_holds_every_metric_with_type_and_labels_in_the_catalogue_s_order() -> None:
    assert [row[:3] for row in rows()] == [
        [f"`{metric.name.removeprefix(PREFIX)}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels)]
        for metric in CATALOGUE
    ]


def test_the_table_says_what_the_metrics_say_themselves() -> None:
    says = [row[3].replace(" of the service (as configured)", "").replace(" (as configured)", "") for row in rows()]
    assert says == [metric.help for metric in CATALOGUE]


# The labels that Prometheus adds, and that of a histogram's buckets.
ADDED = {"job", "instance", "le"}
SERIES = {
    metric.name + end: set(metric.labels)
    for metric in CATALOGUE
    for end in (("_bucket", "_sum", "_count") if metric.kind == HISTOGRAM else ("",))
}
# What the values of some labels can be.
VALUES = {
    "kind": set(KINDS),
    "stage": set(STAGE_NAMES.values()),
    "executable": {TOKEN_PUSH, REFRESH_UIDS, OFFBOARDING, ONBOARDING},
}


def used_in(expression: str) -> set[str]:
    """Give the labels of all the series that an expression names, having checked that they are there."""
    found = re.findall(rf"\b({PREFIX}\w+)(?:\{{([^}}]*)\}})?", expression)
    assert found, expression
    labels: set[str] = set()
    for name, selector in found:
        assert name in SERIES, (name, expression)
        labels |= SERIES[name]
        for label, value in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"", selector):
            assert label in SERIES[name] | ADDED, (name, label)
            assert set(value.split("|")) <= VALUES.get(label, {value, *value.split("|")}), (name, label)
    for clause in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        assert {word.strip() for word in clause.split(",")} <= labels | ADDED, expression
    return labels


@pytest.mark.parametrize(("name", "rule"), rules().items(), ids=list(rules()))
def test_alert_uses_series_and_labels_that_exist(name: str, rule: dict[str, t.Any]) -> None:
    labels = used_in(rule["expr"])
    assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= labels, name


def test_panels_of_the_dashboard_use_series_and_labels_that_exist() -> None:
    targets = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    assert len(targets) > 30
    for target in targets:
        labels = used_in(target["expr"])
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, target["expr"]
    for item in DASHBOARD["templating"]["list"]:
        if item["type"] == "query":
            used_in(item["definition"])


def test_every_metric_of_ours_is_used_by_an_alert_or_shown() -> None:
    text = str(rules()) + str(DASHBOARD)
    ours = [metric.name for metric in CATALOGUE if metric.help.endswith("(ours).")]
    # Both are old as soon as they are told: what they say is made of times instead.
    assert [name for name in ours if name not in text] == ["managed_tokens_token_remaining_seconds"]


def test_every_stage_is_named() -> None:
    assert [name for name in STAGE_NAMES.values() if f"`{name}`" not in TEXT] == []
