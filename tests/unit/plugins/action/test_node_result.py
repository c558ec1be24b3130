# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each host gets its own slice of the batch."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.fife.managed_tokens.plugins.action.node_result import ActionModule
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

BATCH: dict[str, t.Any] = {
    "outcomes": [
        outcome("push", "changed", node="a").to_dict(),
        outcome("push", "failed", node="b", kind="node_unreachable", message="no answer").to_dict(),
    ],
    "nodes": {"a": [0], "b": [1]},
}


def result_of(host: str, args: dict[str, t.Any] | None = None, **task_vars: t.Any) -> dict[str, t.Any]:
    """Give the host's result; the connection is one that must not be used."""
    task = types.SimpleNamespace(
        action="node_result",
        args=args or {"batch": "pushed"},
        check_mode=False,
        diff=False,
        async_val=0,
        get_name=lambda: "x",
    )
    connection = types.SimpleNamespace(transport="ssh", _shell=types.SimpleNamespace(tmpdir=None))
    fakes: list[t.Any] = [task, connection, None, None, None, None]
    return ActionModule(*fakes).run(task_vars={"inventory_hostname": host, **task_vars})


RESULTS: tuple[tuple[str, dict[str, t.Any]], ...] = (
    ("a", {"changed": True, "msg": "Updated: dune_production."}),
    ("b", {"changed": False, "unreachable": True}),
    ("c", {"changed": False, "msg": "No service of this run has a token for c."}),
)


@pytest.mark.parametrize(("host", "wanted"), RESULTS)
def test_run_gives_each_host_its_own_result(host: str, wanted: dict[str, t.Any]) -> None:
    result = result_of(host, pushed=BATCH)
    assert {key: result[key] for key in wanted} == wanted
    assert "failed" not in result


def test_run_with_options_of_its_own_gives_the_same_and_refuses_wrong_ones() -> None:
    args = {"node": "a", "outcomes": BATCH["outcomes"][:1]}
    assert result_of("x", args)["msg"] == "Updated: dune_production."
    with pytest.raises(AnsibleActionFail, match=r"^Unsupported options for node_result: nod\. Supported"):
        result_of("x", {"batch": "pushed", "nod": "a"}, pushed=BATCH)


LOST: dict[str, t.Any] = {
    "outcomes": [BATCH["outcomes"][1], {**BATCH["outcomes"][1], "node": "a"}],
    "nodes": {"b": [0], "a": [1]},
}
STORED = {"outcomes": [outcome("store", "failed", credd="c1", kind="timed_out", message="c1 is late").to_dict()]}


@pytest.mark.parametrize(
    ("pushed", "host", "hosts", "is_told"),
    [
        (LOST, "b", ["b", "a"], True),
        (LOST, "a", ["b", "a"], False),
        (LOST, "b", ["b", "a", "without service"], False),
        (BATCH, "b", ["b", "a"], False),
    ],
)
def test_run_first_host_says_what_the_verdict_cannot_when_no_host_is_well(
    pushed: dict[str, t.Any], host: str, hosts: list[str], is_told: bool
) -> None:
    args = {"batch": "pushed", "batches": ["stored", "pushed", "record"]}
    result = result_of(host, args, pushed=pushed, stored=STORED, ansible_play_hosts_all=hosts)
    assert result["unreachable"]
    words = " The whole run: 0 of 1 services well, 0 of 2 (service, node) pairs in place, 0 of them renewed."
    assert (words in result["msg"]) is is_told


@pytest.mark.parametrize("batch", [{}, {"pushed": None}, {"pushed": {"skipped": True}}])
def test_run_without_a_batch_says_how_to_start(batch: dict[str, t.Any]) -> None:
    result = result_of("a", **batch)
    assert (result["failed"], result["kind"]) == (True, "stage_order")
    assert "start the whole play, without --start-at-task and --skip-tags" in result["msg"]
