# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be thousands of nodes in one process: the real ssh protocol with Kerberos logins, and files that are in memory.

Every node has its own address, host keytab and files; all have the same host key, and the cheapest key exchange. A
control socket lets ask_simulator.py look at the files and change what all nodes do.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import copy
import json
import os
import socket
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import asyncssh

from world.simulated_files import Files, SimulatedFiles, alter

SSH_PORT = 22
KEY_EXCHANGE = "curve25519-sha256"
BACKLOG = 4096


@dataclass
class Simulation:
    """All nodes by address, what is on them by name, and how late they answer (seconds)."""

    keytabs: Path
    names: dict[str, str]
    uids: dict[str, int]
    files: dict[str, Files] = field(default_factory=lambda: collections.defaultdict(dict))
    delay: float = 0.0
    connections: int = 0
    logins: int = 0
    options: asyncssh.SSHServerConnectionOptions | None = None

    def options_for(self, name: str) -> asyncssh.SSHServerConnectionOptions:
        """Give a node's own options; building them from their parts takes longer than a whole login."""
        if self.options is None:
            raise AssertionError("the simulation has not been started")
        own = copy.copy(self.options)
        own.gss_host = name
        own.gss_store = {"keytab": f"FILE:{self.keytabs}/{name}.keytab"}
        return own

    def answer(self, words: list[str]) -> object:
        """Do what a line at the control socket says."""
        match words:
            case ["files"]:
                return {
                    name: {
                        path.decode(): [file.mode, file.uid, base64.b64encode(file.content).decode()]
                        for path, file in files.items()
                    }
                    for name, files in self.files.items()
                }
            case ["alter"]:
                return alter(self.files)
            case ["empty"]:
                self.files.clear()
            case ["delay", seconds]:
                self.delay = float(seconds)
            case ["counts"]:
                return {"connections": self.connections, "logins": self.logins}
            case _:
                return {"error": "files, alter, empty, counts, or delay SECONDS"}
        return None


class Door(asyncssh.SSHServer):
    """Let a service into its own account only, by the first part of its principal, as the real nodes do."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def validate_gss_principal(self, username: str, user_principal: str, host_principal: str) -> bool:
        return username in self._simulation.uids and user_principal.partition("/")[0] == username

    def auth_completed(self) -> None:
        self._simulation.logins += 1


class Late:
    """A transport whose every word arrives `delay` seconds later, in order."""

    def __init__(self, transport: asyncio.Transport, delay: float) -> None:
        self._transport, self._delay = transport, delay
        self._loop = asyncio.get_running_loop()
        self._waiting: collections.deque[bytes] = collections.deque()

    def write(self, data: bytes) -> None:
        self._waiting.append(bytes(data))
        self._loop.call_later(self._delay, self._send)

    def close(self) -> None:
        self._loop.call_later(self._delay, self._transport.close)

    def _send(self) -> None:
        self._transport.write(self._waiting.popleft())

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._transport, name)


class Gate(asyncio.Protocol):
    """A connection, which becomes one of the node whose address it came to."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = t.cast("asyncio.Transport", transport)
        simulation = self._simulation
        name = simulation.names.get(transport.get_extra_info("sockname")[0])
        if name is None:
            transport.abort()
            return
        simulation.connections += 1
        connection = asyncssh.SSHServerConnection(asyncio.get_running_loop(), simulation.options_for(name))
        self._connection = connection
        late = Late(transport, simulation.delay) if simulation.delay else transport
        connection.connection_made(t.cast("asyncio.Transport", late))

    def data_received(self, data: bytes) -> None:
        if self._connection is not None:
            self._connection.data_received(data)

    def eof_received(self) -> bool | None:
        if self._connection is not None:
            self._connection.eof_received()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connection.connection_lost(exc)


async def simulate(simulation: Simulation, host_key: Path, control: Path) -> None:
    """Serve until cancelled."""

    def files_of(channel: asyncssh.SSHServerChannel[bytes]) -> SimulatedFiles:
        connection = channel.get_connection()
        name = simulation.names[connection.get_extra_info("sockname")[0]]
        uid = simulation.uids[connection.get_extra_info("username")]
        return SimulatedFiles(channel, simulation.files[name], uid)

    async def serve_control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        writer.write(json.dumps(simulation.answer(line.decode().split())).encode() + b"\n")
        await writer.drain()
        writer.close()

    simulation.options = await asyncssh.SSHServerConnectionOptions.construct(
        server_factory=lambda: Door(simulation),
        server_host_keys=[str(host_key)],
        sftp_factory=files_of,
        kex_algs=[KEY_EXCHANGE],
        compression_algs=None,
        gss_host=next(iter(simulation.names.values())),
        gss_kex=False,
        password_auth=False,
        public_key_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
    )
    loop = asyncio.get_running_loop()
    # One socket for all addresses of the loopback network.
    server = await loop.create_server(
        lambda: Gate(simulation), "0.0.0.0", SSH_PORT, family=socket.AF_INET, backlog=BACKLOG
    )
    async with server, await asyncio.start_unix_server(serve_control, control):
        await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", type=Path, required=True)
    parser.add_argument("--host-key", type=Path, required=True)
    parser.add_argument("--control", type=Path, required=True)
    given = parser.parse_args()
    layout = json.loads(given.layout.read_text())
    os.environ["KRB5RCACHENAME"] = "none:"
    os.umask(0o077)
    simulation = Simulation(
        keytabs=Path(layout["paths"]["host_keytabs"]),
        names={node["address"]: node["name"] for node in layout["nodes"]},
        uids={service["account"]: service["uid"] for service in layout["services"]},
    )
    asyncio.run(simulate(simulation, given.host_key, given.control))


if __name__ == "__main__":
    main()
