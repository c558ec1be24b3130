# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many at once: writers that are killed, runs that overlap, runs beside a refresh; nothing is lost, nobody waits for
ever."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

from laboratory import Laboratory
from remembered import SOURCES, python, state_of

LONG = bool(os.environ.get("MANAGED_TOKENS_LONG"))


def test_a_writer_that_is_killed_leaves_nothing_half_done(lab: Laboratory) -> None:
    target = f"{lab.database}-killed" if lab.database.startswith("/") else lab.database
    turns = 100 if LONG else 40 if lab.database.startswith("/") else 20
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


def test_a_new_database_is_made_once_by_many_at_once(database: Laboratory) -> None:
    database.run(
        "psql", "-h", "database.lab.example", "-U", "managed_tokens", "-c", "CREATE SCHEMA fresh", "managed_tokens"
    )
    fresh = f"{database.database}?options=-csearch_path%3Dfresh"
    with ThreadPoolExecutor(6) as pool:
        # Each killed after its first transaction, which is the one that makes the tables if nobody else has.
        list(
            pool.map(
                lambda _turn: python(
                    database, f"{SOURCES}/tests/integration/state_writer.py", fresh, "once", check=True
                ),
                range(6),
            )
        )
    assert state_of(database, fresh)["setup"] == {"killed_production": 6}


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


def test_a_relaunch_does_not_store_again_what_was_just_stored(light: Laboratory) -> None:
    assert light.push().status == 0
    asked = "/v1/secret/oauth/creds/"
    before = vault_log(light)
    done = light.push("-e", "managed_tokens_store_reuse=10m", "-v")
    assert (done.status, done.changed) == (0, 0), done.output
    assert "and not again" in done.flat
    assert [path for path in vault_log(light)[len(before) :] if path.startswith(asked)] == []
    before = vault_log(light)
    assert light.push().status == 0
    assert [path for path in vault_log(light)[len(before) :] if path.startswith(asked)] != []


def vault_log(laboratory: Laboratory) -> list[str]:
    log = laboratory.run("cat", "/srv/lab/log/vault.jsonl", user="root").output
    return [json.loads(line)["path"] for line in log.splitlines()]
