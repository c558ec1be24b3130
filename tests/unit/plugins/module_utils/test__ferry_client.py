# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection for each thread, kept alive; what can go wrong on it, and how it is ended from outside."""

from __future__ import annotations

import socket
import ssl
import threading
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
)

PATH = "/getUserInfo?username=a1"


@pytest.fixture
def registry(pki: Pki) -> t.Iterator[Registry]:
    """Run a registry while the test runs."""
    running = Registry(pki)
    yield running
    running.close()


def connections(pki: Pki, port: int, cert: str = "client", ca: str = "ca", **headers: str) -> Connections:
    problems: list[str] = []
    context = client_context(str(getattr(pki, ca)), str(getattr(pki, cert)) if cert else "", "", problems)
    assert problems == []
    return Connections("127.0.0.1", port, context, headers)


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


def test_ask_threads_have_a_connection_each_and_no_more(pki: Pki, registry: Registry) -> None:
    asking = connections(pki, registry.port)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _number: asking.ask(PATH, 30.0), range(40)))
    asking.close()
    assert [answer.status for answer in answers] == [200] * 40
    assert 1 <= registry.connections <= 4


def test_ask_gives_status_and_retry_after_and_follows_nothing(pki: Pki, registry: Registry) -> None:
    registry.replies["a1"] = [
        Reply(b"x", 503, (("Retry-After", "7"),)),
        Reply(b"", 302, (("Location", f"{registry.url}/elsewhere?username=x"), ("Set-Cookie", "a=b"))),
    ]
    asking = connections(pki, registry.port)
    assert asking.ask(PATH, 30.0) == Answer(503, b"x", "7")
    assert asking.ask(PATH, 30.0) == Answer(302)
    assert registry.paths == [PATH, PATH]
    asking.close()


def test_ask_again_after_the_server_closed_an_idle_connection(pki: Pki, registry: Registry) -> None:
    registry.replies["a1"] = [Reply(b"x", headers=(("Connection", "close"),)), Reply(b"y")]
    asking = connections(pki, registry.port)
    own = asking._connection()
    assert asking.ask(PATH, 30.0).body == b"x"
    assert asking.ask(PATH, 30.0).body == b"y"
    # And one that goes without having said so.
    socket.socket.shutdown(t.cast("socket.socket", own.sock), socket.SHUT_RDWR)
    assert asking.ask(PATH, 30.0).body == b"y"
    assert registry.connections == 3
    asking.close()


def test_ask_certificate_of_the_server_that_is_not_verified_is_told_and_nothing_is_sent(
    pki: Pki, registry: Registry
) -> None:
    found = failure(connections(pki, registry.port, ca="stranger_cert"))
    assert isinstance(found, TlsFailed)
    assert found.msg.startswith(f"The certificate of the registry 127.0.0.1 port {registry.port} is not verified: ")
    assert registry.asked == []


def test_ask_server_of_another_name_is_not_verified(pki: Pki, registry: Registry) -> None:
    problems: list[str] = []
    asking = Connections("localhost", registry.port, client_context(str(pki.ca), str(pki.client), "", problems), {})
    found = failure(asking)
    assert isinstance(found, TlsFailed)
    assert "ostname mismatch" in found.msg
    assert registry.asked == []


@pytest.mark.parametrize("cert", ["", "stranger"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_ask_our_certificate_is_not_taken(pki: Pki, registry: Registry, cert: str, version: ssl.TLSVersion) -> None:
    asking = connections(pki, registry.port, cert=cert)
    asking._context.maximum_version = version
    found = failure(asking)
    assert isinstance(found, TlsFailed)
    assert f"The registry 127.0.0.1 port {registry.port} did not take our certificate or TLS: " in found.msg
    assert registry.asked == []


def test_ask_nobody_listens(pki: Pki) -> None:
    port = closed_port()
    found = failure(connections(pki, port))
    assert isinstance(found, RegistryUnavailable)
    assert found.msg == f"The registry 127.0.0.1 port {port} cannot be reached: Connection refused."


def test_ask_name_that_does_not_exist(pki: Pki) -> None:
    asking = Connections("registry.invalid", 443, connections(pki, 1)._context, {})
    assert failure(asking).msg.startswith("The registry registry.invalid port 443 cannot be reached: ")


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


def test_ask_answer_that_is_too_large_is_not_read(pki: Pki, registry: Registry) -> None:
    registry.replies["a1"] = [Reply(b" " * (BODY_LIMIT + 1))]
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


def test_ask_server_that_says_a_little_now_and_then_has_one_limit_for_all_of_it(pki: Pki) -> None:
    asking = connections(pki, 1)
    own = asking._connection()
    own.until = 0.0  # long ago: a read that began now would have to end now
    left, right = socket.socketpair()
    with left, right:
        limited = asking._context.wrap_socket(left, server_hostname="x", do_handshake_on_connect=False)
        limited.until = own.until  # type: ignore[attr-defined]
        with limited, pytest.raises(TimeoutError):
            limited.recv_into(bytearray(1))


def test_end_ends_a_wait_of_another_thread_and_takes_no_more_questions(pki: Pki, registry: Registry) -> None:
    registry.gate = threading.Event()
    asking = connections(pki, registry.port)
    found: list[TokensError] = []
    thread = threading.Thread(target=lambda: found.append(failure(asking, timeout=600.0)), daemon=True)
    thread.start()
    while not registry.asked:
        thread.join(0.01)
    asking.end()
    thread.join(30)
    assert not thread.is_alive()
    assert [type(error) for error in found] == [RegistryUnavailable]
    assert failure(asking).msg == "The registry was not asked: the run is being stopped."
    assert registry.connections == 1


def test_end_ends_a_handshake_too(pki: Pki) -> None:
    found: list[TokensError] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asking = connections(pki, listener.getsockname()[1])
        thread = threading.Thread(target=lambda: found.append(failure(asking, timeout=600.0)), daemon=True)
        thread.start()
        accepted, _address = listener.accept()
        with accepted:
            accepted.recv(1)  # the client has begun
            asking.end()
            thread.join(30)
    assert not thread.is_alive()
    assert [type(error) for error in found] == [RegistryUnavailable]


class plain_server:  # noqa: N801 - reads as what it does
    """A server that says one thing, without TLS, to whoever has said something, and closes."""

    def __init__(self, words: bytes) -> None:
        self._words = words
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *_error: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        connection, _address = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._words)
