# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document about metrics lists every metric of the catalogue with its type and labels, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_catalogue import CATALOGUE, PREFIX
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_values import STAGE_NAMES

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


def test_alerts_are_yaml_and_use_metrics_that_exist() -> None:
    found = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0])
    expressions = " ".join(rule["expr"] for rule in found["groups"][0]["rules"])
    used = set(re.findall(rf"{PREFIX}\w+", expressions))
    assert used
    assert used <= {metric.name for metric in CATALOGUE}


def test_every_stage_is_named() -> None:
    assert [name for name in STAGE_NAMES.values() if f"`{name}`" not in TEXT] == []
