# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Open a TCP connection to a node, whichever of its addresses answers, and let no name server hold up other nodes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import typing as t
from collections import deque

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import NodeUnreachable
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node

# What getaddrinfo gives: family, kind, protocol, canonical name and address.
Place = tuple[t.Any, ...]

# A silent address must not take the time of those after it (RFC 8305 recommends a quarter of a second).
STAGGER_S = 0.25


class Names:
    """Look addresses of nodes up, each once.

    Each look-up has a thread of its own: a pool would be full with a few names whose name server is silent, and the
    library's own work for nodes that are well would wait behind them. The threads end with the process.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], asyncio.Future[list[Place]]] = {}

    async def of(self, host: str, port: int) -> list[Place]:
        """Give where to connect to. Raises: OSError when there is no such host."""
        key = host, port
        if key not in self._found:
            self._found[key] = self._look_up(host, port)
        return await asyncio.shield(self._found[key])

    def _look_up(self, host: str, port: int) -> asyncio.Future[list[Place]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Place]] = loop.create_future()
        # Whoever asked may have given up since; that is no reason to complain that nobody took an error.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

        def work() -> None:
            found: list[Place] | OSError
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as err:
                found = err
            except UnicodeError:
                found = OSError(f"{host!r} cannot be a host's name")
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_settle, future, found)

        threading.Thread(target=work, daemon=True, name="name look-up").start()
        return future


def _settle(future: asyncio.Future[list[Place]], found: list[Place] | OSError) -> None:
    if future.done():
        return
    if isinstance(found, OSError):
        future.set_exception(found)
    else:
        future.set_result(found)


async def open_socket(node: Node, timeout: float, names: Names | None = None) -> socket.socket:
    """Connect to the node's ssh port within `timeout` seconds; the caller closes the socket.

    `names` remembers addresses for further connections.

    Raises: NodeUnreachable.
    """
    where = f"port {node.port}" if node.address == node.name else f"{node.address} port {node.port}"
    try:
        async with asyncio.timeout(timeout):
            return await _first_open(await (names or Names()).of(node.address, node.port))
    except TimeoutError as err:
        raise NodeUnreachable(f"{node.name} did not answer at {where} within {timeout:.3g} s.") from err
    except socket.gaierror as err:
        raise NodeUnreachable(f"The name of {node.name} cannot be resolved: {err.strerror}.") from err
    except OSError as err:
        # asyncio puts words of its own ("Connect call failed") in strerror's place.
        reason = os.strerror(err.errno) if err.errno else str(err)
        raise NodeUnreachable(f"{node.name} cannot be reached at {where}: {reason}.") from err


class _PromptSocket(socket.socket):
    """A socket that acknowledges at once what it has received.

    A server that sends in small pieces holds the next one back until the last is acknowledged, and Linux puts that off
    for 40 ms. The option lasts for some packets only, so each time of receiving sets it again.
    """

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        data = super().recv(bufsize, flags)
        if hasattr(socket, "TCP_QUICKACK"):  # Linux has it
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data


async def _first_open(places: t.Sequence[Place]) -> socket.socket:
    """Try the addresses one after another, the next one also when the last has been silent for a moment."""
    if len(places) == 1:
        return await _open(places[0])
    waiting = deque(places)
    trying: set[asyncio.Task[socket.socket]] = set()
    failure: OSError = OSError("no address")
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.create_task(_open(waiting.popleft())))
            done, trying = await asyncio.wait(
                trying, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            opened = []
            for task in done:
                try:
                    opened.append(task.result())
                except OSError as err:
                    failure = err
            for other in opened[1:]:
                other.close()
            if opened:
                return opened[0]
        raise failure
    finally:
        await _give_up(trying)


async def _give_up(trying: set[asyncio.Task[socket.socket]]) -> None:
    for task in trying:
        task.cancel()
    for result in await asyncio.gather(*trying, return_exceptions=True):
        if isinstance(result, socket.socket):  # it was opened in the same moment
            result.close()


async def _open(place: Place) -> socket.socket:
    family, kind, protocol, _name, address = place
    sock = _PromptSocket(family, kind, protocol)
    try:
        sock.setblocking(False)
        # Request and answer take turns on this connection; waiting for more to send would only delay them.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
