# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs remember: attempts, successes, counters, what is configured; in SQLite, in PostgreSQL, and in the Go
service's own file."""

from __future__ import annotations

import json

from laboratory import Laboratory
from remembered import FIXTURE, MAKE_OTHER, state_of, with_database

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
    assert "running" not in {run["state"] for run in healed["runs"]}
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
    role = {"account": victim["account"], "nodes": light.nodes_of(victim), "default_role_file": ""}
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
