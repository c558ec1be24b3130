# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Connect to a node as a service's account, with that service's ticket and nobody else's, to a server whose key is
known.

The credential cache is given per connection, never through a process-wide variable. Nothing of the user's own ssh
set-up (configuration, agent, keys) takes part, no credentials are delegated, and GSSAPI key exchange stays off
because it would skip the host key.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import typing as t
from dataclasses import dataclass
from pathlib import Path

try:
    import asyncssh
except ImportError:  # the stage says so in one sentence before anything here is used
    asyncssh = None  # type: ignore[assignment]

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    AccountRefused,
    BadInput,
    ConnectionBroken,
    HostKeyChanged,
    HostKeyUnknown,
    NodeUnreachable,
    SshFailed,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import ticket_problem
from ansible_collections.fife.managed_tokens.plugins.module_utils._lean_connection import lean_client
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import SSH_PORT, Node

DEFAULT_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "~/.ssh/known_hosts")
# Put before the library's own list, which begins with chacha20-poly1305: as strong, and on machines with instructions
# for AES a push costs the client a fifth less.
PREFERRED_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"


@dataclass(frozen=True, slots=True)
class SshSettings:
    """What all connections of a run share; empty `kex_algs` means the library's own list."""

    known_hosts: asyncssh.SSHKnownHosts
    kex_algs: tuple[str, ...] = ()


def read_known_hosts(paths: t.Sequence[str]) -> asyncssh.SSHKnownHosts:
    """Read all known_hosts files once; without `paths` the system's and the user's own, as far as they exist.

    Raises: BadInput when a named file cannot be read or understood.
    """
    known = asyncssh.SSHKnownHosts()
    for name in paths or DEFAULT_KNOWN_HOSTS:
        path = Path(os.path.expanduser(name))
        if not paths and not path.exists():
            continue
        try:
            known.load(path.read_text(encoding="utf-8", errors="replace"))
        except OSError as err:
            raise BadInput(f"managed_tokens_known_hosts: cannot read {path}: {err.strerror}.") from err
        except ValueError as err:
            raise BadInput(f"managed_tokens_known_hosts: {path} cannot be understood: {one_line(str(err))}.") from err
    return known


def check_kex_algs(names: t.Sequence[str]) -> tuple[str, ...]:
    """Give `names` if the library knows every one of them as a key exchange.

    Raises: BadInput naming the one it does not know.
    """
    if not names:
        return ()
    try:
        asyncssh.SSHClientConnectionOptions(
            kex_algs=list(names), config=None, client_keys=None, agent_path=None, known_hosts=b""
        )
    except ValueError as err:
        raise BadInput(f"managed_tokens_kex_algorithms: {one_line(str(err))}.") from err
    return tuple(names)


def identity_of(node: Node) -> str:
    """Give the name that the node's host key and Kerberos principal go by: its address, or its inventory name if that
    is a bare IP address."""
    try:
        ipaddress.ip_address(node.address)
    except ValueError:
        return node.address
    return node.name


@contextlib.asynccontextmanager
async def session(
    sock: socket.socket, node: Node, account: str, ccache: str, settings: SshSettings, timeout: float
) -> t.AsyncIterator[asyncssh.SFTPClient]:
    """Give a file transfer session over `sock`, which is closed at the end; log in within `timeout` seconds.

    Raises: HostKeyUnknown, HostKeyChanged, AccountRefused, KdcUnreachable, NodeTicketRefused, NodeUnreachable,
    ConnectionBroken, SshFailed.
    """
    connection: asyncssh.SSHClientConnection | None = None
    try:
        try:
            async with asyncio.timeout(timeout):
                connection = await asyncssh.connect(
                    node.address,
                    node.port,
                    sock=sock,
                    client_factory=lean_client(),
                    username=account,
                    config=None,
                    client_keys=None,
                    agent_path=None,
                    known_hosts=settings.known_hosts,
                    host_key_alias=identity_of(node),
                    gss_host=identity_of(node),
                    gss_store={"ccache": ccache},
                    gss_kex=False,
                    gss_delegate_creds=False,
                    preferred_auth="gssapi-with-mic",
                    kex_algs=list(settings.kex_algs) or (),
                    encryption_algs=PREFERRED_CIPHERS,
                    compression_algs=None,
                    x509_trusted_certs=None,
                )
                client = await connection.start_sftp_client()
        except TimeoutError as err:
            raise NodeUnreachable(
                f"The ssh server of {node.name} accepted the connection "
                f"and did not finish the login within {timeout:.3g} s."
            ) from err
        except asyncssh.PermissionDenied as err:
            own = await asyncio.to_thread(ticket_problem, ccache, identity_of(node))
            raise own or _meaning(err, node, account, settings) from err
        except (OSError, asyncssh.Error) as err:
            raise _meaning(err, node, account, settings) from err
        yield client
    finally:
        if connection is None:
            sock.close()
        else:
            connection.close()
            with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
                async with asyncio.timeout(2.0):
                    await connection.wait_closed()


def _meaning(error: Exception, node: Node, account: str, settings: SshSettings) -> TokensError:
    words = one_line(str(error)) or type(error).__name__
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        port = node.port if node.port != SSH_PORT else None
        matches = settings.known_hosts.match(
            identity_of(node), node.address if identity_of(node) != node.address else "", port
        )
        if any(matches):
            return HostKeyChanged(f"{node.name} presented a host key other than the known one; nothing was sent to it.")
        return HostKeyUnknown(
            f"No known_hosts file has a key for {node.name} (looked for {identity_of(node)}); nothing was sent to it."
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return AccountRefused(f"{node.name} does not let the account {account} in: {words}")
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return SshFailed(f"{node.name} and this client have no way to exchange keys: {words}")
    if isinstance(error, asyncssh.ChannelOpenError):
        return SshFailed(f"{node.name} let the account {account} in, but gave no file transfer (sftp) session: {words}")
    return ConnectionBroken(f"The ssh connection to {node.name} broke during the login: {words}")
