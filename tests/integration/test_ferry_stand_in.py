# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that the laboratory's stand-in for FERRY lets in whom it should, answers, counts, and breaks as told."""

from __future__ import annotations

import json
import time
import typing as t
from dataclasses import dataclass

import pytest
from laboratory import VENV, Laboratory
from world import bearer

if t.TYPE_CHECKING:
    from collections.abc import Iterator

PKI = "/srv/lab/pki"
OWN = (f"{PKI}/mtokens.crt", f"{PKI}/mtokens.key")
STRANGER = (f"{PKI}/stranger.crt", f"{PKI}/stranger.key")
KEY = b"k" * 32
# Asks for each account over one connection (or all at once, each over its own), and prints a list for each answer.
ASK = """
import concurrent.futures, json, sys, time, requests
asked = json.loads(sys.argv[1])
session = requests.Session()
session.verify, session.cert = "/srv/lab/pki/ca.pem", tuple(asked.get("cert", ())) or None
session.headers.update(asked.get("headers", {}))
def ask(account, with_=session):
    mark = time.monotonic()
    try:
        got = with_.get("https://ferry.lab.example:8445/getUserInfo", params={"username": account}, timeout=20)
    except requests.ConnectionError as err:
        return [0, type(err).__name__ + " " + str(err), "", 0]
    return [got.status_code, got.text, got.headers.get("Retry-After", ""), time.monotonic() - mark]
def ask_alone(account):
    with requests.Session() as alone:
        alone.verify, alone.cert, alone.headers = session.verify, session.cert, session.headers
        return ask(account, alone)
if asked["at_once"]:
    with concurrent.futures.ThreadPoolExecutor(len(asked["accounts"])) as pool:
        print(json.dumps(list(pool.map(ask_alone, asked["accounts"]))))
else:
    print(json.dumps([ask(account) for account in asked["accounts"]]))
"""
GET_BEARER = """
set -e
cd "$(mktemp -d)"
export KRB5CCNAME="FILE:$PWD/cc"
kinit -k -t "$1" "$2"
set -- -q -a vault.lab.example -i dune -r production --credkey="${2%@*}" --nooidc
htgettoken "$@" --vaulttokenfile="$PWD/vt" --outfile="$PWD/bt"
cat bt
rm -r "$PWD"
"""


@dataclass(frozen=True)
class Answer:
    """What FERRY answered: status 0 and the error's text when it did not."""

    status: int
    text: str
    retry_after: str
    seconds: float

    @property
    def output(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads(self.text)["ferry_output"]
        return found


def ask(laboratory: Laboratory, *accounts: str, at_once: bool = False, **who: t.Any) -> list[Answer]:
    asked = json.dumps({"accounts": accounts, "at_once": at_once, **(who or {"cert": OWN})})
    return [Answer(*found) for found in json.loads(laboratory.run(f"{VENV}/bin/python", "-c", ASK, asked).output)]


def logged(laboratory: Laboratory) -> list[dict[str, t.Any]]:
    return [json.loads(line) for line in laboratory.run("cat", "/srv/lab/log/ferry.jsonl").output.splitlines()]


@pytest.fixture
def ferry(light: Laboratory) -> Iterator[Laboratory]:
    """Give a laboratory whose log of FERRY begins with the test, and in which nothing is broken afterwards."""
    light.run("truncate", "--size=0", "/srv/lab/log/ferry.jsonl", user="root")
    yield light
    light.lab("heal")


def test_a_certificate_of_the_laboratory_is_let_in_and_counted(ferry: Laboratory) -> None:
    answers = ask(ferry, "dunepro", "novapro", "nobody")
    assert [answer.status for answer in answers] == [200] * 3
    assert answers[0].output == {
        "expirationdate": "2038-01-01",
        "fullname": "Service account dunepro",
        "groupaccount": False,
        "status": True,
        "uid": ferry.service("dune_production")["uid"],
        "vopersonid": "lab-dunepro",
    }
    assert json.loads(answers[2].text) == {
        "ferry_status": "failure",
        "ferry_error": ["user nobody not found"],
        "ferry_output": {},
    }
    connection, *requests = logged(ferry)
    assert (connection["event"], connection["peer_certificate"]) == ("connection", "mtokens")
    assert [(entry["connection"], entry["account"], entry["status"]) for entry in requests] == [
        (connection["id"], account, 200) for account in ("dunepro", "novapro", "nobody")
    ]


def test_a_bearer_token_of_the_laboratory_is_let_in_and_not_logged(ferry: Laboratory) -> None:
    service = ferry.service("dune_production")
    token = ferry.run("bash", "-c", GET_BEARER, "bash", service["keytab"], service["principal"]).output.strip()
    (answer,) = ask(ferry, "dunepro", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.output["uid"]) == (200, service["uid"])
    assert logged(ferry)[0]["peer_certificate"] == ""
    assert token not in ferry.run("cat", "/srv/lab/log/ferry.jsonl").output
    body, _dot, _signature = token.rpartition(".")
    (answer,) = ask(ferry, "dunepro", headers={"Authorization": f"Bearer {body}.c2lnbmF0dXJl"})
    assert (answer.status, "signature" in answer.text) == (403, True)


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"Authorization": "Bearer no-token"}, 403)])
def test_who_proves_nothing_is_refused(ferry: Laboratory, headers: dict[str, str], status: int) -> None:
    (answer,) = ask(ferry, "dunepro", headers=headers)
    assert answer.status == status
    assert "uid" not in answer.text


