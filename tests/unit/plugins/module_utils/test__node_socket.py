# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node is reached at whichever address answers, and names that nobody resolves cost the other nodes nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
import typing as t
from asyncio.selector_events import BaseSelectorEventLoop
from collections import Counter

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import NodeUnreachable
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_socket import Names, open_socket
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node

NOWHERE, CLOSED = ("127.0.0.1", 1), ("127.0.0.1", 2)
OF_LOOP = "asyncio.selector_events.BaseSelectorEventLoop.sock_connect"


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux puts acknowledgements off for so long")
def test_open_socket_acknowledges_at_once_after_each_receiving() -> None:
    async def scene() -> tuple[bytes, int]:
        server = socket.create_server(("127.0.0.1", 0))
        sock = await open_socket(node("127.0.0.1", port=server.getsockname()[1]), 20.0)
        there, _address = server.accept()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
            there.sendall(b"SSH-")
            received = await asyncio.get_running_loop().sock_recv(sock, 10)
            return received, sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
        finally:
            for item in (sock, there, server):
                item.close()

    assert asyncio.run(scene()) == (b"SSH-", 1)


def test_open_socket_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NodeUnreachable, match=f"^n1 cannot be reached at 127.0.0.1 port {port}: Connection refused"):
        asyncio.run(open_socket(node("n1", address="127.0.0.1", port=port), 20.0))


def test_open_socket_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_arguments: object, **_options: object) -> t.NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(NodeUnreachable, match=r"^The name of n1 cannot be resolved: Name or service not known\.$"):
        asyncio.run(open_socket(node("n1"), 20.0))


def test_open_socket_no_answer_is_unreachable_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_arguments: object) -> None:
        await asyncio.sleep(600)

    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", hang)
    with pytest.raises(NodeUnreachable, match=r"^n1 did not answer at 127.0.0.1 port 22 within 0.01 s\.$"):
        asyncio.run(open_socket(node("n1", address="127.0.0.1"), 0.01))


@pytest.mark.parametrize("host", ["n1..lab.example", "n" * 70])
def test_open_socket_name_that_cannot_be_one_is_unreachable(host: str) -> None:
    with pytest.raises(NodeUnreachable, match=r"^n1 cannot be reached at .* port 22: .* cannot be a host's name\.$"):
        asyncio.run(open_socket(node("n1", address=host), 20.0))


def test_open_socket_every_address_of_the_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
        with asyncio.run(open_socket(node("n1"), 20.0)) as sock:
            assert sock.getpeername()[1] == port


class SomeSilent:
    """Be silent at one address, and remember all sockets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sockets: list[socket.socket] = []
        real = BaseSelectorEventLoop.sock_connect

        async def connect(loop: BaseSelectorEventLoop, sock: socket.socket, address: t.Any) -> None:
            self.sockets.append(sock)
            await (asyncio.sleep(600) if address == NOWHERE else real(loop, sock, address))

        monkeypatch.setattr(OF_LOOP, connect)


@pytest.mark.parametrize("first", [[NOWHERE], [NOWHERE, NOWHERE], [NOWHERE, CLOSED], [CLOSED, NOWHERE]])
def test_open_socket_silent_address_takes_nothing_from_the_next(
    monkeypatch: pytest.MonkeyPatch, first: list[tuple[str, int]]
) -> None:
    silent = SomeSilent(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = listening.getsockname()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (*first, there)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
        with asyncio.run(open_socket(node("n1"), 60.0)) as sock:
            assert sock.getpeername() == there
            assert [other.fileno() for other in silent.sockets if other is not sock] == [-1] * len(first)


def test_open_socket_all_addresses_silent_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = SomeSilent(monkeypatch)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", NOWHERE)] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
    with pytest.raises(NodeUnreachable, match="did not answer"):
        asyncio.run(open_socket(node("n1"), 0.6))
    assert [sock.fileno() for sock in silent.sockets] == [-1, -1]


def test_names_that_nobody_resolves_hold_up_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    released = threading.Event()

    def resolve(host: str, port: int, **_options: object) -> list[t.Any]:
        asked[host] += 1
        if host.startswith("dead"):
            released.wait(60.0)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    async def scene() -> list[t.Any]:
        names = Names()
        dead = [asyncio.create_task(names.of(f"dead{number % 50}", 22)) for number in range(100)]
        await asyncio.sleep(0)
        alive = await asyncio.gather(*(names.of(f"good{number % 50}", 22) for number in range(100)))
        # Also what the library itself does in threads goes on.
        assert await asyncio.to_thread(threading.get_ident)
        assert not any(task.done() for task in dead)
        released.set()
        failures = await asyncio.gather(*dead, return_exceptions=True)
        assert all(isinstance(failure, socket.gaierror) for failure in failures)
        return alive

    assert [places[0][4][0] for places in asyncio.run(scene())] == [f"good{number % 50}" for number in range(100)]
    assert set(asked.values()) == {1}
