# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UIDs from a registry over real TLS: asked once each, stored when they are good, named when they are not."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import Laboratory
from remembered import state_of

PKI = "/srv/lab/pki"
LOG = "/srv/lab/log/ferry.jsonl"
BULK = 1000


def log_of(laboratory: Laboratory) -> list[dict[str, t.Any]]:
    """Give what the registry has seen so far: connections and requests."""
    return [json.loads(line) for line in laboratory.run("cat", LOG, user="root").output.splitlines()]


def news(laboratory: Laboratory, before: t.Sequence[t.Any], event: str) -> list[dict[str, t.Any]]:
    return [entry for entry in log_of(laboratory)[len(before) :] if entry["event"] == event]


def uids_of(laboratory: Laboratory) -> dict[str, int]:
    return {name: uid for name, (uid, _confirmed, _source) in state_of(laboratory)["uids"].items()}


@pytest.fixture
def known(light: Laboratory) -> t.Iterator[Laboratory]:
    """Give a laboratory whose UIDs are known and right, and have it so again afterwards."""
    assert light.refresh().status == 0
    yield light
    light.lab("heal")
    assert light.refresh().status == 0


def test_every_account_is_asked_once_and_stored_with_its_time(known: Laboratory) -> None:
    before, earlier = log_of(known), state_of(known)["uids"]
    done = known.refresh()
    assert (done.status, done.changed) == (0, 0), done.output
    asked = [entry["account"] for entry in news(known, before, "request")]
    assert sorted(asked) == sorted({service["account"] for service in known.services})
    connections = news(known, before, "connection")
    assert {entry["peer_certificate"] for entry in connections} == {"mtokens"}
    stored = state_of(known)["uids"]
    for service in known.services:
        uid, confirmed, source = stored[service["account"]]
        assert (uid, source) == (service["uid"], "ferry")
        assert confirmed > earlier[service["account"]][1]


def test_check_and_diff_show_what_would_change_and_store_nothing(known: Laboratory) -> None:
    known.lab("fault", "ferry-uid", "dunepro", "60123")
    before = state_of(known)
    done = known.refresh("--check", "--diff")
    assert (done.status, done.changed) == (0, 1), done.output
    uid = known.service("dune_production")["uid"]
    assert f"-dunepro: {uid}" in done.output
    assert "+dunepro: 60123" in done.output
    assert state_of(known) == before


def test_a_changed_uid_is_shown_loudly_and_the_next_run_uses_it(known: Laboratory) -> None:
    known.lab("fault", "ferry-uid", "dunepro", "60123")
    done = known.refresh()
    uid = known.service("dune_production")["uid"]
    assert (done.status, done.changed) == (0, 1), done.output
    warning = done.flat.partition("[WARNING]: ")[2]
    assert f"account dunepro has a new UID 60123 (before: {uid})" in warning
    assert "/tmp/vt_u60123" in warning
    assert uids_of(known)["dunepro"] == 60123
    pushed = known.push("-e", "managed_tokens_service=dune_production")
    # The account has another UID on the nodes, and that is noticed.
    assert pushed.status == 2
    assert "60123" in pushed.flat


def test_good_answers_are_stored_and_bad_ones_named(known: Laboratory) -> None:
    before = state_of(known)["uids"]
    known.lab("fault", "ferry-uid", "dunepro", "60200")
    known.lab("fault", "ferry-uid", "duneana", "60200")
    known.lab("fault", "ferry-uid", "novapro", "0")
    known.lab("fault", "ferry-unknown", "novaana")
    known.lab("fault", "ferry-uid", "mu2epro", "60201")
    done = known.refresh()
    assert done.status == 2, done.output
    for words in (
        "dunepro",
        "duneana",
        "novapro",
        "novaana",
        "the UID 60200 to more than one account",
        "gives 0 as UID",
    ):
        assert words in done.flat, words
    after = state_of(known)["uids"]
    assert after["mu2epro"][0] == 60201
    assert {name: after[name] for name in before if name != "mu2epro"} == {
        name: before[name] for name in before if name != "mu2epro"
    }


def test_an_account_that_is_unknown_or_inactive_keeps_its_uid_and_is_reported(known: Laboratory) -> None:
    before = uids_of(known)
    known.lab("fault", "ferry-unknown", "dunepro")
    known.lab("fault", "ferry-inactive", "novapro")
    known.lab("fault", "ferry-garbage", "mu2epro")
    done = known.refresh()
    assert done.status == 2
    assert "user dunepro not found" in done.flat
    assert "mu2epro" in done.flat
    assert "novapro" in done.flat.partition("[WARNING]: ")[2]
    assert uids_of(known) == before


def test_what_can_pass_is_tried_again(known: Laboratory) -> None:
    before = log_of(known)
    known.lab("fault", "ferry-500", "2")
    assert known.refresh().status == 0
    statuses = [entry["status"] for entry in news(known, before, "request")]
    assert sorted(statuses) == [200] * len(known.services) + [500] * 2


def test_the_registry_is_left_alone_as_long_as_it_asks_for(known: Laboratory) -> None:
    before = log_of(known)
    known.lab("fault", "ferry-429", "2", "1")
    assert known.refresh("-e", "managed_tokens_ferry_concurrency=1").status == 0
    requests = news(known, before, "request")
    refused = next(position for position, entry in enumerate(requests) if entry["status"] == 429)
    assert [entry["status"] for entry in requests].count(429) == 1
    assert requests[refused + 1]["time"] - requests[refused]["time"] >= 1.9
    known.lab("heal")
    known.lab("fault", "ferry-429", "600", "1")
    before = log_of(known)
    done = known.refresh("-e", "managed_tokens_ferry_concurrency=1")
    assert done.status == 2
    assert "asks to be left alone for 600 s" in done.flat
    assert len(news(known, before, "request")) == 1


