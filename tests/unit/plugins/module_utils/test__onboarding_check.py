# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vault and nodes are looked at, and nothing is written."""

from __future__ import annotations

import asyncio
import ssl
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ssh as ssh
from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_check import (
    NodeSettings,
    look_at_nodes,
    vault_problem,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_node import (
    OTHER_KEY,
    NodeFiles,
    Refusing,
    Welcoming,
    files_below,
    serving,
    settings_for,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import saying
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki


def look(
    tmp_path: Path, server: t.Any = Welcoming, key: t.Any = None, files: type[NodeFiles] = NodeFiles, **changes: t.Any
) -> Outcome:
    """Let a service with a ticket look at the one node."""

    async def main() -> Outcome:
        async with serving(files_below(tmp_path, files), server) as node:
            owner = service(nodes=(node,), **{"ccache": "FILE:/x", **changes})
            settings = NodeSettings(settings_for(node, key) if key else settings_for(node))
            (found,) = await look_at_nodes([owner], Run.begin(Timeouts()), settings)
            return found

    return asyncio.run(main())


def test_look_at_nodes_that_let_the_service_in_are_ok_and_untouched(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert (found.stage, found.status, found.node, found.kind) == ("check", "ok", "n1", "")
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"server": Refusing}, "account_refused"),
        ({"key": OTHER_KEY}, "host_key_changed"),
        ({"default_role_file": "/nowhere/role"}, "destination_unwritable"),
    ],
)
def test_look_at_nodes_what_would_keep_the_token_away_is_named_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], kind: str
) -> None:
    monkeypatch.setattr(ssh, "ticket_problem", lambda _ccache, _host: None)
    found = look(tmp_path, **options)
    assert (found.status, found.kind) == ("skipped", kind)


class Deceiving(NodeFiles):
    """Answer with words for the terminal that they come to."""

    def stat(self, path: bytes) -> t.NoReturn:
        raise asyncssh.SFTPFailure(f"\x1b]52;c;cm0=\x07\x1b[2J\x1b[Hall\nwell {CANARY}")


def test_look_at_nodes_what_a_node_says_is_fit_to_be_shown(tmp_path: Path) -> None:
    found = look(tmp_path, files=Deceiving)
    assert found.kind == "destination_unwritable"
    assert found.message == "n1: the directory /tmp cannot be looked at: all well [redacted]."


def test_look_at_nodes_without_a_ticket_tries_the_way_only(tmp_path: Path) -> None:
    assert look(tmp_path, server=Refusing, ccache="").status == "ok"


def test_look_at_nodes_after_the_end_of_the_run_looks_at_nothing(tmp_path: Path) -> None:
    run = Run("x", 0.0, 1.0, "", Timeouts())
    (found,) = asyncio.run(look_at_nodes([service(ccache="FILE:/x")], run, NodeSettings(t.cast("t.Any", None))))
    assert found.kind == "deadline"


class Sealed(BaseHTTPRequestHandler):
    """Be a vault server that says that it is sealed."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def vault(pki: Pki) -> t.Iterator[str]:
    """Give the URL of a vault server whose certificate is the CA's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sealed)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_vault_problem_any_answer_over_verified_tls_is_good(vault: str, pki: Pki) -> None:
    assert vault_problem(vault, str(pki.ca), 20.0) is None


@pytest.mark.parametrize(
    ("port", "ca", "words"),
    [
        ("", "", "has a certificate that is not verified"),
        ("1", "", "cannot be reached"),
        ("1", "/nowhere/ca.pem", "cannot be reached"),
    ],
)
def test_vault_problem_what_keeps_it_from_being_used_is_told(vault: str, port: str, ca: str, words: str) -> None:
    server = f"https://127.0.0.1:{port}" if port else vault
    problem = vault_problem(server, ca, 20.0)
    assert problem is not None
    assert problem.msg.startswith(f"the vault server {server} {words}")


@pytest.mark.parametrize(("said", "drop"), [(b"Content-Length: 120\r\n\r\n", b" "), (b"", b"X: y\r\n")])
def test_vault_problem_server_that_answers_in_drips_did_not_answer(pki: Pki, said: bytes, drop: bytes) -> None:
    """The body would be over after six seconds, the headers after 100 of them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server)
    with saying(b"HTTP/1.1 200 OK\r\n" + said, on_and_on=drop, pause=0.05, tls=context) as (url, _heard):
        problem = vault_problem(url, str(pki.ca), 0.3)
    assert problem is not None
    assert problem.msg == f"the vault server {url} did not answer within 0.3 s."
