# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Leave the empty packets out of an ssh connection whose cipher does not need them.

The library sends one before each real packet, which protects ciphers in CBC mode: their next initialisation vector can
be foreseen (RFC 4251, section 9.3.1). Authenticated ciphers have no such weakness, and half of all packets are saved.
"""

from __future__ import annotations

import functools
import typing as t

if t.TYPE_CHECKING:
    import asyncssh

MSG_IGNORE = 2
AUTHENTICATED_CIPHERS = frozenset({"aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"})


@functools.cache
def lean_client() -> type[asyncssh.SSHClient]:
    """Give the kind of owner that makes a connection lean as soon as there is one.

    Where a version of the library has no such inner workings, everything is as it would be without this owner.
    """
    import asyncssh

    class LeanClient(asyncssh.SSHClient):
        def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
            """Put a leaner way to send before the library's own."""
            send: t.Callable[..., None] | None = getattr(conn, "send_packet", None)
            if send is None:
                return

            def send_packet(kind: int, *args: t.Any, **named: t.Any) -> None:
                if kind != MSG_IGNORE or conn.get_extra_info("send_cipher") not in AUTHENTICATED_CIPHERS:
                    send(kind, *args, **named)

            setattr(conn, "send_packet", send_packet)  # noqa: B010 - a method of this one object, not of its class

    return LeanClient
