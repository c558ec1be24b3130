# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration of the Go service as the inventory, and its database in place: everything works as with our own."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import Done, Laboratory
from onboarding_scene import forget, login_log, stored
from remembered import FIXTURE, python, state_of
from report_sinks import ReportSinks

CONFIGURATION = "/srv/lab/legacy/managedTokens.yml"
STATE = "/srv/lab/state/legacy"
DATABASE = f"{STATE}/managed-tokens.db"
ENABLED = {"ANSIBLE_INVENTORY_ENABLED": "fife.managed_tokens.managed_tokens_config,host_list,auto,yaml"}
WATCHED = "managed_tokens_onboarding_watched=true"
RENAMED = {"mu2e_production": "mu2e_grid_production"}

SEED = """
import json, shutil, sqlite3, sys
fixture, path, services = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
shutil.copyfile(fixture, path)
db = sqlite3.connect(path)
db.execute("DELETE FROM uids")
for name, account, uid, nodes in services:
    db.execute("INSERT INTO services(name) VALUES (?)", [name])
    db.execute("INSERT INTO uids VALUES (?, ?)", [account, uid])
    for node in nodes:
        db.execute("INSERT OR IGNORE INTO nodes(name) VALUES (?)", [node])
        db.execute("INSERT INTO push_errors SELECT s.id, n.id, 2 FROM services s, nodes n WHERE s.name=? AND n.name=?",
                   [name, node])
    db.execute("INSERT INTO setup_errors SELECT id, 1 FROM services WHERE name = ?", [name])
db.commit()
"""
# What the Go programs read, by their own statements.
AS_THE_GO_SERVICE = """
import json, sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
one = lambda text: db.execute(text).fetchone()[0]
print(json.dumps({
    "application": one("PRAGMA application_id"), "version": one("PRAGMA user_version"),
    "uids": dict(db.execute("SELECT username, uid FROM uids")),
    "setup": dict(db.execute("SELECT s.name, e.count FROM setup_errors e JOIN services s ON s.id = e.service_id")),
    "push": {f"{s}@{n}": c for s, n, c in db.execute(
        "SELECT s.name, n.name, p.count FROM push_errors p JOIN services s ON s.id = p.service_id "
        "JOIN nodes n ON n.id = p.node_id")},
    "types": dict(db.execute("SELECT name, type FROM pragma_table_info('services')")),
}))
"""


def name_of(service: t.Mapping[str, t.Any]) -> str:
    """Give the name under which the old configuration has the service."""
    name = str(service["name"])
    return RENAMED.get(name, name)


def as_the_go_service(laboratory: Laboratory) -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads(python(laboratory, "-c", AS_THE_GO_SERVICE, DATABASE).output)
    return found


def play(laboratory: Laboratory, playbook: str, *options: str, source: str = CONFIGURATION) -> Done:
    return laboratory.play("-i", source, f"fife.managed_tokens.{playbook}", *options, env=ENABLED)


def clean(laboratory: Laboratory) -> None:
    laboratory.strip()
    laboratory.run("sh", "-c", f"rm -rf {STATE}/*")


def seed(laboratory: Laboratory) -> None:
    """Put the Go service's database in place: UIDs, and counters of earlier failures."""
    laboratory.lab("heal")
    clean(laboratory)
    rows = [
        [name_of(service), service["account"], service["uid"], laboratory.nodes_of(service)]
        for service in laboratory.services
    ]
    python(laboratory, "-c", SEED, FIXTURE, DATABASE, json.dumps(rows))


@pytest.fixture
def old(condor: Laboratory) -> t.Iterator[Laboratory]:
    """Give a laboratory with the Go service's database in place."""
    seed(condor)
    yield condor
    condor.lab("heal")
    clean(condor)


def test_check_mode_needs_nothing_else_and_changes_nothing(old: Laboratory) -> None:
    before, files = as_the_go_service(old), old.all_files()
    done = play(old, "token_push", "--check")
    assert done.status == 0, done.output
    assert "Traceback" not in done.output
    assert as_the_go_service(old) == before
    assert old.all_files() == files
    assert old.run("ls", STATE).output.split() == ["managed-tokens.db"]


def test_a_run_serves_everything_with_the_old_uids_counters_and_places(old: Laboratory) -> None:
    before = as_the_go_service(old)
    done = play(old, "token_push")
    assert done.status == 0, done.output
    for node, found in old.all_files().items():
        wanted = set()
        for service in old.services_on(node):
            experiment = name_of(service).rpartition("_")[0]
            # The token's own name, and the configuration's key in the role file.
            wanted |= {f"/tmp/vt_u{service['uid']}", f"/tmp/vt_u{service['uid']}-{service['name']}"}
            wanted.add(f"/tmp/default_role_{experiment}_{service['uid']}")
        assert found.keys() == wanted
        assert {mode for mode, _owner, _content in found.values()} == {"0400"}
    kept = old.run("ls", f"{STATE}/service-credd-vault-tokens").output.split()
    assert {name for name in kept if name.startswith("vt_")} == {
        f"vt_u50000-{credd['name']}-{service['name']}" for credd in old.layout["credds"] for service in old.services
    }
    after = as_the_go_service(old)
    assert (after["application"], after["version"], after["types"]) == (
        before["application"],
        before["version"],
        before["types"],
    )
    assert after["uids"] == before["uids"]
    # The trouble of earlier runs is over, for what this configuration has.
    assert {after["setup"][name_of(service)] for service in old.services} == {0}
    assert {
        after["push"][f"{name_of(service)}@{node}"] for service in old.services for node in old.nodes_of(service)
    } == {0}
    assert before["push"]["exp03_production@exp03gpvm01.lab.example"] == 2
    again = play(old, "token_push")
    assert (again.status, again.changed) == (0, 0), again.output


