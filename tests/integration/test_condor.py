# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove the storing part with a real pool: two credds, real condor_vault_storer, many runs at once."""

from __future__ import annotations

import base64
import json
import os
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from laboratory import Laboratory

pytestmark = pytest.mark.condor

LOOK = """
import glob, json
found = {}
for path in glob.glob("/srv/lab/condor/credd?/oauth/*/*.top"):
    credd, _oauth, user, name = path.split("/")[4:]
    use = path[:-4] + ".use"
    try:
        bearer = open(use).read()
    except FileNotFoundError:
        bearer = ""
    found[f"{credd} {user} {name[:-4]}"] = [json.load(open(path)), bearer]
print(json.dumps(found))
"""
# Tells a credmon of many credentials at once, and then of one more, upon which it has to look around. A hung one still
# logs that it heard the signal, so only a finished look counts.
BURST = """
import os, signal, sys, time
home = sys.argv[1]
pid = int(open(f"{home}/oauth/pid").read())
looks = lambda: open(f"{home}/log/CredMonOAuthLog").read().count("Sleeping for")
for turn in range(500):
    os.kill(pid, signal.SIGHUP)
    time.sleep(0.0003)
time.sleep(1)
before = looks()
os.kill(pid, signal.SIGHUP)
for attempt in range(100):
    if looks() > before:
        sys.exit(0)
    time.sleep(0.1)
sys.exit(f"the credmon of {home} has looked around {before} times and then no more")
"""
# Makes, as a stranger on the token host, a directory open to everybody where the storer is about to move a token, as
# soon as the names of its working files can be seen; until nobody wants it any more.
SQUATTER = """
import json, os, time
met, taken = set(), []
while not os.path.exists("/tmp/squatter-ends"):
    for name in os.listdir("/tmp"):
        place = "/tmp/" + name.partition("-")[0]
        if name.startswith("vt_mt") and "-" in name and place not in met:
            met.add(place)
            try:
                os.mkdir(place)
                os.chmod(place, 0o777)
                taken.append(place)
            except FileExistsError:
                pass
    time.sleep(0.001)
print(json.dumps([len(met), taken]))
"""
CREDMON_LOGS = "/srv/lab/condor/credd?/log/CredMonOAuthLog"


def credentials(laboratory: Laboratory) -> dict[tuple[str, str, str], tuple[dict[str, str], str]]:
    """Give what the credds hold: (credd, user, service) -> (vault token and URL, bearer token)."""
    plain: dict[str, t.Any] = json.loads(laboratory.run("/usr/bin/python3", "-c", LOOK, user="root").output)
    return {tuple(key.split()): (top, use) for key, (top, use) in plain.items()}  # type: ignore[misc]


