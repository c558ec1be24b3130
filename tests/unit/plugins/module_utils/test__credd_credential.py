# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credd is asked, told, and asked again; only what it says counts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _credd_credential as credd_credential
from ansible_collections.fife.managed_tokens.plugins.module_utils._credd_credential import (
    Client,
    Removed,
    remove,
    uses_bearer_tokens,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    CredentialNotRemoved,
    Missing,
    TimedOut,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, service

HEAD = "Account: <current> (mtokens)\nCredType: oauth\n\n"
DOWN = (
    "11/25/26 08:37:21 STORE_CRED: In mode 42 'query', user is \"\"\n"
    "11/25/26 08:37:21 Can't find address for credd credd9.lab.example\n"
    f"{HEAD}Operation failed.\n    Make sure your ALLOW_WRITE setting includes this host.\n"
)


class Pool:
    """Answers as condor_store_cred of HTCondor 23.9 does; `keeps` a credential whatever it is told."""

    def __init__(self, *, stored: bool = True, keeps: bool = False, answer: Finished | None = None) -> None:
        self.stored, self.keeps, self.answer = stored, keeps, answer
        self.asked: list[tuple[str, ...]] = []
        self.environments: list[t.Mapping[str, str]] = []

    def __call__(self, argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        name = Path(argv[0]).name
        self.asked.append((name, *argv[1:2]))
        self.environments.append(env)
        if name == "htgettoken":
            return Finished(1, f"denied {CANARY}\n", 0.1)
        if self.answer is not None:
            return self.answer
        if argv[1] == "delete-oauth":
            self.stored = self.stored and self.keeps
            return Finished(0, f"{HEAD}Operation succeeded.\n", 0.1)
        if self.stored:
            return Finished(0, f"{HEAD}A credential was stored and is valid.\n", 0.1)
        return Finished(1, f"{HEAD}No credential is stored.\n", 0.1)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all programs installed."""
    for module in (credd_credential, StorerRun.argv.__globals__):
        if isinstance(module, dict):
            monkeypatch.setitem(module, "find_program", lambda *names: f"/usr/bin/{names[0]}")
        else:
            monkeypatch.setattr(module, "find_program", lambda *names: f"/usr/bin/{names[0]}")


def client(pool: Pool, directory: Path, *, needs_bearer: bool = False) -> Client:
    leaving = service(ccache="FILE:/run/cc", token_dir=str(directory / "kept"))
    work = StorerRun(leaving, Credd("credd1.lab.example", "collector.lab.example"), "abc", directory, "1m")
    return Client(work, pool, 5.0, needs_bearer)


def test_remove_asks_removes_and_asks_again_with_the_service_s_ticket(tmp_path: Path) -> None:
    pool = Pool()
    assert remove(client(pool, tmp_path), check_mode=False) == Removed(True)
    assert [action for _name, action in pool.asked] == ["query-oauth", "delete-oauth", "query-oauth"]
    env = pool.environments[1]
    assert env["KRB5CCNAME"] == "FILE:/run/cc"
    assert env["_condor_CREDD_HOST"] == "credd1.lab.example"
    assert env["_condor_COLLECTOR_HOST"] == "collector.lab.example"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("stored", "check_mode"), [(False, False), (False, True), (True, True)])
def test_remove_only_asks_in_check_mode_or_when_there_is_none(tmp_path: Path, stored: bool, check_mode: bool) -> None:
    pool = Pool(stored=stored)
    assert remove(client(pool, tmp_path), check_mode=check_mode) == Removed(stored)
    assert [action for _name, action in pool.asked] == ["query-oauth"]


@pytest.mark.parametrize(
    ("pool", "error", "words"),
    [
        (Pool(answer=Finished(1, DOWN, 0.1)), CredentialNotRemoved, "Can't find address for credd credd9.lab.example"),
        (Pool(answer=Finished(1, HEAD, 0.1)), CredentialNotRemoved, "condor_store_cred ended with status 1"),
        (Pool(answer=Finished(-9, "", 5.0, True)), TimedOut, "no answer within 5 s"),
        (Pool(keeps=True), CredentialNotRemoved, "said that it removed the credential, and has it"),
    ],
)
def test_remove_names_what_went_wrong(tmp_path: Path, pool: Pool, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        remove(client(pool, tmp_path), check_mode=False)
    assert words in str(caught.value)
    assert str(caught.value).startswith("dune_production on credd credd1.lab.example: ")
    assert "ALLOW_WRITE" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_remove_goes_on_with_the_ticket_when_vault_gives_no_bearer_token(tmp_path: Path) -> None:
    pool = Pool()
    done = remove(client(pool, tmp_path, needs_bearer=True), check_mode=False)
    assert done.was_there
    assert "asked without a bearer token" in done.remark
    assert CANARY not in done.remark
    assert pool.asked[0][0] == "htgettoken"
    assert pool.environments[0]["BEARER_TOKEN_FILE"] == pool.environments[1]["BEARER_TOKEN_FILE"]


def test_remove_without_a_place_to_work_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        remove(client(Pool(), tmp_path / "none"), check_mode=False)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (Finished(0, "KERBEROS\n", 0.1), False),
        (Finished(0, "SCITOKENS, KERBEROS\n", 0.1), True),
        (Finished(1, "Not defined: SEC_CLIENT_AUTHENTICATION_METHODS\n", 0.1), False),
    ],
)
def test_uses_bearer_tokens_goes_by_the_client_s_methods(done: Finished, expected: bool) -> None:
    assert uses_bearer_tokens(Pool(answer=done), 5.0) is expected


def test_uses_bearer_tokens_without_htcondor_is_no_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*names: str) -> str:
        raise Missing(f"{names[0]} is not installed.")

    monkeypatch.setattr(credd_credential, "find_program", none)
    assert not uses_bearer_tokens(Pool(), 5.0)
