# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Find out whether a vault server and the nodes would serve a service. Reads only, and writes nothing anywhere."""

from __future__ import annotations

import asyncio
import os
import stat
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import paths_on
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    DeadlineReached,
    DestinationUnwritable,
    TimedOut,
    TokensError,
    VaultUnavailable,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHECK,
    OK,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_request import VaultConnections, VaultNotAsked

if t.TYPE_CHECKING:
    import asyncssh

    from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import SshSettings


HEALTH = "/v1/sys/health"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """How nodes are looked at: `concurrency` connections at once."""

    ssh: SshSettings
    concurrency: int = 40


def vault_problem(server: str, ca: str, timeout: float) -> VaultUnavailable | None:
    """Give what keeps the vault server from being used, None when it answers over TLS that is verified, whatever it
    says; `ca` is a file or directory of CA certificates, `timeout` in seconds for the whole answer."""
    try:
        connections = VaultConnections(ca, connections=1)
        try:
            connections.ask(server, HEALTH, timeout)
        finally:
            connections.close()
    except VaultNotAsked as err:
        if err.is_untrusted:
            return VaultUnavailable(f"the vault server {server} has a certificate that is not verified.")
        if err.is_late:
            return VaultUnavailable(f"the vault server {server} did not answer within {timeout:g} s.")
        return VaultUnavailable(f"the vault server {server} cannot be reached ({err.why}).")
    return None


async def look_at_nodes(services: t.Sequence[Service], run: Run, settings: NodeSettings) -> list[Outcome]:
    """Give an outcome for each (service, node) pair: ok, or skipped with what would keep the token from it.

    With a ticket the service logs in and looks at the directories of its files; without one only the way to the ssh
    server is tried.
    """
    slots = asyncio.Semaphore(settings.concurrency)
    pairs = [(service, node) for service in services for node in service.nodes]

    async def look(service: Service, node: Node) -> Outcome:
        async with slots:
            watch = Stopwatch()
            try:
                if run.remaining() <= 0:
                    raise DeadlineReached("it was not looked at: the run's time is over.")
                async with asyncio.timeout(min(run.timeouts.push, run.remaining())):
                    await _look(service, node, run.timeouts.connect, settings.ssh)
            except TimeoutError:
                late = TimedOut(f"{node.name} did not answer everything within {run.timeouts.push:g} s.")
                return _trouble(service, node, watch, late)
            except TokensError as err:
                return _trouble(service, node, watch, err)
            return record(CHECK, OK, service, watch, node=node.name)

    return list(await asyncio.gather(*(look(service, node) for service, node in pairs)))


async def _look(service: Service, node: Node, timeout: float, ssh: SshSettings) -> None:
    from ansible_collections.fife.managed_tokens.plugins.module_utils._node_socket import open_socket
    from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import session

    sock = await open_socket(node, timeout)
    if not service.ccache:
        sock.close()
        return
    async with session(sock, node, service.account, service.ccache, ssh, timeout) as sftp:
        for directory in sorted({os.path.dirname(path) for path in paths_on(service, node)}):
            await _look_at_directory(sftp, node, directory)


async def _look_at_directory(sftp: asyncssh.SFTPClient, node: Node, directory: str) -> None:
    import asyncssh

    try:
        found = await sftp.stat(directory)
    except (OSError, asyncssh.SFTPError) as err:
        reason = one_line(str(getattr(err, "reason", "") or "")).rstrip(".") or type(err).__name__
        raise DestinationUnwritable(f"{node.name}: the directory {directory} cannot be looked at: {reason}.") from err
    if found.permissions is not None and not stat.S_ISDIR(found.permissions):
        raise DestinationUnwritable(f"{node.name}: {directory} is no directory.")


def _trouble(service: Service, node: Node, watch: Stopwatch, err: TokensError) -> Outcome:
    # Skipped and not failed: the credds can have the token all the same, and the push tells of the node.
    return record(CHECK, SKIPPED, service, watch, node=node.name, kind=err.kind, message=err.msg)
