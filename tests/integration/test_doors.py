# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that every module gives the same through AnsiballZ, over Ansible's own ssh connection, as in Ansible's own
process."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import Laboratory

PLAY = """
- hosts: experiments
  gather_facts: false
  connection: local
  environment: "{{{{ {{'PATH': lookup('ansible.builtin.env', 'PATH')}} }}}}"
  vars:
    token_host: "{host}"
  tasks:
    - fife.managed_tokens.ferry_uids:
        experiments: "{{{{ managed_tokens_experiments }}}}"
        ferry_url: "{{{{ managed_tokens_ferry_url }}}}"
        ferry_cert: "{{{{ managed_tokens_ferry_cert }}}}"
        ferry_key: "{{{{ managed_tokens_ferry_key }}}}"
        ferry_ca: "{{{{ managed_tokens_ferry_ca }}}}"
        database: "{{{{ managed_tokens_database }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: uids
    - fife.managed_tokens.service_info:
        experiments: "{{{{ managed_tokens_experiments }}}}"
        principal: "{{{{ managed_tokens_principal }}}}"
        keytab_path: "{{{{ managed_tokens_keytab_path }}}}"
        vault_server: "{{{{ managed_tokens_vault_server }}}}"
        token_getter: htgettoken
        token_dir: /home/mtokens/kept
        database: "{{{{ managed_tokens_database }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: setup
    - fife.managed_tokens.kinit_service:
        services: "{{{{ setup.services }}}}"
        run: "{{{{ setup.run }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: tickets
    - fife.managed_tokens.vault_token_store:
        services: "{{{{ tickets.services }}}}"
        run: "{{{{ tickets.run }}}}"
        vault_ca: "{{{{ managed_tokens_vault_ca }}}}"
        push:
          known_hosts: "{{{{ managed_tokens_known_hosts }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: stored
    - fife.managed_tokens.ping_nodes:
        services: "{{{{ stored.services }}}}"
        run: "{{{{ stored.run }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: pings
    - fife.managed_tokens.push_vault_token:
        services: "{{{{ stored.services }}}}"
        run: "{{{{ stored.run }}}}"
        unanswered: "{{{{ pings.unanswered }}}}"
        known_hosts: "{{{{ managed_tokens_known_hosts }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: pushed
    - fife.managed_tokens.kinit_service:
        run: "{{{{ tickets.run }}}}"
        state: absent
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: removed
    - fife.managed_tokens.run_record:
        run: "{{{{ setup.run }}}}"
        batches: [setup, tickets, stored, pings, pushed]
        database: "{{{{ managed_tokens_database }}}}"
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: recorded
    - fife.managed_tokens.node_result:
        batch: pushed
      register: node
    - fife.managed_tokens.run_verdict:
        batches: [setup, tickets, stored, pings, pushed, recorded]
      run_once: true
      delegate_to: "{{{{ token_host }}}}"
      register: verdict
    - ansible.builtin.copy:
        content: "{{{{ {{'setup': setup, 'tickets': tickets, 'stored': stored, 'pings': pings, 'pushed': pushed,
        'removed': removed,
                   'uids': uids, 'recorded': recorded,
                   'node': node, 'verdict': verdict}} | to_json }}}}"
        dest: /home/mtokens/results.json
        mode: "0600"
      run_once: true
      delegate_to: localhost
"""

VOLATILE = {
    "started",
    "seconds",
    "life",
    "expires",
    "id",
    "deadline",
    "directory",
    "ccache",
    "invocation",
    "ansible_facts",
    "_ansible_verbose_always",
}


def stable(value: t.Any) -> t.Any:
    """Leave out what differs from run to run by nature."""
    if isinstance(value, dict):
        return {key: stable(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [stable(item) for item in value]
    return value


@pytest.fixture(scope="module")
def results(light: Laboratory) -> dict[str, dict[str, t.Any]]:
    """Run the same play through both doors, from the same beginning."""
    light.lab("heal")
    light.allow_ssh_to_token_host()
    found = {}
    for door, host in (("in-process", "localhost"), ("module", "tokenhost")):
        light.run("sh", "-c", "rm -rf /home/mtokens/kept")
        light.strip()
        light.run("/usr/bin/python3", "-c", f"open('/home/mtokens/doors.yml', 'w').write({PLAY.format(host=host)!r})")
        done = light.play("-i", "/srv/lab/inventory", "-i", "/home/mtokens/tokenhost.json", "/home/mtokens/doors.yml")
        assert done.status == 0, done.output
        found[door] = json.loads(light.run("cat", "/home/mtokens/results.json").output)
        assert light.leftovers() == []
        assert (
            light.node(
                light.nodes[-1], "sh", "-c", "ls -d /tmp/managed-tokens-* /tmp/ansible* 2> /dev/null || true"
            ).output
            == ""
        )
    return found


@pytest.mark.parametrize(
    "task", ["uids", "setup", "tickets", "stored", "pings", "pushed", "removed", "recorded", "node", "verdict"]
)
def test_both_doors_give_the_same_result(results: dict[str, dict[str, t.Any]], task: str) -> None:
    assert stable(results["module"][task]) == stable(results["in-process"][task])


def test_both_doors_put_every_token_in_its_place(results: dict[str, dict[str, t.Any]], light: Laboratory) -> None:
    for door in results.values():
        assert [outcome["status"] for outcome in door["pushed"]["outcomes"]] == ["changed"] * light.pairs


def test_the_role_works_from_another_token_host(results: dict[str, dict[str, t.Any]], light: Laboratory) -> None:
    assert results
    light.strip()
    done = light.push(
        "-i", "/srv/lab/inventory", "-i", "/home/mtokens/tokenhost.json", "-e", "managed_tokens_token_host=tokenhost"
    )
    assert done.status == 0, done.output
    assert "-> tokenhost" in done.output
    assert [len(files) for files in light.all_files().values()] == [
        3 * len(light.services_on(node)) for node in light.nodes
    ]
    assert light.leftovers() == []


def test_a_refused_configuration_reads_the_same_through_both_doors(light: Laboratory) -> None:
    said = []
    for host in ("localhost", "tokenhost"):
        play = PLAY.format(host=host).replace(
            'experiments: "{{ managed_tokens_experiments }}"', "experiments: {dune: {roles: {production: {}}}}"
        )
        light.run("/usr/bin/python3", "-c", f"open('/home/mtokens/bad.yml', 'w').write({play!r})")
        done = light.play("-i", "/srv/lab/inventory", "-i", "/home/mtokens/tokenhost.json", "/home/mtokens/bad.yml")
        assert done.status == 2
        assert "kind: bad_input" in done.output
        said.append([line.strip() for line in done.output.splitlines() if "has no account" in line][-1])
    assert said[0] == said[1]
