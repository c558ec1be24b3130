# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that no play setting, variable or option can make a once-stage run in pieces, elsewhere, or in somebody
else's shape."""

from __future__ import annotations

import json

import pytest
from laboratory import Laboratory

PLAY = """
- name: A play of somebody's own
  hosts: experiments
  gather_facts: false
  connection: local
  {keywords}
  tasks:
    - name: Run all stages
      ansible.builtin.import_role:
        name: fife.managed_tokens.token_push
"""


def write_play(laboratory: Laboratory, keywords: str) -> str:
    path = "/home/mtokens/own.yml"
    laboratory.run("/usr/bin/python3", "-c", f"open({path!r}, 'w').write({PLAY.format(keywords=keywords)!r})")
    return path


def connections(laboratory: Laboratory) -> dict[str, int]:
    return laboratory.all_connections()


def vault_requests(laboratory: Laboratory) -> int:
    return int(laboratory.run("sh", "-c", "cat /srv/lab/log/vault.jsonl | wc -l", user="root").output)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ("serial: 2", "works on all 8 hosts of the play at once, and this batch has only 2 of them: remove serial"),
        ("strategy: free", "bypasses the host loop"),
        ("strategy: host_pinned", "bypasses the host loop"),
    ],
)
def test_a_play_in_pieces_is_refused_before_anything_is_touched(
    light: Laboratory, keywords: str, sentence: str
) -> None:
    before, requests = connections(light), vault_requests(light)
    done = light.play(write_play(light, keywords))
    assert done.status != 0, done.output
    assert sentence in done.flat
    assert connections(light) == before
    assert vault_requests(light) == requests


def test_strategy_and_errors_of_the_environment_do_not_reach_the_playbook(light: Laboratory) -> None:
    with light.fault("account-refused", "dunepro", "dunegpvm01.lab.example"):
        done = light.push(env={"ANSIBLE_STRATEGY": "free", "ANSIBLE_ANY_ERRORS_FATAL": "true"})
    assert done.status == 2, done.output
    assert [node for node in light.nodes if done.recap[node].failed] == ["dunegpvm01.lab.example"]


def test_a_poisoned_first_host_shapes_nothing(light: Laboratory) -> None:
    first = light.nodes[0]
    poison = {
        "ansible_connection": "ssh",
        "ansible_host_key_checking": False,
        "ansible_python_interpreter": "/nonexistent",
        "ansible_become": True,
        "ansible_become_user": "nobody",
        "ansible_user": "nobody",
        "ansible_remote_tmp": "/nonexistent",
    }
    inventory = {"experiments": {"hosts": {first: poison}}}
    light.run("/usr/bin/python3", "-c", f"open('/home/mtokens/poison.json', 'w').write({json.dumps(inventory)!r})")
    done = light.push("-i", "/srv/lab/inventory", "-i", "/home/mtokens/poison.json")
    assert done.status == 0, done.output
    assert set(done.recap) == set(light.nodes)


def test_an_unreachable_first_host_stops_nobody(light: Laboratory) -> None:
    first = light.nodes[0]
    with light.fault("node-blackholed", first):
        done = light.push()
    assert done.status == 4
    assert [node for node in light.nodes if done.recap[node].unreachable or done.recap[node].failed] == [first]


def test_a_setting_of_the_run_in_host_vars_is_refused(light: Laboratory) -> None:
    inventory = {"experiments": {"hosts": {light.nodes[0]: {"managed_tokens_vault_server": "evil.example"}}}}
    light.run("/usr/bin/python3", "-c", f"open('/home/mtokens/odd.json', 'w').write({json.dumps(inventory)!r})")
    requests = vault_requests(light)
    done = light.push("-i", "/srv/lab/inventory", "-i", "/home/mtokens/odd.json")
    assert done.status != 0
    assert f"managed_tokens_vault_server is not the same for the hosts {light.nodes[0]}" in done.flat
    assert vault_requests(light) == requests


def test_starting_in_the_middle_says_to_start_the_whole_play(light: Laboratory) -> None:
    for task in (
        "Put the tokens on the nodes",
        "Show what came of the node",
        "Bring vault tokens up to date on the credds",
    ):
        done = light.push("--start-at-task", f"fife.managed_tokens.token_push : {task}")
        assert done.status != 0, done.output
        assert "start the whole play" in done.flat, done.output


def test_a_node_of_two_experiments_has_one_line_that_holds_both(light: Laboratory) -> None:
    shared = "shared01.lab.example"
    assert {service["experiment"] for service in light.services_on(shared)} == {"mu2e", "nova"}
    with light.fault("account-refused", "mu2epro", shared):
        done = light.push("-v")
    assert done.status == 2
    assert done.recap[shared].failed == 1
    assert f"mu2e_production on {shared}" in done.flat
    done = light.push("-v")
    assert done.status == 0
    assert sum(line.startswith((f"ok: [{shared}]", f"changed: [{shared}]")) for line in done.output.splitlines()) == 1


def test_no_hosts_is_not_a_green_run(light: Laboratory) -> None:
    done = light.push("--limit", "nonexistent.example.org")
    assert done.status != 0
    for inventory in ("localhost,", "/dev/null"):
        done = light.push("-i", inventory, env={"ANSIBLE_INVENTORY": inventory})
        assert done.status != 0, done.output
        assert "The inventory has no group experiments with hosts" in done.flat
    done = light.push("-e", "{managed_tokens_experiments: {}}")
    assert done.status != 0
    assert "managed_tokens_experiments is empty" in done.flat


def test_a_verdict_of_a_service_without_a_failed_node_fails_the_run(light: Laboratory) -> None:
    with light.fault("keytab-missing", "novapro"):
        done = light.push("--tags", "tickets")
    assert done.status == 2, done.output
    assert "4 of 5 services well" in done.flat
    assert "Install the keytab at the path in the message." in done.flat
