# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a service belongs to."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._contacts import contacts_of
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service


def test_contacts_of_services_are_their_experiments() -> None:
    experiments = {"dune": {"emails": "a@x, b@x"}, "nova": {}}
    services = [service(), service("nova_analysis", notify=False)]
    assert contacts_of(experiments, services) == {
        "dune_production": {"experiment": "dune", "emails": ["a@x", "b@x"], "notify": True},
        "nova_analysis": {"experiment": "nova", "emails": [], "notify": False},
    }


def test_contacts_of_an_experiment_with_a_number_for_a_name() -> None:
    found = contacts_of({t.cast("str", 7): {"emails": ["a@x"]}}, [service("7_production")])
    assert found["7_production"]["emails"] == ["a@x"]
