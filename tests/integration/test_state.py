# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs remember: in SQLite, in PostgreSQL, in the Go service's own file, and in spite of everything."""

from __future__ import annotations

import json
import os
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from laboratory import VENV, Done, Laboratory

SOURCES = "/srv/ansible/ansible_collections/fife/managed_tokens"
FIXTURE = f"{SOURCES}/tests/fixtures/managed-tokens.db"
PLAYGROUND = "/srv/lab/state/playground"
LONG = bool(os.environ.get("MANAGED_TOKENS_LONG"))
LOOK = """
import json, sys
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils import (
    _state_configured as configured, _state_results as results, _state_runs as runs, _state_uids as uids)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
import sqlalchemy as sa
with open_state(sys.argv[1], "", 30.0).read() as db:
    rows = lambda table: [dict(row) for row in db.execute(sa.select(table)).mappings()]
    print(json.dumps({
        "setup": dict(results.setup_counters(db)),
        "push": {"@".join(key): count for key, count in results.push_counters(db).items()},
        "uids": {name: [known.uid, known.confirmed, known.source] for name, known in uids.known_uids(db).items()},
        "results": rows(schema().results), "runs": rows(schema().runs), "holds": rows(schema().holds),
        "gone": {sort: configured.departed(db, sort) for sort in ("service", "node")},
    }))
"""

# What the Go service knows of its file, by the driver alone.
SHARED = """
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
tables = ("uids", "services", "nodes", "setup_errors", "push_errors")
ask = lambda words, *values: db.execute(words, values).fetchall()
print(json.dumps({
    "identity": [ask("PRAGMA application_id"), ask("PRAGMA user_version"), ask("PRAGMA journal_mode")],
    "schema": [ask("SELECT sql FROM sqlite_master WHERE name = ?", name) for name in tables],
    "rows": {name: ask("SELECT * FROM " + name) for name in tables},
    "types": {name: sorted({tuple(type(value).__name__ for value in row) for row in ask("SELECT * FROM " + name)})
              for name in tables},
}))
"""
MAKE_OTHER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute(sys.argv[2], sys.argv[3:])
db.commit()
"""


def python(laboratory: Laboratory, *argv: str, check: bool = True, timeout: float = 300) -> Done:
    """Run a program of ours in the laboratory, with the collection in its path."""
    return laboratory.run("env", "PYTHONPATH=/srv/ansible", f"{VENV}/bin/python", *argv, check=check, timeout=timeout)


def state_of(laboratory: Laboratory, database: str = "") -> dict[str, t.Any]:
    """Give everything that the state database holds."""
    found: dict[str, t.Any] = json.loads(python(laboratory, "-c", LOOK, database or laboratory.database).output)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def lab(request: pytest.FixtureRequest) -> Laboratory:
    """Give a laboratory with the one kind of database, and with the other."""
    found: Laboratory = request.getfixturevalue("light" if request.param == "sqlite" else "database")
    return found


@pytest.fixture
def playground(light: Laboratory) -> t.Iterator[str]:
    """Give a directory for databases of the test's own."""
    light.run("mkdir", "-p", PLAYGROUND)
    yield PLAYGROUND
    light.run("chmod", "-R", "u+rwX", PLAYGROUND, user="root")
    light.run("rm", "-rf", PLAYGROUND, user="root")


def with_database(database: str, seconds: float = 2.0) -> tuple[str, ...]:
    return ("-e", json.dumps({"managed_tokens_database": database, "managed_tokens_database_timeout": seconds}))


# -- what is remembered ---------------------------------------------------------


