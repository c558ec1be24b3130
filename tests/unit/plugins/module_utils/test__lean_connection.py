# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Empty packets are sent only where the cipher needs them."""

from __future__ import annotations

import asyncio
import typing as t
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._lean_connection import MSG_IGNORE, lean_client
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_node import Welcoming, transfer


def kinds_received(root: Path, cipher: str, client: type[asyncssh.SSHClient]) -> list[int]:
    """Look at a file over a connection with `cipher`; give the kinds of the packets that the server got."""
    kinds: list[int] = []

    class Listening(Welcoming):
        def connection_made(self, conn: t.Any) -> None:
            conn.log_received_packet = lambda kind, *_packet: kinds.append(kind)

    async def main() -> None:
        server = transfer(root, server=Listening, client=client, encryption_algs=[cipher])
        async with asyncio.timeout(20.0), server as sftp:
            assert await sftp.exists("/tmp")

    asyncio.run(main())
    assert len(kinds) > 3  # something was heard at all
    return kinds


@pytest.mark.parametrize(
    "cipher", ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"]
)
def test_authenticated_cipher_has_no_empty_packets(tmp_path: Path, cipher: str) -> None:
    assert MSG_IGNORE not in kinds_received(tmp_path, cipher, lean_client())
    # The library itself does send them: the day it does not, nothing here is needed any more.
    assert MSG_IGNORE in kinds_received(tmp_path, cipher, asyncssh.SSHClient)


def test_any_other_cipher_keeps_them(tmp_path: Path) -> None:
    assert MSG_IGNORE in kinds_received(tmp_path, "aes256-ctr", lean_client())


def test_library_without_such_inner_workings_is_left_as_it_is() -> None:
    lean_client()().connection_made(t.cast("t.Any", object()))
