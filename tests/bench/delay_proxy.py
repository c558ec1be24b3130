# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a delay between a client and a server, to count how often one waits for the other."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import typing as t


class DelayProxy:
    """A TCP proxy to `address`:`port`, in a thread of its own, that passes everything on `delay` seconds late."""

    def __init__(self, address: str, port: int) -> None:
        self.delay = 0.0
        self.port = 0
        self._target = (address, port)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._is_up = threading.Event()

    def __enter__(self) -> t.Self:
        self._thread.start()
        if not self._is_up.wait(10.0):
            raise TimeoutError("the proxy did not come up")
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._down.set)
        self._thread.join(10.0)

    async def _main(self) -> None:
        self._loop, self._down = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        await self._down.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        await asyncio.sleep(self.delay)
        for side in (writer, there_writer):
            side.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                # Later calls come later, so the order stays.
                loop.call_later(self.delay, writer.write, data)
        loop.call_later(self.delay, _end, writer)


def _end(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write_eof()


def round_trips(work: t.Callable[[], float], proxy: DelayProxy, delays: tuple[float, float] = (0.02, 0.06)) -> float:
    """Give how often `work`, which says how many seconds it took, waits for the way there and back.

    Two delays are compared, so that the work's own time does not count.
    """
    walls = []
    for delay in delays:
        proxy.delay = delay
        work()
        walls.append(min(work() for _time in range(5)))
    return (walls[1] - walls[0]) / (2 * (delays[1] - delays[0]))
