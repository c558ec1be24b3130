# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the configured services take part in a run."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._selection import limit_to_hosts, select
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service

ALL = [service(name) for name in ("dune_production", "dune_analysis", "nova_production")]
CHOICES: tuple[tuple[list[str], list[str], list[str]], ...] = (
    ([], [], ["dune_production", "dune_analysis", "nova_production"]),
    (["dune"], [], ["dune_production", "dune_analysis"]),
    ([], ["nova_production"], ["nova_production"]),
    (["nova"], ["dune_analysis"], ["dune_analysis", "nova_production"]),
    (["dune"], ["dune_analysis"], ["dune_production", "dune_analysis"]),
)


@pytest.mark.parametrize(("experiments", "names", "wanted"), CHOICES)
def test_select_gives_what_was_named(experiments: list[str], names: list[str], wanted: list[str]) -> None:
    assert [item.config_name for item in select(ALL, experiments, names)] == wanted


def test_select_unknown_names_are_told_all_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        select(ALL, ["dunes", "dune"], ["nova_prodction"])
    assert caught.value.problems == (
        "managed_tokens_experiment names 'dunes', which is not configured; did you mean 'dune'?",
        "managed_tokens_service names 'nova_prodction', which is not configured; did you mean 'nova_production'?",
    )


def test_limit_to_hosts_drops_other_nodes_and_services_without_any() -> None:
    services = [service(nodes=(node("a"), node("b"))), service("nova_production", nodes=(node("c"),))]
    (left,) = limit_to_hosts(services, {"b", "x"})
    assert [item.name for item in left.nodes] == ["b"]
