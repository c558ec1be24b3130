# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass connections on to the Pushgateway, late. Only used while a packet filter rule sends its clients here."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
import time
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world.report_misbehaviour import delay_of, has_gone, listen_to_faults
from world.stand_in_http import read_layout

FAULTS = listen_to_faults()


class Relay(socketserver.BaseRequestHandler):
    """One connection; a client that goes away while it waits has sent nothing."""

    server: RelayServer

    def handle(self) -> None:
        time.sleep(delay_of(FAULTS, "pushgateway"))
        if has_gone(self.request):
            return
        # From our own address, which the rule lets through.
        with socket.create_connection(self.server.target, source_address=(self.server.own, 0)) as onward:
            back = threading.Thread(target=_copy, args=(onward, self.request), daemon=True)
            back.start()
            _copy(self.request, onward)
            back.join()


class RelayServer(socketserver.ThreadingTCPServer):
    """Each connection in a thread of its own."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, own: str, port: int, target: tuple[str, int]) -> None:
        super().__init__((own, port), Relay)
        self.own, self.target = own, target

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Clients may go away."""


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def main() -> None:
    """Serve until killed."""
    gateway = read_layout()["pushgateway"]
    RelayServer(gateway["late_address"], gateway["port"], (gateway["address"], gateway["port"])).serve_forever()


if __name__ == "__main__":
    main()
