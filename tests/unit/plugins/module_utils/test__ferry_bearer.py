# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token for the registry: whose it is, how it is got, and that nothing of it stays."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ferry_bearer as bearer
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    KdcUnreachable,
    PersonNeeded,
    TokenInvalid,
    TokensError,
    VaultServerUnknown,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, service

IDENTITY = bearer.Identity("dune_production", "dune", "production", "a/b@REALM", "/srv/a.keytab", "vault.lab.example")
TOKEN = "eyJhbGciOi.canary-canary_canary"


class Machine:
    """Give tickets, and stand in for htgettoken, which leaves `left` and ends with `status`."""

    def __init__(self) -> None:
        self.left: bytes | None = f"{TOKEN}\n".encode()
        self.status = 0
        self.output = ""
        self.argv: list[str] = []
        self.env: t.Mapping[str, str] = {}
        self.directories: list[Path] = []
        self.tickets: list[tuple[str, str, str]] = []
        self.refusal: TokensError | None = None

    def take_ticket(self, principal: str, keytab: Path, cache: Path) -> float:
        if self.refusal is not None:
            raise self.refusal
        self.tickets.append((principal, str(keytab), cache.name))
        return 3600.0

    def run(self, argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        self.argv, self.env = list(argv), env
        values = dict(item.lstrip("-").split("=", 1) for item in argv if "=" in item)
        if self.left is not None:
            Path(values["outfile"]).write_bytes(self.left)
        return Finished(self.status, self.output, 0.0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Put fakes in the place of libkrb5, of the guardian and of programs."""
    machine = Machine()
    monkeypatch.setattr(bearer, "take_ticket", machine.take_ticket)
    monkeypatch.setattr(bearer, "watch", lambda directory, *_more: machine.directories.append(Path(directory)))
    monkeypatch.setattr(bearer, "find_program", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return machine


def take(machine: Machine, identity: bearer.Identity = IDENTITY, run: Run | None = None, vault_ca: str = "") -> str:
    return bearer.take_bearer(
        identity, run or Run.begin(Timeouts()), owner=4711, vault_ca=vault_ca, program=machine.run
    )


def nothing_stays(machine: Machine) -> bool:
    return len(machine.directories) == 1 and not machine.directories[0].exists()


def test_take_bearer_gives_what_htgettoken_left_and_leaves_nothing(machine: Machine) -> None:
    assert take(machine) == TOKEN
    assert nothing_stays(machine)
    directory = machine.directories[0]
    assert machine.tickets == [("a/b@REALM", "/srv/a.keytab", "krb5cc_dune_production")]
    assert machine.argv == [
        "/usr/bin/htgettoken",
        "--verbose",
        "--nooidc",
        "--vaultserver=vault.lab.example",
        "--issuer=dune",
        "--role=production",
        "--credkey=a/b",
        f"--vaulttokenfile={directory}/vt",
        f"--outfile={directory}/bt",
    ]
    assert machine.env["KRB5CCNAME"] == f"FILE:{directory}/krb5cc_dune_production"
    assert machine.env["XDG_RUNTIME_DIR"] == str(directory)
    assert machine.env["BEARER_TOKEN_FILE"] == f"{directory}/bt"


def test_take_bearer_verifies_vault_with_the_named_ca(machine: Machine, tmp_path: Path) -> None:
    take(machine, vault_ca=str(tmp_path))
    assert machine.argv[-1] == f"--capath={tmp_path}"
    take(machine, vault_ca="/etc/ca.pem")
    assert machine.argv[-1] == "--cafile=/etc/ca.pem"


@pytest.mark.parametrize("left", [None, b"", b"\n", b"two words", f"{TOKEN}\nX-Other: 1".encode(), b"\xff", b"a=b"])
def test_take_bearer_what_is_no_token_is_not_sent(machine: Machine, left: bytes | None) -> None:
    machine.left = left
    with pytest.raises(TokenInvalid) as caught:
        take(machine)
    assert "canary" not in caught.value.msg
    assert nothing_stays(machine)


def test_take_bearer_failure_of_htgettoken_keeps_its_kind(machine: Machine) -> None:
    machine.status, machine.output = 1, "htgettoken: Failure getting token from https://vault"
    with pytest.raises(PersonNeeded, match=r"^dune_production, for the registry: "):
        take(machine)
    assert nothing_stays(machine)


def test_take_bearer_failure_of_kerberos_keeps_its_kind(machine: Machine) -> None:
    machine.refusal = KdcUnreachable("No KDC.")
    with pytest.raises(KdcUnreachable):
        take(machine)
    assert machine.argv == []
    assert nothing_stays(machine)


def test_take_bearer_no_directory_can_be_made(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_run_id: str) -> t.NoReturn:
        raise OSError(28, "No space left on device", "/run/x")

    monkeypatch.setattr(bearer, "make_run_directory", refuse)
    with pytest.raises(BadFile, match=r"^Cannot make the run's private directory: No space left on device: /run/x\.$"):
        take(machine)


@pytest.mark.parametrize(("options", "server"), [("-a vault2 --x", "vault2"), ("", "")])
def test_take_bearer_without_a_vault_server_takes_condors(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, options: str, server: str
) -> None:
    monkeypatch.setattr(Pool, "gettoken_options", lambda _self: options)
    identity = bearer.Identity("dune_production", "dune", "production", "a@R", "/k")
    if server:
        assert take(machine, identity) == TOKEN
        assert f"--vaultserver={server}" in machine.argv
    else:
        with pytest.raises(VaultServerUnknown, match="managed_tokens_ferry_vault_server"):
            take(machine, identity)


def test_take_bearer_refuses_a_server_of_htcondors_that_cannot_be_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pool, "gettoken_options", lambda _self: f"-a http://ann:{CANARY}@vault")
    identity = bearer.Identity("dune_production", "dune", "production", "a@R", "/k")
    with pytest.raises(VaultServerUnknown, match=r"SEC_CREDENTIAL_GETTOKEN_OPTS holds a user name or password; [^@]*$"):
        take(machine, identity)
    assert machine.argv == []


def test_take_bearer_limits_end_with_the_run(machine: Machine) -> None:
    limits: list[float] = []

    def run(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        limits.append(timeout)
        return machine.run(argv, env=env, timeout=timeout)

    now = time.time()
    bearer.take_bearer(IDENTITY, Run("x", now, now + 5.0), owner=None, vault_ca="", program=run)
    assert 0 < limits[0] <= 5.0


SERVICES = [service("dune_production", name="fermilab_production", principal="p@R", keytab="/k", vault_server="v")]
IDENTITIES: tuple[tuple[dict[str, str], bearer.Identity], ...] = (
    (
        {"ferry_service": "dune_production"},
        bearer.Identity("dune_production", "fermilab", "production", "p@R", "/k", "v"),
    ),
    (
        {
            "ferry_service": "dune_production",
            "ferry_principal": "q@R",
            "ferry_keytab": "/l",
            "ferry_vault_server": "w",
        },
        bearer.Identity("dune_production", "fermilab", "production", "q@R", "/l", "w"),
    ),
    (
        {"ferry_service": "lab_reg", "ferry_principal": "q@R", "ferry_keytab": "/l", "vault_server": "u"},
        bearer.Identity("lab_reg", "lab", "reg", "q@R", "/l", "u"),
    ),
)


@pytest.mark.parametrize(("params", "identity"), IDENTITIES)
def test_identity_of_configured_service_or_own_settings(params: dict[str, str], identity: bearer.Identity) -> None:
    problems: list[str] = []
    assert bearer.identity_of(params, SERVICES, problems) == identity
    assert problems == []


BAD: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "managed_tokens_ferry_service is not set; "),
    ({"ferry_service": "nonsense"}, "managed_tokens_ferry_service is 'nonsense'; it has to be named experiment_role."),
    (
        {"ferry_service": "dune_production", "ferry_vault_server": "http://v"},
        "managed_tokens_ferry_vault_server has the scheme 'http'; ",
    ),
    (
        {
            "ferry_service": "lab_reg",
            "ferry_principal": "q@R",
            "ferry_keytab": "/l",
            "vault_server": f"https://ann:{CANARY}@v",
        },
        "managed_tokens_vault_server holds a user name or password; ",
    ),
    ({"ferry_service": "a_b_c"}, "managed_tokens_ferry_service is 'a_b_c'; it has to be named experiment_role."),
    (
        {"ferry_service": "dune_prodution", "ferry_keytab": "/k"},
        "managed_tokens_ferry_service names 'dune_prodution', which is not configured; did you mean 'dune_production'?",
    ),
)


@pytest.mark.parametrize(("params", "words"), BAD)
def test_identity_of_bad_settings_are_told(params: dict[str, str], words: str) -> None:
    problems: list[str] = []
    assert bearer.identity_of(params, SERVICES, problems) is None
    assert len(problems) == 1
    assert problems[0].startswith(words)