def claims(bearer: str) -> dict[str, t.Any]:
    part = bearer.split(".")[1]
    found: dict[str, t.Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def wait_for_bearer_tokens(laboratory: Laboratory) -> None:
    """Wait until every credmon has fetched what it will fetch: it is told of each credential, and looks by itself once
    a minute."""
    count = "ls /srv/lab/condor/credd?/oauth/*/*.use 2> /dev/null | wc -l"
    wanted = 2 * len(laboratory.services)
    wait = f"for i in $(seq 700); do [ $({count}) = {wanted} ] && exit 0; sleep 0.1; done; cat {CREDMON_LOGS}; exit 1"
    done = laboratory.run("sh", "-c", wait, user="root", check=False)
    assert done.status == 0, f"the credmons have not fetched {wanted} bearer tokens:\n{done.output}"


def check_credentials(laboratory: Laboratory) -> None:
    """Check that every credd holds exactly every service's credential, under its own user, with its own content."""
    wait_for_bearer_tokens(laboratory)
    found = credentials(laboratory)
    expected = {
        (credd, service["account"], service["name"])
        for credd in ("credd1", "credd2")
        for service in laboratory.services
    }
    assert set(found) == expected
    tokens = set()
    for (credd, _user, name), (top, bearer) in found.items():
        service = laboratory.service(name)
        assert service["credkey"] in top["vault_url"], (credd, name)
        tokens.add(top["vault_token"])
        has = claims(bearer)
        assert (has["sub"], has["lab.role"], has["lab.credkey"]) == (
            service["account"],
            service["role"],
            service["credkey"],
        )
        assert f"/{service['experiment']}" in has["wlcg.groups"]
    assert len(tokens) == len(expected), "two credentials hold the same vault token"


def test_credentials_are_in_both_credds_and_tokens_on_all_nodes(condor: Laboratory) -> None:
    condor.run("rm", "-rf", "/srv/lab/state/service-credd-vault-tokens")
    done = condor.push("-v")
    assert done.status == 0, done.output
    assert "5 of 5 services well" in done.flat
    check_credentials(condor)
    kept = condor.kept_tokens()
    assert len(kept) == 2 * len(condor.services)
    for node, files in condor.all_files().items():
        for service in condor.services_on(node):
            mode, owner, content = files[f"/tmp/vt_u{service['uid']}-{service['name']}"]
            assert (mode, owner) == ("0400", str(service["uid"]))
            assert content in kept.values()
    before, on_nodes = credentials(condor), condor.all_files()
    again = condor.push()
    assert again.status == 0
    assert again.changed == 0, again.output
    assert {key: top for key, (top, _use) in credentials(condor).items()} == {
        key: top for key, (top, _use) in before.items()
    }
    assert condor.all_files() == on_nodes


def test_a_credd_that_is_down_fails_the_run_and_the_nodes_are_served_all_the_same(condor: Laboratory) -> None:
    assert condor.push().status == 0
    kept = condor.kept_tokens()
    with condor.fault("credd-down", "credd2"):
        done = condor.push("-v")
        on_nodes = condor.all_files()
        again = condor.push()
        assert condor.all_files() == on_nodes
    assert (done.status, again.status) == (2, 2), done.output
    assert "0 of 5 services well, 15 of 15 (service, node) pairs in place" in done.flat
    assert "on credd credd2.lab.example: the credd did not take the credential" in done.flat
    for node in condor.nodes:
        for service in condor.services_on(node):
            there = on_nodes[node][f"/tmp/vt_u{service['uid']}"][2]
            assert there == kept[f"vt_u50000-credd1.lab.example-{service['name']}"]
    assert set(condor.kept_tokens()) == set(kept)
    mended = condor.push()
    assert mended.status == 0, mended.output
    check_credentials(condor)


def test_a_stranger_on_the_token_host_gets_no_token_and_keeps_none_from_being_stored(condor: Laboratory) -> None:
    assert condor.push().status == 0
    with ThreadPoolExecutor(1) as pool:
        squatter = pool.submit(condor.run, "/usr/bin/python3", "-c", SQUATTER, user="mu2epro")
        try:
            done = condor.push("-e", "managed_tokens_min_token_lifetime=167h")
        finally:
            condor.run("touch", "/tmp/squatter-ends", user="root")
        met, taken = json.loads(squatter.result().output)
    leftovers = condor.leftovers()
    condor.run("sh", "-c", "rm -rf /tmp/squatter-ends /tmp/vt_mt*", user="root")
    assert done.status == 0, done.output
    assert "5 of 5 services well" in done.flat
    assert met == 2 * len(condor.services)
    assert taken == []
    assert leftovers == []
    check_credentials(condor)


def test_a_credential_that_a_credd_lost_is_stored_anew(condor: Laboratory) -> None:
    assert condor.push().status == 0
    condor.run("sh", "-c", "rm /srv/lab/condor/credd1/oauth/dunepro/*", user="root")
    done = condor.push("-v")
    assert done.status == 0, done.output
    check_credentials(condor)


@pytest.mark.parametrize("credd", ["credd1", "credd2"])
def test_a_credmon_still_listens_after_many_credentials_at_once(condor: Laboratory, credd: str) -> None:
    done = condor.run("/usr/bin/python3", "-c", BURST, f"/srv/lab/condor/{credd}", user="root", check=False)
    assert done.status == 0, done.output


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (("vault-403", "nova_production"), "vault refused it (permission denied)"),
        (("refresh-token-missing", "nova_production"), "vault holds no refresh token, so a person has to log in once"),
        (("vault-down",), "the vault server did not answer properly"),
    ],
)
def test_what_the_storer_says_is_understood(condor: Laboratory, fault: tuple[str, ...], sentence: str) -> None:
    assert condor.push().status == 0
    kept = condor.kept_tokens()
    with condor.fault(*fault):
        done = condor.push("-e", "managed_tokens_min_token_lifetime=167h")
    assert done.status == 2, done.output
    assert sentence in done.flat
    # Nothing good was lost: what a service has now is what it had, or newer where its own renewal went well.
    assert set(condor.kept_tokens()) == set(kept)
    assert condor.push().status == 0


def test_check_mode_stores_nothing_on_credds(condor: Laboratory) -> None:
    assert condor.push().status == 0
    condor.run("rm", "-rf", "/srv/lab/state/service-credd-vault-tokens")
    before = credentials(condor)
    done = condor.push("--check", "-v")
    assert done.status == 0, done.output
    assert "would obtain a new token: no token is kept yet" in done.flat
    assert credentials(condor).keys() == before.keys()
    assert {key: top for key, (top, _use) in credentials(condor).items()} == {
        key: top for key, (top, _use) in before.items()
    }
    assert condor.kept_tokens() == {}


def test_forty_storer_runs_at_once_keep_every_credential_under_its_own_user() -> None:
    laboratory = Laboratory("it-forty")
    laboratory.up("--experiments", "10", "--roles", "2", "--nodes", "1")
    try:
        for _turn in range(TURNS):
            laboratory.run("sh", "-c", "rm -rf /srv/lab/state/service-credd-vault-tokens")
            laboratory.run(
                "sh",
                "-c",
                "rm -rf /srv/lab/condor/credd?/oauth/*/*.top /srv/lab/condor/credd?/oauth/*/*.use",
                user="root",
            )
            # Forty at once on two cores take their time; what is proved here is not how much.
            options = {"managed_tokens_store_concurrency": 40, "managed_tokens_timeouts": {"store": 300}}
            done = laboratory.push("-e", json.dumps(options), timeout=500)
            assert done.status == 0, done.output
            check_credentials(laboratory)
            assert laboratory.leftovers() == []
    finally:
        laboratory.lab("down", check=False)


# The long form (make test-faults) does it five times in a row.
TURNS = 5 if os.environ.get("MANAGED_TOKENS_LONG") else 1