def test_a_run_leaves_its_attempts_successes_and_counters(lab: Laboratory) -> None:
    assert lab.push().status == 0
    well = state_of(lab)
    assert {row["service"] for row in well["results"] if row["stage"] == "store"} >= {
        service["name"] for service in lab.services
    }
    victim = lab.service("dune_production")
    node = lab.nodes_of(victim)[0]
    with lab.fault("account-refused", victim["account"], node):
        for turn in (1, 2):
            assert lab.push("--limit", "dune").status == 2
            found = state_of(lab)
            assert found["push"][f"dune_production@{node}"] == turn
    before = {(row["stage"], row["service"], row["target"]): row for row in well["results"]}
    after = {(row["stage"], row["service"], row["target"]): row for row in found["results"]}
    failed = after["push", "dune_production", node]
    assert (failed["status"], failed["kind"]) == ("failed", "account_refused")
    assert failed["succeeded"] == before["push", "dune_production", node]["succeeded"] < failed["attempted"]
    assert failed["failing_since"] < failed["attempted"]
    assert victim["name"] in failed["message"]
    # What the limited run did not attempt is as it was.
    assert {key: row for key, row in after.items() if key[1].startswith("nova")} == {
        key: row for key, row in before.items() if key[1].startswith("nova")
    }
    assert lab.push("--limit", "dune").status == 0
    healed = state_of(lab)
    assert healed["push"][f"dune_production@{node}"] == 0
    assert {run["state"] for run in healed["runs"]} == {"ended"}
    assert not healed["holds"]


def test_check_mode_writes_nothing(lab: Laboratory) -> None:
    before = state_of(lab)
    assert lab.push("--check").status == 0
    assert state_of(lab) == before


def test_the_file_of_the_go_service_is_used_as_it_is(light: Laboratory, playground: str) -> None:
    path = f"{playground}/managed-tokens.db"
    light.run("install", "-m", "0600", FIXTURE, path)
    before = json.loads(light.run("/usr/bin/python3", "-c", SHARED, path).output)
    # An account of the laboratory among those of the file, and a service of the file that is one of the laboratory's.
    victim = light.service("nova_production")
    add = "INSERT INTO uids VALUES (?, ?)"
    light.run("/usr/bin/python3", "-c", MAKE_OTHER, path, add, victim["account"], str(victim["uid"]))
    role = {"account": victim["account"], "nodes": light.nodes_of(victim)}
    experiments = {"exp02": {"token_experiment": "nova", "roles": {"production": role}}}
    done = light.push("-e", json.dumps({"managed_tokens_experiments": experiments}), *with_database(path))
    assert done.status == 0, done.output
    assert "last known" not in done.flat
    assert f"/tmp/vt_u{victim['uid']}" in light.files(light.nodes_of(victim)[0])
    after = json.loads(light.run("/usr/bin/python3", "-c", SHARED, path).output)
    assert after["identity"] == before["identity"] == [[[1571300691]], [[1]], [["delete"]]]
    assert after["schema"] == before["schema"]
    assert (
        after["types"]
        == before["types"]
        == {
            "uids": [["str", "int"]],
            "services": [["int", "str"]],
            "nodes": [["int", "str"]],
            "setup_errors": [["int", "int"]],
            "push_errors": [["int", "int", "int"]],
        }
    )
    # The failures in a row that the Go program counted for exp02_production (number 3) are over; the rest is as it was.
    assert [3, 2] in before["rows"]["setup_errors"]
    assert [3, 0] in after["rows"]["setup_errors"]
    for name, rows in before["rows"].items():
        assert [row for row in rows if row not in after["rows"][name]] == ([[3, 2]] if name == "setup_errors" else [])
    seen = state_of(light, path)
    assert seen["setup"] == {"exp02_production": 0, "exp03_analysis": 2}
    assert seen["push"]["exp03_production@exp03gpvm01.lab.example"] == 2
    assert seen["uids"]["exp01pro"][:2] == [50100, 0.0]


# -- in spite of everything ---------------------------------------------------------

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
    for node in nodes:
        assert f"/tmp/vt_u{victim['uid']}" in light.files(node)
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


# -- kills and others at the same time ---------------------------------------------------------


def test_a_writer_that_is_killed_leaves_nothing_half_done(lab: Laboratory) -> None:
    target = f"{lab.database}-killed" if lab.database.startswith("/") else lab.database
    turns = 100 if LONG or lab.database.startswith("/") else 40
    done = python(lab, f"{SOURCES}/tests/integration/state_writer.py", target, "kill", str(turns), timeout=600)
    found = json.loads(done.output)
    assert found["transactions"] > turns
    assert (found["torn"], found["lost"]) == ([], [])


