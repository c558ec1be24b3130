# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be an interactive node on loopback: a real ssh server with file transfer, whose root is a directory of the test."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import asyncssh

from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import SshSettings

# Made once: the key itself is of no interest to any test.
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER_KEY = asyncssh.generate_private_key("ssh-ed25519")


class Welcoming(asyncssh.SSHServer):
    """Let everybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


class Refusing(asyncssh.SSHServer):
    """Let nobody in."""

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True


class NodeFiles(asyncssh.SFTPServer):
    """Serve the directory that `root` names as if it were the whole file system of the node."""

    root: t.ClassVar[Path]

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=str(self.root).encode())


def files_below(root: Path, base: type[NodeFiles] = NodeFiles) -> type[NodeFiles]:
    """Give the kind of files that stand below `root`."""
    (root / "tmp").mkdir(exist_ok=True)
    return type("Files", (base,), {"root": root})


@contextlib.asynccontextmanager
async def serving(
    files: type[NodeFiles] | None, server: type[asyncssh.SSHServer] = Welcoming, **options: t.Any
) -> t.AsyncIterator[Node]:
    """Run the node n1, with file transfer if `files` is given."""
    listener = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=server, server_host_keys=[HOST_KEY], sftp_factory=files or False, **options
    )
    try:
        yield Node("n1", "127.0.0.1", listener.get_port())
    finally:
        listener.close()
        await listener.wait_closed()


@contextlib.asynccontextmanager
async def transfer(
    root: Path,
    base: type[NodeFiles] = NodeFiles,
    server: type[asyncssh.SSHServer] = Welcoming,
    client: type[asyncssh.SSHClient] = asyncssh.SSHClient,
    **options: t.Any,
) -> t.AsyncIterator[asyncssh.SFTPClient]:
    """Give a file transfer session with a node whose files stand below `root`; `options` are its server's."""
    async with (
        serving(files_below(root, base), server, **options) as node,
        asyncssh.connect(
            node.address,
            node.port,
            client_factory=client,
            known_hosts=None,
            username="dunepro",
            config=None,
            client_keys=None,
            agent_path=None,
        ) as connection,
        connection.start_sftp_client() as sftp,
    ):
        yield sftp


def settings_for(node: Node, key: asyncssh.SSHKey = HOST_KEY) -> SshSettings:
    """Give settings that know this host key of the node."""
    line = f"[{node.name}]:{node.port} {key.export_public_key().decode()}"
    return SshSettings(asyncssh.import_known_hosts(line))
