# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UIDs, vault servers and credds of services."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    CollectorUnavailable,
    NoCredds,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import HTGETTOKEN, Credd
from ansible_collections.fife.managed_tokens.plugins.module_utils._setup import add_uids, complete
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, service

CREDDS = (Credd("c1", "col"),)


def wanted(name: str = "dune_production", **changes: t.Any) -> Wanted:
    """Give a configured service."""
    values: dict[str, t.Any] = {
        "service": service(name, uid=0, credds=(), vault_server="", default_role_file=""),
        "uid": None,
        "credds": (),
        "collectors": ("collector.lab.example",),
        "schedd_constraint": "",
        "default_role_file": "/tmp/role_{uid}_{service}",
    }
    return Wanted(**{**values, **changes})


class FakePool:
    """Answer like HTCondor, or fail like it."""

    def __init__(self, answer: tuple[Credd, ...] | Exception = CREDDS, options: str = "-a vault --x") -> None:
        self.answer = answer
        self.options = options

    def credds(self, _collectors: t.Sequence[str], _constraint: str) -> tuple[Credd, ...]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def gettoken_options(self) -> str:
        return self.options


def test_add_uids_role_level_wins_and_only_open_accounts_are_asked_for() -> None:
    asked: list[t.Collection[str]] = []

    def source(accounts: t.Collection[str]) -> dict[str, int]:
        asked.append(set(accounts))
        return {"novapro": 7, "dunepro": 8}

    found = add_uids([wanted(uid=5), wanted("nova_production")], source)
    assert [item.uid for item in found] == [5, 7]
    assert [item.default_role_file for item in found] == ["/tmp/role_5_dune_production", "/tmp/role_7_nova_production"]
    assert asked == [{"novapro"}]


def test_add_uids_nobody_knows_gives_zero() -> None:
    assert [item.uid for item in add_uids([wanted()], lambda _accounts: {})] == [0]


def test_add_uids_bad_role_file_is_told() -> None:
    with pytest.raises(BadInput, match=r"nova.roles.production: default_role_file has the placeholder '\{x\}'"):
        add_uids([wanted("nova_production", default_role_file="{x}", uid=1)], lambda _accounts: {})


def test_complete_takes_credds_from_the_pool_and_the_server_from_its_options() -> None:
    found, outcome = complete(service(vault_server="", credds=()), wanted(), t.cast("t.Any", FakePool()))
    assert outcome.status == "ok"
    assert (found.vault_server, found.gettoken_options) == ("vault", "--x")
    assert found.credds == CREDDS


def test_complete_configured_server_serves_whatever_htcondors_is() -> None:
    pool = t.cast("t.Any", FakePool(options=f"-a http://ann:{CANARY}@vault --x"))
    found, _outcome = complete(service(vault_server="own"), wanted(), pool)
    assert (found.vault_server, found.gettoken_options, found.problem) == ("own", "--x", None)


def test_complete_configured_server_and_credds_win() -> None:
    found, _outcome = complete(service(vault_server="own"), wanted(credds=("b", "a", "b")), t.cast("t.Any", FakePool()))
    assert found.vault_server == "own"
    assert found.credds == (Credd("a", "collector.lab.example"), Credd("b", "collector.lab.example"))


def test_complete_htgettoken_needs_no_pool() -> None:
    pool = FakePool(AssertionError("the pool was asked"))
    found, _outcome = complete(service(token_getter=HTGETTOKEN), wanted(), t.cast("t.Any", pool))
    assert found.credds == ()
    assert found.gettoken_options == ""


FAILURES: tuple[tuple[dict[str, t.Any], FakePool, str, str], ...] = (
    ({"uid": 0}, FakePool(), "uid_unknown", "dune_production: account dunepro has no UID"),
    ({"vault_server": ""}, FakePool(options=""), "vault_server_unknown", "dune_production: no vault server"),
    (
        {"vault_server": ""},
        FakePool(options="-a http://vault:8200"),
        "vault_server_unknown",
        "dune_production: the vault server in HTCondor's SEC_CREDENTIAL_GETTOKEN_OPTS has the scheme 'http'; tokens",
    ),
    (
        {"vault_server": ""},
        FakePool(options=f"--vaultserver=https://ann:{CANARY}@vault"),
        "vault_server_unknown",
        "dune_production: the vault server in HTCondor's SEC_CREDENTIAL_GETTOKEN_OPTS holds a user name or password; ",
    ),
    ({}, FakePool(NoCredds("none there.")), "no_credds", "dune_production: none there."),
    ({}, FakePool(CollectorUnavailable("silent.")), "collector_unavailable", "dune_production: silent."),
)


@pytest.mark.parametrize(("changes", "pool", "kind", "words"), FAILURES)
def test_complete_failure_stops_the_service_and_is_an_outcome(
    changes: dict[str, t.Any], pool: FakePool, kind: str, words: str
) -> None:
    found, outcome = complete(service(**changes), wanted(), t.cast("t.Any", pool))
    assert found.problem is not None
    assert (found.problem.stage, found.problem.kind) == ("setup", kind)
    assert (outcome.status, outcome.kind) == ("failed", kind)
    assert found.problem.message == outcome.message
    assert outcome.message.startswith(words)
