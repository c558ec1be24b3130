# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few connections, kept alive and made with our TLS context alone; what can go wrong on them, and their end."""

from __future__ import annotations

import socket
import ssl
import threading
import traceback
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    RegistryAnswer,
    RegistryUnavailable,
    TlsFailed,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import BODY_LIMIT, Answer, Connections
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_tls import client_context
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import (
    Pki,
    Registry,
    Reply,
    closed_port,
    plain_server,
)

PATH = "/getUserInfo?username=a1"


@pytest.fixture
def registry(pki: Pki) -> t.Iterator[Registry]:
    """Run a registry while the test runs."""
    running = Registry(pki)
    yield running
    running.close()


def tls(pki: Pki, cert: str = "client", ca: str = "ca") -> ssl.SSLContext:
    problems: list[str] = []
    context = client_context(str(getattr(pki, ca)), str(getattr(pki, cert)) if cert else "", "", problems)
    assert problems == []
    return context


def connections(
    pki: Pki, port: int, context: ssl.SSLContext | None = None, host: str = "127.0.0.1", **headers: str
) -> Connections:
    return Connections(host, port, context or tls(pki), headers, 4)


def failure(asking: Connections, timeout: float = 30.0) -> TokensError:
    with pytest.raises(TokensError) as caught:
        asking.ask(PATH, timeout)
    return caught.value


def test_ask_keeps_the_connection_and_sends_the_headers(pki: Pki, registry: Registry) -> None:
    asking = connections(pki, registry.port, Authorization=f"Bearer {CANARY}")
    answers = [asking.ask(PATH, 30.0) for _time in range(3)]
    asking.close()
    assert [answer.status for answer in answers] == [200] * 3
    assert b"50001" in answers[0].body
    assert registry.connections == 1
    assert registry.authorisations == [f"Bearer {CANARY}"] * 3


def test_ask_more_threads_than_connections_share_them(pki: Pki, registry: Registry) -> None:
    asking = connections(pki, registry.port)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _number: asking.ask(PATH, 30.0), range(80)))
    asking.close()
    assert [answer.status for answer in answers] == [200] * 80
    assert 1 <= registry.connections <= 4


def test_ask_threads_that_connect_at_once_leave_the_context_as_it_was(pki: Pki, registry: Registry) -> None:
    context = tls(pki)
    trusted = context.get_ca_certs()
    for _time in range(5):
        asking = Connections("127.0.0.1", registry.port, context, {}, 16)
        with ThreadPoolExecutor(16, initializer=threading.Barrier(16).wait) as pool:
            answers = list(pool.map(asking.ask, [PATH] * 64, [30.0] * 64))
        asking.close()
        assert [answer.status for answer in answers] == [200] * 64
    assert len(trusted) == 1
    assert context.get_ca_certs() == trusted
    assert registry.connections <= 80


def test_ask_gives_status_and_retry_after_and_follows_nothing(pki: Pki, registry: Registry) -> None:
    registry.replies["a1"] = [
        Reply(b"x", 503, (("Retry-After", "7"),)),
        Reply(b"", 302, (("Location", f"{registry.url}/elsewhere?username=x"), ("Set-Cookie", "a=b"))),
    ]
    asking = connections(pki, registry.port)
    assert asking.ask(PATH, 30.0) == Answer(503, b"x", "7")
    assert asking.ask(PATH, 30.0) == Answer(302)
    assert asking.ask(PATH, 30.0) == Answer(302)
    assert registry.paths == [PATH] * 3
    assert registry.cookies == [None] * 3
    asking.close()


def test_ask_again_after_the_server_closed_an_idle_connection(pki: Pki, registry: Registry) -> None:
    registry.replies["a1"] = [Reply(b"x", headers=(("Connection", "close"),)), Reply(b"y")]
    asking = connections(pki, registry.port)
    assert asking.ask(PATH, 30.0).body == b"x"
    assert asking.ask(PATH, 30.0).body == b"y"
    registry.hang_up()  # without having said so
    assert asking.ask(PATH, 30.0).body == b"y"
    assert registry.connections == 3
    asking.close()


def test_ask_certificate_of_the_server_that_is_not_verified_is_told_and_nothing_is_sent(
    pki: Pki, registry: Registry
) -> None:
    found = failure(connections(pki, registry.port, tls(pki, ca="stranger_cert")))
    assert isinstance(found, TlsFailed)
    assert found.msg.startswith(f"The certificate of the registry 127.0.0.1 port {registry.port} is not verified: ")
    assert registry.asked == []


