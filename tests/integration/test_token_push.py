# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove the main job: every token in its place, and only there, on nodes that are real ssh servers."""

from __future__ import annotations

import base64
import json
import re

import pytest
from laboratory import VENV, Laboratory


@pytest.fixture(scope="module")
def pushed(light: Laboratory) -> Laboratory:
    """Give a laboratory in which one full run went well."""
    done = light.push()
    assert done.status == 0, done.output
    return light


def test_every_file_is_there_private_and_owned_by_the_account(pushed: Laboratory) -> None:
    kept = set(pushed.kept_tokens().values())
    for node, files in pushed.all_files().items():
        expected = set()
        for service in pushed.services_on(node):
            token_files = [f"/tmp/vt_u{service['uid']}", f"/tmp/vt_u{service['uid']}-{service['name']}"]
            role_file = f"/tmp/default_role_{service['experiment']}_{service['uid']}"
            for path in [*token_files, role_file]:
                mode, owner, _content = files[path]
                assert (mode, owner) == ("0400", str(service["uid"])), (node, path)
            assert files[role_file][2] == f"{service['role']}\n"
            contents = {files[path][2] for path in token_files}
            assert len(contents) == 1
            assert contents.pop() in kept
            expected |= {*token_files, role_file}
        assert set(files) == expected, f"{node} has other files than its services' own"


def test_services_have_tokens_of_their_own(pushed: Laboratory) -> None:
    files = pushed.all_files()
    tokens = [
        files[node][f"/tmp/vt_u{service['uid']}"][2]
        for service in pushed.services
        for node in pushed.nodes_of(service)[:1]
    ]
    assert len(set(tokens)) == len(pushed.services)


def test_real_htgettoken_on_a_node_gets_a_bearer_token_with_the_pushed_token(pushed: Laboratory) -> None:
    service = pushed.services[0]
    node = pushed.nodes_of(service)[0]
    done = pushed.node(
        node,
        "runuser",
        "-u",
        service["account"],
        "--",
        "env",
        "-i",
        "PATH=/usr/bin:/bin",
        f"{VENV}/bin/htgettoken",
        "--nokerberos",
        "--nooidc",
        "-a",
        pushed.layout["vault"]["name"],
        "-i",
        service["experiment"],
        "-r",
        service["role"],
        f"--credkey={service['credkey']}",
        f"--vaulttokenfile=/tmp/vt_u{service['uid']}-{service['name']}",
        "-o",
        "/tmp/bt_of_the_test",
    )
    assert "succeeded" in done.output
    mode, owner, bearer = pushed.files(node)["/tmp/bt_of_the_test"]
    pushed.node(node, "rm", "/tmp/bt_of_the_test")
    claims = bearer.split(".")[1]
    subject = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (owner, subject["sub"], subject["lab.role"]) == (str(service["uid"]), service["account"], service["role"]), (
        mode
    )


def test_a_second_run_changes_nothing(pushed: Laboratory) -> None:
    before = pushed.all_files()
    kept = pushed.kept_tokens()
    done = pushed.push()
    assert done.status == 0, done.output
    assert done.changed == 0, done.output
    assert set(done.recap) == set(pushed.nodes)
    assert pushed.all_files() == before
    assert pushed.kept_tokens() == kept


def test_there_is_one_connection_for_each_pair(pushed: Laboratory) -> None:
    before = pushed.all_connections()
    assert pushed.push().status == 0
    after = pushed.all_connections()
    assert {node: after[node] - before[node] for node in pushed.nodes} == {
        node: len(pushed.services_on(node)) for node in pushed.nodes
    }


def programs_of(laboratory: Laboratory, *options: str) -> list[str]:
    """Give the programs that a run of the push stage executes, by the kernel's account of it."""
    traced = ("strace", "-f", "-qq", "-e", "trace=execve", "-o", "/home/mtokens/trace")
    words = ("ansible-playbook", "fife.managed_tokens.token_push", "--tags", "push", *options)
    done = laboratory.run(*traced, *words, "-e", "managed_tokens_ping_probe=none")
    assert done.status == 0, done.output
    trace = laboratory.run("cat", "/home/mtokens/trace").output
    laboratory.run("rm", "/home/mtokens/trace")
    return sorted(re.findall(r'execve\("([^"]+)".* = 0$', trace, re.MULTILINE))