def test_a_certificate_of_another_authority_fails_in_the_handshake(ferry: Laboratory) -> None:
    (answer,) = ask(ferry, "dunepro", cert=STRANGER)
    assert "unknown ca" in answer.text
    assert logged(ferry) == []


def test_the_directory_of_authorities_holds_ours_and_another_one(light: Laboratory) -> None:
    script = (
        f"cd {PKI}; sha256sum < ca.pem; sha256sum < ca/lab-ca.pem; sha256sum < other-ca.pem; sha256sum < ca/*other*"
    )
    ours, same, other, same_other = light.run("bash", "-c", script).output.splitlines()
    assert ours == same != other == same_other


def test_as_many_accounts_as_wanted_are_generated(ferry: Laboratory) -> None:
    ferry.run("sh", "-c", "echo 12 > /srv/lab/control/ferry-accounts", user="root")
    first, last, beyond = ask(ferry, "bulk0001", "bulk0012", "bulk0013")
    assert (first.output["uid"], last.output["uid"], beyond.output) == (60001, 60012, {})
    ferry.run("rm", "/srv/lab/control/ferry-accounts", user="root")
    assert ask(ferry, "bulk0001")[0].output == {}


@pytest.mark.parametrize(
    ("words", "statuses", "retry_after"),
    [
        (["ferry-down"], [0, 0, 0], ["", "", ""]),
        (["ferry-500"], [500, 500, 500], ["", "", ""]),
        (["ferry-500", "2"], [500, 500, 200], ["", "", ""]),
        (["ferry-429", "7", "1"], [429, 200, 200], ["7", "", ""]),
        (["ferry-429", "0"], [429, 429, 429, 429, 429, 200], ["0"] * 5 + [""]),
    ],
)
def test_a_server_in_trouble(ferry: Laboratory, words: list[str], statuses: list[int], retry_after: list[str]) -> None:
    # Twice: what was mended and is made again counts from the start.
    for _time in range(2):
        with ferry.fault(*words):
            answers = ask(ferry, *["dunepro"] * len(statuses))
        assert [answer.status for answer in answers] == statuses
        assert [answer.retry_after for answer in answers] == retry_after
    assert ask(ferry, "dunepro")[0].status == 200


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (["ferry-uid", "dunepro", "0"], {"uid": 0}),
        (["ferry-uid", "dunepro", "50110"], {"uid": 50110}),
        (["ferry-uid", "dunepro", "many"], {"uid": "many"}),
        (["ferry-inactive", "dunepro"], {"status": False}),
    ],
)
def test_a_wrong_answer_about_one_account(ferry: Laboratory, words: list[str], changes: dict[str, t.Any]) -> None:
    right = [answer.output for answer in ask(ferry, "dunepro", "novapro")]
    with ferry.fault(*words):
        dune, nova = (answer.output for answer in ask(ferry, "dunepro", "novapro"))
    assert dune == right[0] | changes != right[0]
    assert nova == right[1]


def test_half_an_answer_and_an_account_that_ferry_has_lost(ferry: Laboratory) -> None:
    whole = [answer.text for answer in ask(ferry, "dunepro", "novapro")]
    halves = [text[: len(text) // 2] for text in whole]
    for words, expected in ((["dunepro"], [halves[0], whole[1]]), ([], halves)):
        with ferry.fault("ferry-garbage", *words):
            assert [answer.text for answer in ask(ferry, "dunepro", "novapro")] == expected
    with ferry.fault("ferry-unknown", "dunepro"):
        lost, nova = ask(ferry, "dunepro", "novapro")
    assert json.loads(lost.text)["ferry_error"] == ["user dunepro not found"]
    assert nova.text == whole[1]


def test_slow_answers_are_slow_side_by_side(ferry: Laboratory) -> None:
    with ferry.fault("ferry-slow", "0.5"):
        answers = ask(ferry, *["dunepro"] * 16, at_once=True)
    assert all(answer.seconds >= 0.5 for answer in answers)
    times = [entry["time"] for entry in logged(ferry) if entry["event"] == "request"]
    assert len(times) == 16
    # One after the other they would be 7.5 s apart.
    assert max(times) - min(times) < 4


CLAIMS = {"iss": f"{bearer.ISSUER}dune", "aud": bearer.AUDIENCE, "nbf": 0, "exp": time.time() + 3600}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "no JSON Web Token"),
        ("a.b", "no JSON Web Token"),
        ("\udc80.b.c", "no JSON Web Token"),
        (bearer.sign(CLAIMS, b"x" * 32), "signature"),
        (bearer.sign(CLAIMS, KEY)[:-4], "signature"),
        (bearer.sign(CLAIMS | {"exp": 1}, KEY), "expired"),
        (bearer.sign(CLAIMS | {"nbf": time.time() + 600}, KEY), "not valid yet"),
        (bearer.sign(CLAIMS | {"iss": "https://elsewhere.example/"}, KEY), "issuer"),
        (bearer.sign(CLAIMS | {"aud": "somebody"}, KEY), "audience"),
    ],
)
def test_a_token_that_the_issuer_did_not_sign_for_now_is_refused(token: str, reason: str) -> None:
    with pytest.raises(bearer.NotOurs, match=reason):
        bearer.verify(token, KEY)


def test_a_token_of_the_issuer_is_accepted() -> None:
    assert bearer.verify(bearer.sign(CLAIMS, KEY), KEY) == CLAIMS
