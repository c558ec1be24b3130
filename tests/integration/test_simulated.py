# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that simulated nodes behave towards a push as real ones do, so that what is measured with them means
something."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from laboratory import Laboratory

if t.TYPE_CHECKING:
    from collections.abc import Iterator

ASK = "/srv/ansible/ansible_collections/fife/managed_tokens/lab/world/ask_simulator.py"
NODES = 5


@pytest.fixture(scope="module")
def simulated() -> Iterator[Laboratory]:
    """Start a laboratory of simulated nodes, unevenly spread over two experiments of two roles."""
    laboratory = Laboratory("it-simulated")
    laboratory.up("--light", "--simulated", str(NODES), "--experiments", "2")
    yield laboratory
    laboratory.lab("down", check=False)


def ask(laboratory: Laboratory, *words: str) -> t.Any:
    return json.loads(laboratory.run("/usr/bin/python3", ASK, *words, user="root").output)


def right_files(laboratory: Laboratory) -> dict[str, dict[str, list[t.Any]]]:
    """Give what has to stand on the nodes, by node and path: mode, UID and content."""
    kept = {name.rpartition("-")[2]: content for name, content in laboratory.kept_tokens().items()}
    wanted: dict[str, dict[str, list[t.Any]]] = {}
    for node in laboratory.nodes:
        files = wanted.setdefault(node, {})
        # Of two services that would write the same path none is here: each has an account of its own.
        for service in laboratory.services_on(node):
            uid, name = service["uid"], service["name"]
            for path in (f"/tmp/vt_u{uid}", f"/tmp/vt_u{uid}-{name}"):
                files[path] = [0o400, uid, kept[name]]
            files[f"/tmp/default_role_{service['experiment']}_{uid}"] = [0o400, uid, f"{service['role']}\n"]
    return wanted


def found_files(laboratory: Laboratory) -> dict[str, dict[str, list[t.Any]]]:
    return {
        node: {path: [mode, uid, base64.b64decode(content).decode()] for path, (mode, uid, content) in files.items()}
        for node, files in ask(laboratory, "files").items()
    }


def test_tokens_are_put_looked_at_and_replaced(simulated: Laboratory) -> None:
    assert [len(simulated.nodes_of(service)) for service in simulated.services] == [3, 3, 2, 2]
    before = ask(simulated, "counts")["logins"]
    first = simulated.push()
    assert first.status == 0, first.output
    assert found_files(simulated) == right_files(simulated)
    assert ask(simulated, "counts")["logins"] - before == simulated.pairs
    second = simulated.push()
    assert "0 of them renewed" in second.flat, second.output
    assert ask(simulated, "alter") == 3 * simulated.pairs
    assert found_files(simulated) != right_files(simulated)
    third = simulated.push()
    assert f"{simulated.pairs} of them renewed" in third.flat, third.output
    assert found_files(simulated) == right_files(simulated)


def test_late_answers_make_a_push_longer_and_nothing_else(simulated: Laboratory) -> None:
    ask(simulated, "delay", "0.05")
    try:
        done = simulated.push()
    finally:
        ask(simulated, "delay", "0")
    assert done.status == 0, done.output
    assert found_files(simulated) == right_files(simulated)


def test_a_silent_node_is_unreachable_and_costs_the_others_nothing(simulated: Laboratory) -> None:
    silent = simulated.nodes[0]
    ask(simulated, "empty")
    with simulated.fault("node-blackholed", silent):
        done = simulated.push("-e", json.dumps({"managed_tokens_timeouts": {"connect": 2, "ping": 1}}))
    assert done.status == 4, done.output
    assert done.recap[silent].unreachable == 1
    wanted = right_files(simulated)
    assert found_files(simulated) == {node: files for node, files in wanted.items() if node != silent}


@pytest.mark.parametrize(("account", "is_let_in"), [(0, True), (1, False)])
def test_openssh_is_let_into_the_own_account_only(simulated: Laboratory, account: int, *, is_let_in: bool) -> None:
    own, other = simulated.services[0], simulated.services[account]
    node = simulated.layout["nodes"][0]
    script = (
        'export KRB5CCNAME=FILE:/tmp/krb5cc_simulated; trap "rm -f /tmp/krb5cc_simulated" EXIT\n'
        'kinit -k -t "$1" "$2" && echo "ls -l /tmp/vt_u$5" | sftp -b - -o GSSAPIAuthentication=yes '
        '-o UserKnownHostsFile=/srv/lab/known_hosts -o HostKeyAlias="$3" "$4@$3"'
    )
    words = (own["keytab"], own["principal"], node["name"], other["account"], str(own["uid"]))
    simulated.push()
    done = simulated.run("sh", "-c", script, "sh", *words, check=False)
    assert (done.status == 0) is is_let_in, done.output
    assert ("Permission denied" in done.output) is not is_let_in


def test_a_real_node_s_commands_are_refused(simulated: Laboratory) -> None:
    done = simulated.lab("node", simulated.nodes[0], "--", "true", check=False)
    assert done.status == 2
    assert "simulated" in done.output
