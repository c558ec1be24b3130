# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask a host for an ICMP echo without a process of its own for it.

Linux gives sockets for that to the groups of `net.ipv4.ping_group_range`, which systemd sets to all of them. The kernel
numbers and sums up what they send, and gives each only the answers to its own requests (icmp(7)).
"""

from __future__ import annotations

import itertools
import select
import socket
import struct
import time
import typing as t


class _Version(t.NamedTuple):
    """What ICMP calls things in one version of IP."""

    protocol: int
    request: int
    reply: int


_VERSIONS = {
    socket.AF_INET: _Version(socket.IPPROTO_ICMP, request=8, reply=0),
    socket.AF_INET6: _Version(socket.IPPROTO_ICMPV6, request=128, reply=129),
}
# As much as ping sends, so that what lets one of them through lets the other.
_PAYLOAD = bytes(range(56))
_LONGEST_ANSWER = 128
_numbers = itertools.count(1)


def may_ask() -> bool:
    """Say whether the system lets this user ask."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


def is_answered(host: str, timeout: float) -> bool:
    """Say whether `host` answers one request within `timeout` seconds, at whichever of its addresses.

    Raises: OSError when there is no such host, or no way to any of its addresses; UnicodeError when the name cannot be
    one.
    """
    end = time.monotonic() + timeout
    failures: list[OSError] = []
    places = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    for number, (family, _type, _protocol, _name, address) in enumerate(places):
        # A silent address must not take the time of those after it.
        share = max(0.0, end - time.monotonic()) / (len(places) - number)
        try:
            if _is_answered_at(family, address, share):
                return True
        except OSError as err:
            failures.append(err)
    if failures and len(failures) == len(places):
        raise failures[0]
    return False


def _is_answered_at(family: int, address: t.Any, timeout: float) -> bool:
    version = _VERSIONS[socket.AddressFamily(family)]
    with socket.socket(family, socket.SOCK_DGRAM, version.protocol) as asking:
        asking.connect(address)
        number = next(_numbers) & 0xFFFF
        asking.send(struct.pack("!BBHHH", version.request, 0, 0, 0, number) + _PAYLOAD)
        return await_answer(asking, version.reply, number, timeout)


def await_answer(asking: socket.socket, reply: int, number: int, timeout: float) -> bool:
    """Wait for the answer of type `reply` to request `number`, at most `timeout` seconds; others are let go by.

    Raises: OSError when a host on the way says that there is no way.
    """
    waiting = select.poll()
    waiting.register(asking, select.POLLIN)
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        if not waiting.poll(left * 1000):
            continue
        try:
            answer = asking.recv(_LONGEST_ANSWER, socket.MSG_DONTWAIT)
        except BlockingIOError:  # it came damaged, and the kernel has thrown it away
            continue
        if answer[:1] == bytes([reply]) and answer[6:8] == number.to_bytes(2, "big"):
            return True
    return False
