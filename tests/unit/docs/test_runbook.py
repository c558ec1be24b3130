# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever is woken by an alert finds a section of its name that says what it means and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_catalogue import CATALOGUE
from ansible_collections.fife.managed_tokens.tests.unit.docs.test_metrics import used_in
from ansible_collections.fife.managed_tokens.tests.unit.roles.alert_rules import rules

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in TEXT.split("\n## ")[1:]}
PARTS = ("**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**")
ALERTS = rules()


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    assert list(SECTIONS) == list(ALERTS)


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_section_has_its_parts_in_order_and_a_command(name: str) -> None:
    places = [SECTIONS[name].find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    diagnosis = SECTIONS[name][places[2] : places[3]]
    assert re.search(r"```(console|promql)\n.+\n```", diagnosis, re.DOTALL)


def test_addresses_in_the_rules_lead_to_sections() -> None:
    # As Markdown's readers make an anchor of a heading.
    anchors = {heading.lower() for heading in SECTIONS}
    assert {rule["annotations"]["runbook_url"].partition("#")[2] for rule in ALERTS.values()} == anchors


def test_metrics_playbooks_settings_and_documents_that_are_named_exist() -> None:
    for word in re.findall(r"```promql\n(.*?)```", TEXT, re.DOTALL):
        used_in(word)
    known = {metric.name for metric in CATALOGUE} | KNOWN_SETTINGS
    assert set(re.findall(r"\bmanaged_tokens_[a-z_]+\b", TEXT)) <= known
    for playbook in re.findall(r"fife\.managed_tokens\.([a-z_]+)", TEXT):
        assert (ROOT / "playbooks" / f"{playbook}.yml").is_file(), playbook
    for document in re.findall(r"\]\(([a-z-]+\.md)\)", TEXT):
        assert (ROOT / "docs" / document).is_file(), document
