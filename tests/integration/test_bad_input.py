# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the run bad input: one clear sentence that names the place, nothing touched, exit status not 0."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import VENV, Laboratory

GOOD: dict[str, t.Any] = {"account": "dunepro", "uid": 50100}


def dune(**role: t.Any) -> dict[str, t.Any]:
    return {"dune": {"roles": {"production": role}}}


CASES: list[tuple[str, dict[str, t.Any], str]] = [
    (
        "unknown key",
        {"experiments": dune(**GOOD, keytap="/x")},
        "managed_tokens_experiments.dune.roles.production has an unknown key 'keytap'; did you mean 'keytab'?",
    ),
    (
        "unknown experiment key",
        {"experiments": {"dune": {"mails": [], "roles": {"production": GOOD}}}},
        "managed_tokens_experiments.dune has an unknown key 'mails'; did you mean 'emails'?",
    ),
    ("no account", {"experiments": dune(uid=50100)}, "managed_tokens_experiments.dune.roles.production has no account"),
    (
        "no nodes",
        {"experiments": dune(**GOOD, nodes=[])},
        "managed_tokens_experiments.dune.roles.production.nodes is empty",
    ),
    (
        "no group",
        {"experiments": {"icarus": {"roles": {"production": GOOD}}}},
        "the inventory has no group 'icarus' with hosts",
    ),
    (
        "unknown node",
        {"experiments": dune(**GOOD, nodes=["dunegpvm1.lab.example"])},
        "which is neither a host nor a group of the inventory; did you mean 'dunegpvm01.lab.example'?",
    ),
    (
        "two underscores",
        {"experiments": {"dune": {"roles": {"pro_duction": GOOD}}}},
        "The role 'pro_duction' of experiment dune has an underscore",
    ),
    (
        "numeric experiment",
        {"experiments": {"1e5": {"roles": {"production": {**GOOD, "nodes": ["dune"]}}}}},
        "The experiment '1e5' looks like a number",
    ),
    (
        "numeric account",
        {"experiments": dune(account="0123", uid=50100)},
        "managed_tokens_experiments.dune.roles.production.account is '0123', which looks like a number",
    ),
    (
        "uid 0",
        {"experiments": dune(account="dunepro", uid=0)},
        "managed_tokens_experiments.dune.roles.production.uid is 0; a token is never pushed for UID 0",
    ),
    (
        "uid negative",
        {"experiments": dune(account="dunepro", uid=-5)},
        "managed_tokens_experiments.dune.roles.production.uid is -5",
    ),
    (
        "uid text",
        {"experiments": dune(account="dunepro", uid="many")},
        "managed_tokens_experiments.dune.roles.production.uid is 'many'; it has to be a whole number",
    ),
    (
        "timeouts",
        {"timeouts": {"connect": 40, "push": 30}},
        "managed_tokens_timeouts.connect (40 s) has to be shorter than managed_tokens_timeouts.push (30 s)",
    ),
    ("timeout key", {"timeouts": {"conect": 4}}, "managed_tokens_timeouts has an unknown key 'conect'"),
    (
        "timeout value",
        {"timeouts": {"push": "soon"}},
        "managed_tokens_timeouts.push is 'soon'; it has to be a number of seconds",
    ),
    ("placeholder", {"principal": "{acount}@LAB.EXAMPLE"}, "has the placeholder '{acount}'; did you mean 'account'?"),
    (
        "setting",
        {"vault_sever": "x"},
        "The variable managed_tokens_vault_sever is unknown; did you mean 'managed_tokens_vault_server'?",
    ),
    ("getter", {"token_getter": "condr"}, "token_getter"),
    (
        "service",
        {"service": ["dune_prod"]},
        "managed_tokens_service names 'dune_prod', which is not configured; did you mean 'dune_production'?",
    ),
    (
        "experiment",
        {"experiment": ["dun"]},
        "managed_tokens_experiment names 'dun', which is not configured; did you mean 'dune'?",
    ),
    (
        "lifetime",
        {"min_token_lifetime": "soon"},
        "managed_tokens_min_token_lifetime is 'soon'; it has to be a duration like 12h or 3d",
    ),
    ("concurrency", {"push_concurrency": 0}, "managed_tokens_push_concurrency is 0; it has to be at least 1"),
    ("kex", {"kex_algorithms": ["rot13"]}, "managed_tokens_kex_algorithms"),
    (
        "known hosts",
        {"known_hosts": ["/nonexistent"]},
        "managed_tokens_known_hosts: /nonexistent is no file that can be read",
    ),
    ("type", {"push_retries": "often"}, "managed_tokens_push_retries"),
]


