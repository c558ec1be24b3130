# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An echo is asked for and awaited without a program; whether a real one is heard, the integration tests show."""

from __future__ import annotations

import errno
import socket
import struct
import threading
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _echo as echo

REPLY = 0


def answer(kind: int, number: int) -> bytes:
    """Give what a host sends."""
    return struct.pack("!BBHHH", kind, 0, 0, 4711, number) + bytes(56)


# What is heard, and whether request 7 is answered by it.
HEARD: tuple[tuple[tuple[bytes, ...], bool], ...] = (
    ((answer(REPLY, 7),), True),
    ((answer(REPLY, 6), answer(3, 7), b"", b"\0", answer(REPLY, 7)), True),
    ((answer(REPLY, 6), answer(3, 7)), False),
    ((), False),
)


@pytest.mark.parametrize(("heard", "is_answered"), HEARD)
def test_await_answer_takes_only_the_answer_to_its_request(heard: tuple[bytes, ...], is_answered: bool) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        for datagram in heard:
            there.send(datagram)
        assert echo.await_answer(here, REPLY, 7, 5.0 if is_answered else 0.05) is is_answered


class Host:
    """Be the host that the next socket leads to, and keep what it was asked."""

    def __init__(self, reply: int) -> None:
        here, self.there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.asking = Connected(fileno=here.detach())
        self.reply = reply
        self.asked: list[tuple[int, ...]] = []
        self.listening = threading.Thread(target=self.listen, daemon=True)
        self.listening.start()

    def open(self, family: int, kind: int, protocol: int) -> socket.socket:
        self.asked.append((family, kind, protocol))
        return self.asking

    def listen(self) -> None:
        with self.there:
            request = self.there.recv(128)
            self.asked.append((len(request), request[0]))
            self.there.send(bytes([self.reply]) + request[1:])


class Connected(socket.socket):
    """A socket that is connected already."""

    def connect(self, _address: object) -> None: ...


@pytest.mark.parametrize(
    ("host", "family", "protocol", "request_type", "reply"),
    [
        ("127.0.0.1", socket.AF_INET, socket.IPPROTO_ICMP, 8, 0),
        ("::1", socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129),
    ],
)
def test_is_answered_speaks_the_version_of_the_address(
    monkeypatch: pytest.MonkeyPatch, host: str, family: int, protocol: int, request_type: int, reply: int
) -> None:
    there = Host(reply)
    monkeypatch.setattr(socket, "socket", there.open)
    assert echo.is_answered(host, 5.0) is True
    there.listening.join(5.0)
    assert there.asked == [(family, socket.SOCK_DGRAM, protocol), (64, request_type)]


HERE, SILENT, NO_WAY = ("127.0.0.1", 0), ("192.0.2.1", 0), ("192.0.2.2", 0)


def at(_family: int, address: tuple[str, int], _timeout: float) -> bool:
    """Answer for some addresses."""
    if address == NO_WAY:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")
    return address == HERE


@pytest.mark.parametrize(
    ("addresses", "answered"),
    [
        ([SILENT, HERE], True),
        ([NO_WAY, HERE], True),
        ([NO_WAY, SILENT], False),
        ([SILENT], False),
        ([NO_WAY, NO_WAY], None),
    ],
)
def test_is_answered_asks_every_address(
    monkeypatch: pytest.MonkeyPatch, addresses: list[tuple[str, int]], answered: bool | None
) -> None:
    found = [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: found)
    monkeypatch.setattr(echo, "_is_answered_at", at)
    if answered is None:
        with pytest.raises(OSError, match="Network is unreachable"):
            echo.is_answered("n1", 5.0)
    else:
        assert echo.is_answered("n1", 5.0) is answered


def test_may_ask_refused_socket_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_what: int) -> t.NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", refuse)
    assert echo.may_ask() is False