@pytest.mark.long
def test_failures_count_on_from_the_old_counters(old: Laboratory) -> None:
    node = "dunegpvm02.lab.example"
    with old.fault("node-blackholed", "dunegpvm02"):
        done = play(old, "token_push")
    assert done.status == 4, done.output
    counters = as_the_go_service(old)["push"]
    assert counters[f"dune_production@{node}"] == 3
    assert counters["dune_production@dunegpvm01.lab.example"] == 0


@pytest.mark.long
def test_uids_are_refreshed_in_the_old_database(old: Laboratory) -> None:
    python(
        old,
        "-c",
        "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.execute('DELETE FROM uids'); d.commit()",
        DATABASE,
    )
    assert "has no UID" in play(old, "token_push", "--check").flat
    done = play(old, "refresh_uids")
    assert done.status == 0, done.output
    assert as_the_go_service(old)["uids"] == {service["account"]: service["uid"] for service in old.services}
    assert {source for _uid, _confirmed, source in state_of(old, DATABASE)["uids"].values()} == {"ferry"}


@pytest.mark.long
def test_a_service_of_it_is_onboarded(old: Laboratory) -> None:
    forget(old, "dune_production")
    logins = len(login_log(old))
    done = play(old, "onboarding", "-e", "managed_tokens_service=dune_production", "-e", WATCHED)
    assert done.status == 0, done.output
    assert "1 of 1 services onboarded" in done.flat
    assert [line["what"] for line in login_log(old)[logins:]] == ["started", "approved"]
    assert sorted(stored(old, "dune_production")) == ["credd1", "credd2"]
    done = play(old, "token_push")
    assert done.status == 0, done.output


def test_the_export_is_an_inventory_that_lists_the_same(old: Laboratory) -> None:
    exported = f"{STATE}/exported.yml"
    assignments = [f"{key}={value}" for key, value in ENABLED.items()]
    words = ["ansible-inventory", "-i", CONFIGURATION, "--list", "--yaml", "--export", "--output", exported]
    old.run("env", *assignments, *words)
    listed = [play(old, "services", source=source) for source in (CONFIGURATION, exported)]
    assert [done.status for done in listed] == [0, 0], listed[0].output
    tables = [[line for line in done.output.splitlines() if line.startswith("    ")] for done in listed]
    assert tables[0] == tables[1]
    for service in old.services:
        assert any(f"{name_of(service)} " in line and f"UID {service['uid']}" in line for line in tables[0])
    assert max(len(line) for line in tables[0]) <= 80
    done = play(old, "token_push", "--check", source=exported)
    assert done.status == 0, done.output


@pytest.mark.long
def test_a_file_that_leads_to_it_needs_nothing_enabled(old: Laboratory) -> None:
    content = f"plugin: fife.managed_tokens.managed_tokens_config\npath: {CONFIGURATION}\n"
    old.run("/usr/bin/python3", "-c", f"open('{STATE}/old.yml', 'w').write({content!r})")
    done = old.play("-i", f"{STATE}/old.yml", "fife.managed_tokens.services")
    assert done.status == 0, done.output
    assert "mu2e_grid_production" in done.output


def test_a_broken_configuration_ends_the_program_and_is_not_taken_for_something_else(old: Laboratory) -> None:
    broken = f"{STATE}/managedTokens.yml"
    old.run("/usr/bin/python3", "-c", f"open('{broken}', 'w').write('experiments: {{dune: {{roles: [x]}}}}')")
    for playbook in ("token_push", "refresh_uids", "services"):
        done = play(old, playbook, "--check", source=broken)
        assert done.status == 1
        assert "experiments.dune has no roles" in done.flat
        assert "PLAY" not in done.output


@pytest.mark.long
def test_the_third_failure_in_a_row_is_told_by_what_the_old_configuration_names(reporting: Laboratory) -> None:
    seed(reporting)
    sinks = ReportSinks(reporting)
    sinks.clear()
    node = "dunegpvm02.lab.example"
    try:
        with reporting.fault("account-refused", "dunepro", node):
            done = play(reporting, "token_push")
        assert done.status == 2, done.output
        told = {str(mail["X-Envelope-To"]): mail.get_body(("plain",)) for mail in sinks.mails()}
        assert told.keys() == {"dune@lab.example", "admins@lab.example"}
        for body in told.values():
            assert body is not None
            assert node in body.get_content()
        assert len(sinks.slack()) == 1
        # The third in a row after the two that the old database knew of: told, and begun anew.
        counters = as_the_go_service(reporting)["push"]
        assert counters[f"dune_production@{node}"] == 0
        # Job and labels are those of the Go service, by the configuration's name and by the token's.
        pushed = sinks.pushed()
        assert 'managed_tokens_last_token_push_timestamp{instance="",job="managed_tokens",node="mu2egpvm01' in pushed
        assert 'service="mu2e_production"' in pushed
        assert sinks.loki()
        assert sinks.spans()
    finally:
        reporting.lab("heal")
        clean(reporting)
