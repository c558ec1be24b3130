# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that is broken, locked, down or not ours stops no token, is told of, and is never touched."""

from __future__ import annotations

import json

import pytest
from laboratory import Laboratory
from remembered import FIXTURE, MAKE_OTHER, state_of, with_database

# How it is broken (a shell script about $1, given $2), which database is named if it is not $1, and the words for it.
BROKEN = {
    "missing, and not to be made": ("true", "/proc/nowhere/managed-tokens.db", "cannot be made"),
    "not a database": ("yes 'no database at all' | head -n 500 > $1", "", "is not an SQLite database"),
    "a directory": ("mkdir $1", "", "cannot be opened"),
    "of something else": (
        'python3 -c "$2" $1 "CREATE TABLE t (a)"',
        "",
        "is an SQLite database of something else: its application_id is 0x00000000",
    ),
    "newer": (
        f'install -m 0600 {FIXTURE} $1 && python3 -c "$2" $1 "PRAGMA user_version = 2"',
        "",
        "has version 2, and this release knows version 1",
    ),
    "PostgreSQL that is down": ("true", "postgresql+psycopg://x@127.0.0.9/managed_tokens", "(PostgreSQL) failed: conn"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_tokens_do_not_wait_for_a_broken_database(light: Laboratory, playground: str, name: str) -> None:
    assert light.push().status == 0  # so that the UIDs have been known
    script, database, words = BROKEN[name]
    path = database or f"{playground}/broken.db"
    light.run("sh", "-c", script, "sh", path, MAKE_OTHER)
    digest = ("sh", "-c", f"ls -lR {playground}; find {playground} -type f -exec sha256sum {{}} +")
    before = light.run(*digest).output
    victim = light.service("dune_production")
    nodes = light.nodes_of(victim)
    for node in nodes:
        light.node(node, "rm", "-f", f"/tmp/vt_u{victim['uid']}")
    done = light.push("-e", "managed_tokens_service=dune_production", *with_database(path))
    assert done.status == 2, done.output
    assert words in done.flat
    assert "1 of 1 services well" in done.flat
    assert "What came of this run is not remembered." in done.flat
    files = light.all_files()
    assert all(f"/tmp/vt_u{victim['uid']}" in files[node] for node in nodes)
    assert light.run(*digest).output == before


def test_an_empty_or_missing_file_becomes_a_database(light: Laboratory, playground: str) -> None:
    light.run("touch", f"{playground}/empty.db")
    for path in (f"{playground}/empty.db", f"{playground}/new/missing.db"):
        # The UIDs are not in these databases, and are not in the inventory either: a role of its own has it.
        uid = light.service("dune_production")["uid"]
        role = {"account": "dunepro", "uid": uid}
        experiments = {"managed_tokens_experiments": {"dune": {"roles": {"production": role}}}}
        done = light.push("-e", json.dumps(experiments), *with_database(path))
        assert done.status == 0, done.output
        assert [run["state"] for run in state_of(light, path)["runs"]] == ["ended"]


@pytest.mark.parametrize("fault", [("database-readonly",), ("database-locked", "60")], ids=lambda words: words[0])
def test_uids_are_known_although_the_database_is_not_to_be_had(light: Laboratory, fault: tuple[str, ...]) -> None:
    """The UIDs come from the database, which no role overrides: read-only it can be read, locked it was read before."""
    assert light.push().status == 0
    before = state_of(light)
    with light.fault(*fault):
        done = light.push("-e", "managed_tokens_database_timeout=2")
        assert done.status == 2, done.output
        assert f"{len(light.services)} of {len(light.services)} services well" in done.flat
        assert f"{light.pairs} of {light.pairs} (service, node) pairs in place" in done.flat
        assert "What came of this run is not remembered." in done.flat
        assert "is locked by another program" in done.flat or "cannot be" in done.flat
    assert state_of(light) == before


def test_a_database_that_is_down_is_taken_up_again(database: Laboratory) -> None:
    assert database.push().status == 0
    with database.fault("database-down"):
        done = database.push("-e", "managed_tokens_database_timeout=2")
        assert done.status == 2, done.output
        assert f"{database.pairs} of {database.pairs} (service, node) pairs in place" in done.flat
        assert "What came of this run is not remembered." in done.flat
    assert database.push().status == 0


def test_an_account_without_uid_costs_only_its_service(light: Laboratory, playground: str) -> None:
    experiments = {
        "dune": {"roles": {"production": {"account": "dunepro"}}},
        "nova": {"roles": {"production": {"account": "novapro", "uid": light.service("nova_production")["uid"]}}},
    }
    done = light.push(
        "-e",
        json.dumps({"managed_tokens_experiments": experiments, "managed_tokens_token_dir": f"{playground}/tokens"}),
        *with_database(f"{playground}/new.db"),
    )
    assert done.status == 2, done.output
    assert "account dunepro has no UID" in done.flat
    assert {host for host, line in done.recap.items() if line.failed} == set(
        light.nodes_of(light.service("dune_production"))
    )
    counted = state_of(light, f"{playground}/new.db")
    assert counted["setup"] == {"dune_production": 1}


def test_old_uids_are_warned_of(light: Laboratory) -> None:
    done = light.push("--check", "-e", "managed_tokens_uid_max_age=1s")
    assert done.status == 0, done.output
    assert "Nobody has confirmed the UIDs of these accounts for longer than 1 s: " in done.flat
    assert "Nobody has confirmed" not in light.push("--check").flat


@pytest.mark.parametrize("host", ["localhost", "tokenhost"])
def test_the_password_of_the_database_is_not_shown(database: Laboratory, host: str) -> None:
    """A password that is wrong, so that it is tried, refused and told of, in the URL, and right, in its own setting."""
    database.allow_ssh_to_token_host()
    remote = ("-i", "/srv/lab/inventory", "-i", "/home/mtokens/tokenhost.json", "-e", "@secret.json")
    password = database.run("cut", "-d:", "-f5", "/home/mtokens/.pgpass").output.strip()
    url = database.database.replace("managed_tokens@", "managed_tokens:CanaryInTheUrl@")
    for secret, settings, words in (
        ("CanaryInTheUrl", {"managed_tokens_database": url}, "password authentication failed"),
        (password, {"managed_tokens_database_password": password}, "5 of 5 services well"),
    ):
        content = json.dumps({**settings, "managed_tokens_token_host": host})
        database.run("/usr/bin/python3", "-c", "import sys; open('secret.json', 'w').write(sys.argv[1])", content)
        done = database.push("-vvvv", *remote, env={"ANSIBLE_LOG_PATH": "/home/mtokens/ansible.log"})
        assert words in done.flat
        assert secret not in done.output + database.run("cat", "/home/mtokens/ansible.log").output
    database.run("rm", "-f", "/home/mtokens/secret.json", "/home/mtokens/ansible.log")


REFUSED = {
    "mysql://root@db/x": "has the unknown scheme 'mysql'",
    "postgresql+asyncpg://u@h/d": "asks for the driver 'asyncpg'",
    "postgresql://u@h": "names no database",
    "state.db": "is no absolute path",
}


@pytest.mark.parametrize("database", sorted(REFUSED))
def test_a_database_that_cannot_be_meant_is_refused_before_anything_is_touched(
    light: Laboratory, database: str
) -> None:
    before = light.all_files()
    done = light.push(*with_database(database))
    assert done.status == 2
    assert REFUSED[database] in done.flat
    assert light.all_files() == before
