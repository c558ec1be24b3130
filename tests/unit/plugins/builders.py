# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the values that many tests begin with: services, nodes, configurations, options."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHANGED, PUSH, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Node, Service

# Looks like a vault token and is none; wherever it shows up although it should not, a test has found a leak.
CANARY = "hvs.CAESICanaryCanaryCanaryCanaryCanaryCanary0123456789"
TOKEN = f"{CANARY}\n".encode()
OTHER_TOKEN = b"hvs.CAESIOtherOtherOtherOtherOtherOtherOther0123456789\n"
PRINCIPAL = "{account}/managed-tokens/push.lab.example@LAB.EXAMPLE"


def node(name: str = "dunegpvm01.lab.example", /, **changes: t.Any) -> Node:
    """Give a node that is reached under its own name."""
    return Node(**{"name": name, "address": name, **changes})


def service(configured: str = "dune_production", /, **changes: t.Any) -> Service:
    """Give a service of that configured name, complete as the first stage leaves it."""
    experiment, _underscore, role = configured.partition("_")
    account = f"{experiment}pro"
    values: dict[str, t.Any] = {
        "name": configured,
        "config_name": configured,
        "experiment": experiment,
        "role": role,
        "account": account,
        "uid": 50100,
        "principal": PRINCIPAL.format(account=account),
        "keytab": f"/srv/keytabs/{account}.keytab",
        "vault_server": "vault.lab.example",
        "credds": (Credd("credd1.lab.example", "collector.lab.example"),),
        "nodes": (node(),),
        "default_role_file": f"/tmp/default_role_{experiment}_50100",
        "token_dir": "/srv/tokens",
    }
    return Service(**{**values, **changes})


def outcome(stage: str = PUSH, status: str = CHANGED, /, **changes: t.Any) -> Outcome:
    """Give an outcome of dune_production."""
    return Outcome(
        stage, status, **{"service": "dune_production", "config_service": "dune_production", "started": 1.0, **changes}
    )


def experiments(**role: t.Any) -> dict[str, t.Any]:
    """Give a configuration with the one service dune_production, whose role has these keys too."""
    return {
        "dune": {"emails": ["a@lab.example"], "roles": {"production": {"account": "dunepro", "uid": 50100, **role}}}
    }


DUNE = ("dunegpvm01.lab.example", "dunegpvm02.lab.example")
NOVA = ("novagpvm01.lab.example",)
GROUPS: dict[str, list[str]] = {
    "all": [*DUNE, *NOVA, "mail.lab.example"],
    "experiments": [*DUNE, *NOVA],
    "dune": [*DUNE],
    "nova": [*NOVA],
    "empty": [],
}


def inventory(**changes: t.Any) -> InventoryView:
    """Give the inventory of two experiments, all of whose nodes are hosts of the play."""
    return InventoryView(**{"groups": GROUPS, "play_hosts": frozenset(GROUPS["experiments"]), **changes})


def plain_data() -> st.SearchStrategy[t.Any]:
    """Give any tree that YAML can hold."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=12)
        | st.sampled_from(("dune", "production", "dunepro", "+-5", "²", "{account}", "{", "1e5", "all", "0", "yes"))
    )
    keys = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
    )