def test_runs_and_a_refresh_at_the_same_time_lose_no_counter(lab: Laboratory) -> None:
    experiments = ("dune", "nova")
    failing = [service for service in lab.services if service["experiment"] in experiments]
    before = state_of(lab)["push"]
    for service in failing:
        lab.lab("fault", "account-refused", service["account"])
    try:
        for _turn in range(3):
            with ThreadPoolExecutor(3) as pool:
                runs = [pool.submit(lab.push, "-e", f"managed_tokens_experiment={name}") for name in experiments]
                refresh = pool.submit(lab.play, "fife.managed_tokens.refresh_uids")
                assert [run.result().status for run in runs] == [2, 2], [run.result().output for run in runs]
                assert refresh.result().status == 0, refresh.result().output
                for done in [*runs, refresh]:
                    assert "not remembered" not in done.result().flat
    finally:
        lab.lab("heal")
    after = state_of(lab)
    for service in failing:
        for node in lab.nodes_of(service):
            key = f"{service['name']}@{node}"
            assert after["push"][key] == before.get(key, 0) + 3, key
    assert not after["holds"]
    assert lab.push().status == 0


# -- runs that overlap ---------------------------------------------------------


def test_an_overlapping_run_leaves_the_services_to_the_first(lab: Laboratory) -> None:
    with lab.fault("vault-slow", "3"), ThreadPoolExecutor(1) as pool:
        first = pool.submit(lab.push, "-e", "managed_tokens_experiment=dune")
        lab.wait_until(lambda: bool(state_of(lab)["holds"]), "the first run holds its services")
        second = lab.push("-e", "managed_tokens_experiment=dune,mu2e")
        assert second.status == 0, second.output
        assert "1 of 1 services well" in second.flat
        assert "2 left to another run that serves them now: dune_analysis, dune_production." in second.flat
        assert "being served by run" in second.flat
        assert first.result().status == 0, first.result().output


def test_a_run_on_other_nodes_of_the_same_service_goes_on(light: Laboratory) -> None:
    nodes = light.nodes_of(light.service("dune_production"))
    with light.fault("vault-slow", "3"), ThreadPoolExecutor(1) as pool:
        first = pool.submit(light.push, "--limit", nodes[0])
        light.wait_until(lambda: bool(state_of(light)["holds"]), "the first run holds its node")
        second = light.push("--limit", "dune")
        assert second.status == 0, second.output
        assert "2 of 2 services well, 4 of 4 (service, node) pairs in place" in second.flat
        assert first.result().status == 0


def test_what_a_killed_run_held_is_taken_over(lab: Laboratory) -> None:
    with lab.fault("vault-slow", "5"), ThreadPoolExecutor(1) as pool:
        pool.submit(lab.push, "-e", "managed_tokens_experiment=dune")
        lab.wait_until(lambda: bool(state_of(lab)["holds"]), "the run holds its services")
        (pid,) = {run["pid"] for run in state_of(lab)["runs"] if run["state"] == "running"}
        lab.run("kill", "-KILL", str(pid))
    done = lab.push("-e", "managed_tokens_experiment=dune")
    assert done.status == 0, done.output
    assert "never ended: it was killed, or its machine went down." in done.flat
    assert "2 of 2 services well" in done.flat
    assert "never ended" not in lab.push("-e", "managed_tokens_experiment=dune").flat


# -- house-keeping ---------------------------------------------------------


def test_what_left_the_configuration_is_marked(light: Laboratory, playground: str) -> None:
    path = f"{playground}/kept.db"
    uids = {service["name"]: service["uid"] for service in light.services}
    both = {
        "dune": {"roles": {"production": {"account": "dunepro", "uid": uids["dune_production"]}}},
        "mu2e": {"roles": {"production": {"account": "mu2epro", "uid": uids["mu2e_production"]}}},
    }
    for experiments in (both, {"dune": both["dune"]}):
        done = light.push("-e", json.dumps({"managed_tokens_experiments": experiments}), *with_database(path))
        assert done.status == 0, done.output
    found = state_of(light, path)
    assert set(found["gone"]["service"]) == {"mu2e_production"}
    assert set(found["gone"]["node"]) == set(light.nodes_of(light.service("mu2e_production")))


# -- bad input ---------------------------------------------------------

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
