# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody's nodes wait for other services' tokens, and it makes no difference to anything but the time."""

from __future__ import annotations

import json

import pytest
from laboratory import Done, Laboratory

ONE_BY_ONE = ("-e", "managed_tokens_store_concurrency=1")


def written(laboratory: Laboratory, service: str) -> list[float]:
    """Give when the service's own file was written on each of its nodes."""
    there = laboratory.service(service)
    path = f"/tmp/vt_u{there['uid']}-{service}"
    return [float(laboratory.node(node, "stat", "-c", "%.Y", path).output) for node in laboratory.nodes_of(there)]


def last_look_at_vault(laboratory: Laboratory) -> float:
    """Give when vault was last asked how long a token lives: at the end of the run's last storer."""
    lines = laboratory.run("tail", "-n", "20", "/srv/lab/log/vault.jsonl", user="root").output.splitlines()
    looks = [entry for entry in map(json.loads, lines) if entry["path"].endswith("lookup-self")]
    return max(float(entry["time"]) for entry in looks)


@pytest.fixture
def spoilt(light: Laboratory) -> Laboratory:
    """Give a laboratory in which every token is kept, and every one on a node is another."""
    light.lab("heal")
    assert light.push().status == 0
    light.spoil()
    return light


def test_a_service_is_on_its_nodes_before_the_last_one_is_stored(spoilt: Laboratory) -> None:
    with spoilt.fault("slow-storer", "1"):
        done = spoilt.push(*ONE_BY_ONE)
    assert done.status == 0, done.output
    last = last_look_at_vault(spoilt)
    in_time = {service["name"]: max(written(spoilt, service["name"])) < last for service in spoilt.services}
    # All but the last one stored, one by one, 1 s each.
    assert sorted(in_time.values()) == [False] + [True] * (len(in_time) - 1), in_time
    assert set(done.recap) == set(spoilt.nodes)
    assert all(line.changed for line in done.recap.values())


def test_without_it_the_nodes_wait_for_all_and_get_the_same(spoilt: Laboratory) -> None:
    with spoilt.fault("slow-storer", "1"):
        done = spoilt.push(*ONE_BY_ONE, "-e", "managed_tokens_push_ahead=false")
    assert done.status == 0, done.output
    last = last_look_at_vault(spoilt)
    assert all(min(written(spoilt, service["name"])) > last for service in spoilt.services)
    files = spoilt.all_files()
    spoilt.spoil()
    assert spoilt.push().status == 0
    assert spoilt.all_files() == files


def test_a_run_that_does_not_push_pushes_nothing_ahead_either(spoilt: Laboratory) -> None:
    before = spoilt.all_files()
    # Slow enough for pushes ahead to begin, if there were any.
    with spoilt.fault("slow-storer", "1"):
        for options in (("--tags", "store"), ("--check",)):
            assert spoilt.push(*options).status == 0
            assert spoilt.all_files() == before


def told_of(done: Done, account: str) -> list[str]:
    """Give what a run said of an account's pushes, sorted: which of Ansible's workers speaks first is its affair."""
    return sorted(line.strip() for line in done.output.splitlines() if f"account {account} in" in line)


def test_a_push_that_fails_ahead_is_told_as_it_would_be_later(spoilt: Laboratory) -> None:
    with spoilt.fault("account-refused", "dunepro"):
        spoilt.lab("fault", "slow-storer", "1")
        ahead = spoilt.push()
        spoilt.spoil()
        later = spoilt.push("-e", "managed_tokens_push_ahead=false")
    assert (ahead.status, later.status) == (2, 2)
    assert told_of(ahead, "dunepro") == told_of(later, "dunepro") != []
    assert ahead.recap == later.recap
    assert spoilt.leftovers() == []
