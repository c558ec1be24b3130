# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections are made to known servers only, as one account, and what goes wrong has a name."""

from __future__ import annotations

import asyncio
import typing as t
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ssh as ssh
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, KdcUnreachable, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_socket import open_socket
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
    PREFERRED_CIPHERS,
    SshSettings,
    check_kex_algs,
    identity_of,
    read_known_hosts,
    session,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_node import (
    HOST_KEY,
    OTHER_KEY,
    NodeFiles,
    Refusing,
    files_below,
    serving,
    settings_for,
)

CCACHE = "FILE:/nowhere/cc"


@pytest.fixture(autouse=True)
def no_ticket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the machine's own tickets and configuration out of it."""
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'none'}")
    monkeypatch.setenv("HOME", str(tmp_path))


async def listed(there: Node, settings: SshSettings, timeout: float = 20.0) -> list[str]:
    """Open a session and list a directory of the node."""
    sock = await open_socket(there, 20.0)
    try:
        async with session(sock, there, "dunepro", CCACHE, settings, timeout) as sftp:
            names = [str(name) for name in await sftp.listdir("/tmp")]
    finally:
        assert sock.fileno() == -1, "the socket stays open"
    return sorted(set(names) - {".", ".."})


Settings = t.Callable[[Node], SshSettings]


def error_of(settings: Settings, files: type[NodeFiles] | None, **options: t.Any) -> TokensError:
    """Give the error of a session with such a node."""

    async def main() -> TokensError:
        async with serving(files, **options) as there:
            with pytest.raises(TokensError) as caught:
                await listed(there, settings(there))
        return caught.value

    return asyncio.run(main())


def test_session_with_a_known_server_transfers_files_and_closes_its_socket(tmp_path: Path) -> None:
    async def main() -> list[str]:
        async with serving(files_below(tmp_path)) as there:
            return await listed(there, settings_for(there))

    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "a").write_bytes(b"")
    assert asyncio.run(main()) == ["a"]


def nobody(_there: Node) -> SshSettings:
    return SshSettings(asyncssh.import_known_hosts(""))


def changed(there: Node) -> SshSettings:
    return settings_for(there, OTHER_KEY)


def revoked(there: Node) -> SshSettings:
    key = HOST_KEY.export_public_key().decode()
    return SshSettings(asyncssh.import_known_hosts(f"@revoked [n1]:{there.port} {key}[n1]:{there.port} {key}"))


def test_session_unknown_host_key_is_refused(tmp_path: Path) -> None:
    error = error_of(nobody, files_below(tmp_path))
    assert (error.kind, error.msg) == (
        "host_key_unknown",
        "No known_hosts file has a key for n1 (looked for n1); nothing was sent to it.",
    )


@pytest.mark.parametrize("settings", [changed, revoked])
def test_session_other_or_revoked_host_key_is_refused(tmp_path: Path, settings: Settings) -> None:
    error = error_of(settings, files_below(tmp_path))
    assert error.kind == "host_key_changed"


def test_session_account_that_is_not_let_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(ssh, "ticket_problem", lambda ccache, host: asked.append((ccache, host)))
    error = error_of(settings_for, files_below(tmp_path), server=Refusing)
    assert error.kind == "account_refused"
    assert error.msg.startswith("n1 does not let the account dunepro in: ")
    assert asked == [(CCACHE, "n1")]


def test_session_without_a_ticket_for_the_node_is_not_the_nodes_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = KdcUnreachable("no KDC.")
    monkeypatch.setattr(ssh, "ticket_problem", lambda _ccache, _host: own)
    assert error_of(settings_for, files_below(tmp_path), server=Refusing) is own


def test_session_without_file_transfer_is_told() -> None:
    error = error_of(settings_for, None)
    assert error.kind == "ssh_failed"
    assert "gave no file transfer (sftp) session" in error.msg


def test_session_without_a_common_key_exchange_is_told(tmp_path: Path) -> None:
    def only(there: Node) -> SshSettings:
        return SshSettings(settings_for(there).known_hosts, ("curve25519-sha256",))

    error = error_of(only, files_below(tmp_path), kex_algs=["ecdh-sha2-nistp256"])
    assert error.kind == "ssh_failed"
    assert "have no way to exchange keys" in error.msg


Greeting = t.Callable[[asyncio.StreamReader, asyncio.StreamWriter], t.Awaitable[None]]


def error_of_server(greeting: Greeting, timeout: float) -> TokensError:
    """Give the error of a session with something that is no ssh server."""

    async def main() -> TokensError:
        server = await asyncio.start_server(greeting, "127.0.0.1", 0)
        there = node("n1", address="127.0.0.1", port=server.sockets[0].getsockname()[1])
        async with server:
            with pytest.raises(TokensError) as caught:
                await listed(there, settings_for(there), timeout)
        return caught.value

    return asyncio.run(main())


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass
    writer.close()


async def talk_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n" + b"x" * 100_000 + b"\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("greeting", [hang_up, talk_http])
def test_session_server_that_breaks_off_can_be_tried_again(greeting: Greeting) -> None:
    error = error_of_server(greeting, 20.0)
    assert error.kind == "connection_broken"
    assert error.retryable


def test_session_server_that_says_nothing_is_unreachable() -> None:
    error = error_of_server(say_nothing, 0.1)
    assert error.kind == "node_unreachable"
    assert error.msg == "The ssh server of n1 accepted the connection and did not finish the login within 0.1 s."


def test_session_offers_the_cheaper_ciphers_first_and_leaves_out_none() -> None:
    options = asyncssh.SSHClientConnectionOptions(
        config=None, client_keys=None, agent_path=None, known_hosts=b"", encryption_algs=PREFERRED_CIPHERS
    )
    assert list(options.encryption_algs)[:2] == [b"aes256-gcm@openssh.com", b"aes128-gcm@openssh.com"]
    assert set(options.encryption_algs) == set(asyncssh.encryption.get_default_encryption_algs())


@pytest.mark.parametrize(
    ("there", "identity"),
    [
        (node("n1"), "n1"),
        (node("n1", address="n1-ssh"), "n1-ssh"),
        (node("n1", address="10.0.0.1"), "n1"),
        (node("n1", address="fe80::1"), "n1"),
    ],
)
def test_identity_of_a_node_is_never_a_bare_address(there: Node, identity: str) -> None:
    assert identity_of(there) == identity


KEY = HOST_KEY.export_public_key().decode()


def test_read_known_hosts_reads_all_files(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(f"n1 {KEY}", encoding="ascii")
    (tmp_path / "two").write_text(f"# comment\n@cert-authority *.lab {KEY}", encoding="ascii")
    known = read_known_hosts([str(tmp_path / "one"), str(tmp_path / "two")])
    assert any(known.match("n1", "", None))
    assert any(known.match("x.lab", "", None))
    assert not any(known.match("n2", "", None))


def test_read_known_hosts_named_file_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^managed_tokens_known_hosts: cannot read /nowhere/x: No such file"):
        read_known_hosts(["/nowhere/x"])


def test_read_known_hosts_defaults_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"only-mine {KEY}", encoding="ascii")
    assert any(read_known_hosts([]).match("only-mine", "", None))


def test_check_kex_algs_known_ones_pass_and_others_are_named() -> None:
    assert check_kex_algs([]) == ()
    assert check_kex_algs(["curve25519-sha256"]) == ("curve25519-sha256",)
    with pytest.raises(BadInput, match=r"^managed_tokens_kex_algorithms: .*magic"):
        check_kex_algs(["curve25519-sha256", "magic"])