def footprint(laboratory: Laboratory) -> tuple[object, ...]:
    """Give what a refused run must not have touched."""
    requests = laboratory.run("sh", "-c", "cat /srv/lab/log/vault.jsonl | wc -l", user="root").output
    logins = list(laboratory.all_connections().values())
    return requests, logins, laboratory.kept_tokens(), laboratory.leftovers()


@pytest.mark.parametrize(("given", "sentence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_input_is_named_and_nothing_touched(light: Laboratory, given: dict[str, t.Any], sentence: str) -> None:
    before = footprint(light)
    done = light.push("-e", json.dumps({f"managed_tokens_{key}": value for key, value in given.items()}))
    assert done.status not in (0, 4), done.output
    assert sentence in done.flat, done.output
    assert "Traceback" not in done.output
    assert footprint(light) == before


def test_several_problems_are_told_at_once(light: Laboratory) -> None:
    experiments = {
        "dune": {"roles": {"production": {"uid": -1}}},
        "nova": {"roles": {}},
        "mu_2e": {"roles": {"x": GOOD}},
    }
    done = light.push("-e", json.dumps({"managed_tokens_experiments": experiments}))
    assert done.status == 2
    for sentence in (
        "dune.roles.production has no account",
        "nova has no roles",
        "The experiment 'mu_2e' has an underscore",
    ):
        assert sentence in done.flat, done.output


def test_a_missing_program_is_named_with_how_to_install_it(light: Laboratory) -> None:
    done = light.run(
        "env",
        "PATH=/nonexistent",
        f"{VENV}/bin/python",
        f"{VENV}/bin/ansible-playbook",
        "fife.managed_tokens.token_push",
        check=False,
    )
    assert done.status == 2, done.output
    assert "Not installed on the token host, or not in PATH: htgettoken (" in done.flat


def test_root_is_refused_where_credds_are_involved(light: Laboratory) -> None:
    before = footprint(light)
    words = ("ansible-playbook", "fife.managed_tokens.token_push", "-e", "managed_tokens_token_getter=condor")
    done = light.run(*words, user="root", check=False)
    assert done.status == 2, done.output
    assert "kind: running_as_root" in done.output
    assert "Run it as an ordinary user." in done.flat
    assert footprint(light) == before


def test_a_missing_python_package_is_named_with_how_to_install_it(light: Laboratory) -> None:
    hide = "import sys\nfor n in ('asyncssh',):\n sys.modules[n] = None\n"
    light.run("sh", "-c", f"mkdir -p /home/mtokens/hide && cat > /home/mtokens/hide/sitecustomize.py <<'E'\n{hide}E")
    done = light.push(env={"PYTHONPATH": "/home/mtokens/hide"})
    assert done.status == 2, done.output
    assert "The Python package asyncssh is not installed for" in done.flat
    assert "pip install asyncssh" in done.flat


def test_two_services_for_one_destination_are_warned_of_and_the_winner_is_always_the_same(light: Laboratory) -> None:
    both = {"dune": {"roles": {"production": GOOD, "test": {**GOOD, "keytab": "/srv/lab/keytabs/dunepro.keytab"}}}}
    given = json.dumps({"managed_tokens_experiments": both})
    narrowed = json.dumps({"managed_tokens_experiments": both, "managed_tokens_service": ["dune_test"]})
    for options in (["-e", given], ["-e", given], ["-e", narrowed]):
        done = light.push(*options, "--limit", "dunegpvm01.lab.example", "--tags", "tickets,push", "--check")
        assert (
            "dune_production and dune_test both write /tmp/vt_u50100 on dunegpvm01.lab.example, "
            "dunegpvm02.lab.example, "
            "dunegpvm03.lab.example; dune_production wins, always (first by name)." in done.flat
        ), done.output