def test_ask_server_of_another_name_is_not_verified(pki: Pki, registry: Registry) -> None:
    found = failure(connections(pki, registry.port, host="localhost"))
    assert isinstance(found, TlsFailed)
    assert "ostname mismatch" in found.msg
    assert registry.asked == []


@pytest.mark.parametrize("cert", ["", "stranger"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_ask_our_certificate_is_not_taken(pki: Pki, registry: Registry, cert: str, version: ssl.TLSVersion) -> None:
    context = tls(pki, cert=cert)
    context.maximum_version = version
    # Several: the server closes before, while or after we are sending.
    for _time in range(10):
        found = failure(connections(pki, registry.port, context))
        assert isinstance(found, TlsFailed)
        assert f"The registry 127.0.0.1 port {registry.port} did not take our certificate or TLS: " in found.msg
    assert registry.asked == []


def test_ask_nobody_listens(pki: Pki) -> None:
    port = closed_port()
    found = failure(connections(pki, port))
    assert isinstance(found, RegistryUnavailable)
    assert found.msg == f"The registry 127.0.0.1 port {port} cannot be reached: Connection refused."


def test_ask_name_that_does_not_exist(pki: Pki) -> None:
    asking = connections(pki, 443, host="registry.invalid")
    assert failure(asking).msg.startswith("The registry registry.invalid port 443 cannot be reached: ")


@pytest.mark.parametrize("wrong", ["\n", "\u20ac"])
def test_ask_header_that_is_none_is_not_quoted(pki: Pki, registry: Registry, wrong: str) -> None:
    found = failure(connections(pki, registry.port, Authorization=f"Bearer {CANARY}{wrong}"))
    assert isinstance(found, RegistryUnavailable)
    assert CANARY not in "".join(traceback.format_exception(found))


def test_ask_server_without_tls_is_told(pki: Pki) -> None:
    with plain_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        found = failure(connections(pki, port))
    assert isinstance(found, TlsFailed)
    assert "do not agree on TLS: " in found.msg


def test_ask_connection_that_ends_during_the_handshake_can_pass(pki: Pki) -> None:
    with plain_server(b"") as port:
        found = failure(connections(pki, port))
    assert isinstance(found, RegistryUnavailable)
    assert found.msg == f"The registry 127.0.0.1 port {port} closed the connection without an answer."


def test_ask_half_an_answer_is_none(pki: Pki, registry: Registry) -> None:
    registry.replies["a1"] = [Reply(b'{"ferry_output": {}}', cut=True), Reply(b"{}")]
    asking = connections(pki, registry.port)
    found = failure(asking)
    assert isinstance(found, RegistryUnavailable)
    assert "is no whole HTTP: IncompleteRead" in found.msg
    assert asking.ask(PATH, 30.0).body == b"{}"
    asking.close()


@pytest.mark.parametrize("status", [200, 302])
def test_ask_answer_that_is_too_large_is_not_read(pki: Pki, registry: Registry, status: int) -> None:
    registry.replies["a1"] = [Reply(b" " * (BODY_LIMIT + 1), status, (("Location", "/elsewhere"),))]
    asking = connections(pki, registry.port)
    found = failure(asking)
    assert isinstance(found, RegistryAnswer)
    assert registry.connections == 1
    asking.close()


def test_ask_silent_server_costs_the_limit(pki: Pki, registry: Registry) -> None:
    registry.gate = threading.Event()
    found = failure(connections(pki, registry.port), timeout=0.2)
    assert isinstance(found, RegistryUnavailable)
    assert found.msg == f"The registry 127.0.0.1 port {registry.port} did not answer within 0.2 s."


def test_ask_silent_handshake_costs_the_limit(pki: Pki) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = failure(connections(pki, port), timeout=0.2)
    assert found.msg == f"The registry 127.0.0.1 port {port} did not answer within 0.2 s."


def test_end_takes_no_more_questions_and_waits_end_by_their_own_limit(pki: Pki, registry: Registry) -> None:
    registry.gate = threading.Event()
    asking = connections(pki, registry.port)
    found: list[TokensError] = []
    thread = threading.Thread(target=lambda: found.append(failure(asking, timeout=0.5)), daemon=True)
    thread.start()
    while thread.is_alive() and not registry.asked:
        thread.join(0.01)
    asking.end()
    assert failure(asking).msg == "The registry was not asked: the run is being stopped."
    thread.join(30)
    assert not thread.is_alive()
    assert "did not answer within 0.5 s" in found[0].msg
    assert registry.connections == 1
