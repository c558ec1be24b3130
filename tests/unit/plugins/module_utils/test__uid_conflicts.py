# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two configured accounts never have one UID; services of one account do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_conflicts import stop_conflicts
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service

ANALYSIS = service("dune_analysis", account="duneana")
PRODUCTION = service("dune_production")
NOVA = service("nova_production", nodes=())


def stopped(services: list[Service]) -> list[str]:
    return [item.config_name for item in stop_conflicts(services, ()) if item.problem is not None]


@pytest.mark.parametrize(
    "services",
    [
        [],
        [PRODUCTION, service("dune_test", account="dunepro")],
        [PRODUCTION, service("nova_production", uid=50101)],
        [service("dune_production", uid=0), service("nova_production", uid=0)],
    ],
)
def test_stop_conflicts_leaves_what_is_as_it_should_be(services: list[Service]) -> None:
    assert stop_conflicts(services, ()) == services


def test_stop_conflicts_stops_every_service_of_both_accounts_also_without_a_common_node() -> None:
    free = service("nova_analysis", account="novaana", uid=50101)
    assert stopped([PRODUCTION, free, NOVA, service("dune_test", account="dunepro")]) == [
        "dune_production",
        "nova_production",
        "dune_test",
    ]


def test_stop_conflicts_says_where_each_uid_comes_from() -> None:
    found = stop_conflicts([PRODUCTION, ANALYSIS, NOVA], ["dune_production"])
    assert next(item.problem.message for item in found if item.problem is not None) == (
        "dune_production: the UID 50100 of account dunepro (managed_tokens_experiments.dune.roles.production.uid) is "
        "also that of account duneana (from the state database, for dune_analysis), account novapro (from the state "
        "database, for nova_production); each account has to have its own."
    )
    assert {(item.problem.stage, item.problem.kind) for item in found if item.problem} == {("setup", "uid_conflict")}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 2)), max_size=6))
def test_stop_conflicts_no_two_accounts_that_go_on_have_one_uid(rows: list[tuple[str, int]]) -> None:
    services = [service(f"dune_r{i}", account=account, uid=uid) for i, (account, uid) in enumerate(rows)]
    going = [item for item in stop_conflicts(services, ()) if item.problem is None and item.uid]
    assert len({item.uid for item in going}) == len({(item.uid, item.account) for item in going})