def test_no_process_is_started_for_a_push(pushed: Laboratory) -> None:
    pushed.strip()
    for_all = programs_of(pushed)
    pushed.strip()
    for_one = programs_of(pushed, "--limit", "mu2egpvm01.lab.example")
    assert pushed.push().status == 0
    assert for_all == for_one
    assert not [name for name in for_all if "ssh" in name or "rsync" in name]
    assert [name for name in for_all if name.endswith("ansible-playbook")]


def test_a_limit_to_one_node_takes_only_its_services(pushed: Laboratory) -> None:
    node = pushed.nodes[0]
    others = [name for name in pushed.nodes if name != node]
    before = pushed.all_connections()
    done = pushed.push("--limit", node, "-v")
    assert done.status == 0, done.output
    assert set(done.recap) == {node}
    after = pushed.all_connections()
    assert [after[name] - before[name] for name in others] == [0] * len(others)
    assert after[node] - before[node] == len(pushed.services_on(node))
    absent = [service["name"] for service in pushed.services if node not in pushed.nodes_of(service)]
    assert absent
    assert not [name for name in absent if name in done.output]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("nova", "nova"), ("*gpvm01*", "gpvm01"), ("experiments:!dune:!shared01.lab.example", "nodune")],
)
def test_limits_by_experiment_and_pattern(pushed: Laboratory, limit: str, expected: str) -> None:
    by_case = {
        "nova": {node["name"] for node in pushed.layout["nodes"] if "nova" in node["experiments"]},
        "gpvm01": {node for node in pushed.nodes if "gpvm01" in node},
        "nodune": {
            node["name"]
            for node in pushed.layout["nodes"]
            if "dune" not in node["experiments"] and node["name"] != "shared01.lab.example"
        },
    }
    done = pushed.push("--limit", limit)
    assert done.status == 0, done.output
    assert set(done.recap) == by_case[expected]


def test_narrowing_to_a_service_leaves_the_others_alone(pushed: Laboratory) -> None:
    before = pushed.all_connections()
    done = pushed.push("-e", "managed_tokens_service=dune_production")
    assert done.status == 0, done.output
    service = pushed.service("dune_production")
    after = pushed.all_connections()
    assert {node for node in pushed.nodes if after[node] > before[node]} == set(pushed.nodes_of(service))


def test_a_wrong_mode_and_a_wrong_content_are_repaired(pushed: Laboratory) -> None:
    service = pushed.services[0]
    node = pushed.nodes_of(service)[0]
    good = pushed.files(node)
    wide, other = f"/tmp/vt_u{service['uid']}", f"/tmp/vt_u{service['uid']}-{service['name']}"
    pushed.node(node, "chmod", "0644", wide)
    pushed.node(node, "/usr/bin/python3", "-c", f"open({other!r}, 'w').write('nonsense\\n')")
    done = pushed.push()
    assert done.status == 0, done.output
    assert done.recap[node].changed >= 1
    assert pushed.files(node) == good


def test_check_mode_changes_nothing_and_tells_what_would_change(pushed: Laboratory) -> None:
    service = pushed.services[0]
    node = pushed.nodes_of(service)[0]
    path = f"/tmp/vt_u{service['uid']}"
    pushed.node(node, "rm", path)
    before, kept = pushed.all_files(), pushed.kept_tokens()
    requests = pushed.run("wc", "-l", "/srv/lab/log/vault.jsonl", user="root").output
    done = pushed.push("--check", "--diff")
    assert done.status == 0, done.output
    assert f"{path}: absent" in done.output
    assert done.recap[node].changed >= 1
    assert pushed.all_files() == before
    assert pushed.kept_tokens() == kept
    assert pushed.leftovers() == []
    assert requests  # the vault server is only looked at: nothing but look-ups of tokens' own lives
    log = pushed.run("tail", "-n", f"+{int(requests.split()[0]) + 1}", "/srv/lab/log/vault.jsonl", user="root").output
    assert "lookup-self" in log
    assert '"POST"' not in log
    assert pushed.push().status == 0


