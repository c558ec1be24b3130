# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes get a result of their own, and that the exit status and the verdict do not depend on it."""

from __future__ import annotations

import json

import pytest
from laboratory import Laboratory

FAILED_ONLY = ("-e", "managed_tokens_node_results=failed")
DUNE_NODE = "dunegpvm01.lab.example"
OTHER_NODE = "dunegpvm02.lab.example"


@pytest.fixture(scope="module")
def healthy(light: Laboratory) -> Laboratory:
    """Give a laboratory in which everything is in place; only what heals itself is broken in it."""
    light.lab("heal")
    done = light.push()
    assert done.status == 0, done.output
    return light


def test_with_failed_a_run_that_is_well_shows_its_first_node_and_the_verdict(healthy: Laboratory) -> None:
    before = healthy.all_connections()
    done = healthy.push(*FAILED_ONLY)
    assert done.status == 0, done.output
    assert set(done.recap) == {healthy.nodes[0]}
    assert f"{len(healthy.services)} of {len(healthy.services)} services well" in done.flat
    after = healthy.all_connections()
    for node in healthy.nodes:
        assert after[node] - before[node] == len(healthy.services_on(node)), node


def test_with_failed_a_dead_node_is_shown_and_one_that_is_well_has_the_verdict(healthy: Laboratory) -> None:
    """A node that did not answer gets no other task: were it the play's first, the verdict would have no place."""
    dead = healthy.nodes[0]
    with healthy.fault("node-blackholed", dead):
        done = healthy.push(*FAILED_ONLY)
    assert done.status == 4, done.output
    first_well = next(node for node in healthy.nodes if node != dead)
    told = done.output.rpartition("PLAY [Tell what came of it]")[2].partition("PLAY RECAP")[0]
    results, verdict = told.split("Give the verdict on the run]")
    # Which of the two comes first is the workers' race.
    assert {node for node in healthy.nodes if node in results} == {first_well, dead}
    assert f"ok: [{first_well}]" in results
    assert f"[{dead}]: UNREACHABLE!" in results
    assert "pairs in place" in verdict
    assert f"ok: [{first_well} -> localhost]" in verdict
    assert (done.recap[dead].unreachable, done.recap[first_well].failed) == (1, 0)


def test_with_failed_every_kind_of_failure_has_its_status_and_line(healthy: Laboratory) -> None:
    healthy.lab("fault", "node-blackholed", OTHER_NODE)
    with healthy.fault("account-refused", "dunepro", DUNE_NODE):
        done = healthy.push(*FAILED_ONLY)
    assert done.status == 4, done.output
    assert done.recap[DUNE_NODE].failed == 1
    assert done.recap[OTHER_NODE].unreachable == 1
    assert f"dune_production on {DUNE_NODE}: {DUNE_NODE} does not let the account dunepro in" in done.flat
    assert "pairs in place" in done.flat


def test_with_failed_a_service_without_ticket_fails_its_nodes_and_the_run(healthy: Laboratory) -> None:
    with healthy.fault("keytab-missing", "novapro"):
        done = healthy.push(*FAILED_ONLY, "--limit", "nova")
    assert done.status == 2, done.output
    assert {node for node in done.recap if done.recap[node].failed} == {
        node["name"] for node in healthy.layout["nodes"] if "nova" in node["experiments"]
    }


@pytest.mark.parametrize("which", ["all", "failed"])
def test_when_no_node_is_well_the_first_one_says_what_the_whole_run_came_to(healthy: Laboratory, which: str) -> None:
    healthy.run("touch", "/home/mtokens/no_keys")
    unknown = json.dumps(
        {"managed_tokens_known_hosts": ["/home/mtokens/no_keys"], "managed_tokens_node_results": which}
    )
    done = healthy.push("-e", unknown)
    assert done.status == 2, done.output
    assert all(done.recap[node].failed for node in healthy.nodes)
    # Ansible shows a message twice: as an error, and in the host's result.
    assert 1 <= done.flat.count("The whole run: 0 of ") <= 2
    assert "Give the verdict on the run" not in done.output


def test_with_failed_a_limit_holds_and_may_come_from_a_file(healthy: Laboratory) -> None:
    chosen = healthy.nodes[-2:]
    healthy.run("sh", "-c", f"printf '%s\\n' {' '.join(chosen)} > /home/mtokens/some")
    before = healthy.all_connections()
    done = healthy.push(*FAILED_ONLY, "--limit", "@/home/mtokens/some")
    assert done.status == 0, done.output
    assert len(done.recap) == 1
    assert set(done.recap) < set(chosen)
    after = healthy.all_connections()
    served = {node for node in healthy.nodes if after[node] > before[node]}
    assert served == {node for node in chosen if healthy.services_on(node)}


def test_a_limit_file_without_a_node_is_refused(healthy: Laboratory) -> None:
    healthy.run("sh", "-c", "echo localhost > /home/mtokens/none")
    done = healthy.push("--limit", "@/home/mtokens/none")
    assert done.status != 0
    assert "there is nothing to keep fresh" in done.flat or "no hosts to target" in done.flat


def test_in_check_mode_failed_shows_as_little(healthy: Laboratory) -> None:
    healthy.run("rm", "-rf", "/srv/lab/state/service-credd-vault-tokens")
    done = healthy.push(*FAILED_ONLY, "--check")
    assert done.status == 0, done.output
    assert set(done.recap) == {healthy.nodes[0]}
    assert "would be renewed" in done.flat


def test_another_word_is_refused_before_anything_is_done(healthy: Laboratory) -> None:
    before = healthy.all_connections()
    done = healthy.push("-e", "managed_tokens_node_results=some")
    assert done.status == 2, done.output
    assert "value of managed_tokens_node_results must be one of: all, failed, got: some" in done.flat
    assert healthy.all_connections() == before
