# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Leave out of an ssh connection what the library does with every packet and no push needs.

It sends an empty packet before each, which protects ciphers in CBC mode: their next initialisation vector can be
foreseen (RFC 4251, section 9.3.1). Authenticated ciphers have no such weakness, and half of all packets are saved. And
it puts into words what it has sent, whether or not anybody reads that.
"""

from __future__ import annotations

import typing as t

import asyncssh

MSG_IGNORE = 2
AUTHENTICATED_CIPHERS = frozenset({"aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"})


class LeanClient(asyncssh.SSHClient):
    """An owner of a connection that makes it lean as soon as there is one.

    Where a version of the library has no such inner workings, everything is as it would be without this class.
    """

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Put a leaner way to send before the library's own."""
        send: t.Callable[..., None] | None = getattr(conn, "send_packet", None)
        if send is None:
            return

        def send_packet(kind: int, *args: bytes, handler: t.Any = None) -> None:
            if kind == MSG_IGNORE and conn.get_extra_info("send_cipher") in AUTHENTICATED_CIPHERS:
                return
            send(kind, *args, handler=_NOBODY)

        setattr(conn, "send_packet", send_packet)  # noqa: B010 - a method of this one object, not of its class


class _Nobody:
    """Is told of packets in a connection's place."""

    def log_sent_packet(self, *_packet: t.Any) -> None:
        """Let it go."""


_NOBODY = _Nobody()