def test_check_mode_before_the_first_run_tells_that_all_would_change(pushed: Laboratory) -> None:
    pushed.run("rm", "-rf", "/srv/lab/state/service-credd-vault-tokens")
    done = pushed.push("--check", "-v")
    assert done.status == 0, done.output
    assert "would obtain a new token: no token is kept yet" in done.flat
    assert all(line.changed for line in done.recap.values())
    assert pushed.kept_tokens() == {}
    assert pushed.push().status == 0


def test_tags_reach_up_to_their_stage(pushed: Laboratory) -> None:
    before = pushed.all_connections()
    for tag in ("tickets", "store", "ping"):
        done = pushed.push("--tags", tag)
        assert done.status == 0, done.output
    assert pushed.all_connections() == before
    assert f"{len(pushed.nodes)} of {len(pushed.nodes)} nodes answer." in done.flat
    done = pushed.push("--tags", "push")
    assert done.status == 0, done.output
    assert done.changed == 0, done.output
    assert set(done.recap) == set(pushed.nodes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tags", "psuh"), "--tags psuh: no stage of a run has this tag; did you mean push?"),
        (("--skip-tags", "push"), "--skip-tags push: that leaves out the tickets, which the other stages need."),
    ],
)
def test_tags_that_cannot_be_meant_are_refused(pushed: Laboratory, options: tuple[str, ...], words: str) -> None:
    done = pushed.push(*options)
    assert done.status == 2, done.output
    assert words in done.flat


def test_nothing_of_a_run_is_left_on_the_token_host(pushed: Laboratory) -> None:
    assert pushed.push().status == 0
    assert pushed.leftovers() == []
    assert pushed.node_leftovers() == []


def test_state_absent_removes_the_files(pushed: Laboratory) -> None:
    play = pushed.run("sh", "-c", "cat > /home/mtokens/absent.yml <<'E'\n" + ABSENT + "\nE")
    assert play.status == 0
    done = pushed.play("/home/mtokens/absent.yml")
    assert done.status == 0, done.output
    assert [files for files in pushed.all_files().values() if files] == []
    again = pushed.play("/home/mtokens/absent.yml")
    assert again.status == 0
    assert again.changed == 0
    assert pushed.push().status == 0
    assert all(pushed.all_files().values())


ABSENT = """
- hosts: experiments
  gather_facts: false
  connection: local
  tasks:
    - fife.managed_tokens.service_info:
        experiments: "{{ managed_tokens_experiments }}"
        principal: "{{ managed_tokens_principal }}"
        keytab_path: "{{ managed_tokens_keytab_path }}"
        vault_server: "{{ managed_tokens_vault_server }}"
        token_getter: "{{ managed_tokens_token_getter | default(omit) }}"
        collectors: "{{ managed_tokens_collectors }}"
        token_dir: "{{ managed_tokens_token_dir }}"
      run_once: true
      register: setup
    - fife.managed_tokens.kinit_service:
        services: "{{ setup.services }}"
        run: "{{ setup.run }}"
      run_once: true
      register: tickets
    - fife.managed_tokens.push_vault_token:
        services: "{{ tickets.services }}"
        run: "{{ tickets.run }}"
        known_hosts: "{{ managed_tokens_known_hosts }}"
        state: absent
      run_once: true
      register: pushed
    - fife.managed_tokens.node_result:
        batch: pushed
"""


def test_a_kept_token_that_vault_refuses_is_not_pushed_without_the_store_stage(pushed: Laboratory) -> None:
    service, *others = pushed.services
    directory = "/srv/lab/state/service-credd-vault-tokens"
    spoil = f"for file in {directory}/vt_*-{service['name']}; do echo hvs.$(printf '%090d' 0) > $file; done"
    before = pushed.all_files()
    pushed.run("sh", "-c", spoil)
    try:
        done = pushed.push("--tags", "push")
    finally:
        pushed.run("sh", "-c", f"rm {directory}/vt_*-{service['name']}")
    assert done.status == 2, done.output
    place = f"{service['name']} on {pushed.nodes_of(service)[0]}"
    assert f"{place}: not tried: the token that is kept for it cannot be used" in done.flat
    assert "does not accept it (HTTP 403)" in done.flat
    assert "leave --tags push out" in done.flat
    assert not any(f"{other['name']} on" in done.flat for other in others)
    assert pushed.all_files() == before
    assert pushed.push().status == 0