def test_a_registry_that_is_down_costs_one_wait_and_no_uid(known: Laboratory) -> None:
    before = uids_of(known)
    with known.fault("ferry-down"):
        done = known.refresh("-e", "managed_tokens_ferry_retries=1")
        assert done.status == 2
        assert "ferry.lab.example" in done.flat
        assert "Traceback" not in done.output
        assert uids_of(known) == before
        # Tokens do not wait for the registry.
        assert known.push().status == 0


def test_a_bearer_token_is_fetched_once_and_used_for_all(known: Laboratory) -> None:
    before = log_of(known)
    done = known.refresh("-e", "managed_tokens_ferry_auth=token", "-vvv")
    assert (done.status, done.changed) == (0, 0), done.output
    assert {entry["peer_certificate"] for entry in news(known, before, "connection")} == {""}
    assert {entry["status"] for entry in news(known, before, "request")} == {200}
    assert "eyJ" not in done.output
    assert known.leftovers() == []


def test_a_thousand_accounts_take_at_most_twenty_connections(known: Laboratory) -> None:
    roles = {f"role{number:04d}": {"account": f"bulk{number:04d}"} for number in range(1, BULK + 1)}
    known.run("sh", "-c", f"echo {BULK} > {known.layout['paths']['control']}/ferry-accounts", user="root")
    path = "/srv/lab/state/bulk.json"
    known.run(
        "/usr/bin/python3",
        "-c",
        "import sys; open(sys.argv[1], 'w').write(sys.argv[2])",
        path,
        json.dumps(
            {
                "managed_tokens_experiments": {"dune": {"roles": roles}},
                "managed_tokens_database": "/srv/lab/state/bulk.db",
            }
        ),
    )
    before = log_of(known)
    known.lab("fault", "ferry-slow", "0.02")
    done = known.refresh("-e", f"@{path}")
    assert done.status == 0, done.output
    requests = news(known, before, "request")
    assert sorted(entry["account"] for entry in requests) == sorted(role["account"] for role in roles.values())
    assert 1 <= len(news(known, before, "connection")) <= 20
    stored = state_of(known, "/srv/lab/state/bulk.db")["uids"]
    assert {name: uid for name, (uid, _confirmed, _source) in stored.items()} == {
        f"bulk{number:04d}": 60000 + number for number in range(1, BULK + 1)
    }
    known.run("rm", path, "/srv/lab/state/bulk.db")


def test_uids_go_to_postgresql_as_well(database: Laboratory) -> None:
    assert uids_of(database) == {service["account"]: service["uid"] for service in database.services}
    database.lab("fault", "ferry-uid", "dunepro", "60123")
    assert database.refresh().changed == 1
    assert uids_of(database)["dunepro"] == 60123
    database.lab("heal")
    assert database.refresh().changed == 1


REFUSED = {
    "no scheme": ({"ferry_url": "ferry.lab.example:8445"}, "managed_tokens_ferry_url"),
    "not https": ({"ferry_url": "http://ferry.lab.example:8445"}, "managed_tokens_ferry_url"),
    "certificate missing": ({"ferry_cert": "/nowhere.crt"}, "managed_tokens_ferry_cert: /nowhere.crt does not exist."),
    "key missing": ({"ferry_key": "/nowhere.key"}, "managed_tokens_ferry_key: /nowhere.key does not exist."),
    "key unreadable": (
        {"ferry_key": f"{PKI}/ca.key"},
        f"managed_tokens_ferry_key: {PKI}/ca.key is no file that can be",
    ),
    "key of another": ({"ferry_key": f"{PKI}/stranger.key"}, "holds a key that does not belong to the certificate in"),
    "no CA": ({"ferry_ca": "/nowhere"}, "managed_tokens_ferry_ca: /nowhere does not exist."),
    "CA directory without CAs": (
        {"ferry_ca": "/srv/lab/keytabs"},
        "managed_tokens_ferry_ca: /srv/lab/keytabs holds no",
    ),
    "no JMESPath": ({"ferry_uid": "ferry_output.[uid"}, "managed_tokens_ferry_uid is 'ferry_output.[uid', which is no"),
    "unknown service": (
        {"ferry_auth": "token", "ferry_service": "dune_produktion"},
        "managed_tokens_ferry_service names 'dune_produktion', which is not configured",
    ),
    "database of unknown scheme": (
        {"database": "oracle://x"},
        "managed_tokens_database has the unknown scheme 'oracle'",
    ),
    "nowhere to store": ({"database": ""}, "managed_tokens_database is empty, so there is nowhere to store UIDs."),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_input_is_one_sentence_and_nobody_is_asked(light: Laboratory, name: str) -> None:
    settings, words = REFUSED[name]
    before, stored = log_of(light), uids_of(light)
    done = light.refresh("-e", json.dumps({f"managed_tokens_{key}": value for key, value in settings.items()}))
    assert done.status == 2, done.output
    assert words in done.flat
    assert "Traceback" not in done.output
    assert news(light, before, "request") == []
    assert uids_of(light) == stored


def test_a_certificate_of_another_authority_is_named(known: Laboratory) -> None:
    stranger = {"managed_tokens_ferry_cert": f"{PKI}/stranger.crt", "managed_tokens_ferry_key": f"{PKI}/stranger.key"}
    done = known.refresh("-e", json.dumps(stranger))
    assert done.status == 2
    assert "did not take our certificate" in done.flat
    done = known.refresh("-e", f"managed_tokens_ferry_ca={PKI}/ca/other-ca.pem")
    assert done.status == 2
    assert "certificate of the registry ferry.lab.example port 8445 is not verified" in done.flat
