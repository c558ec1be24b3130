# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a web server on loopback that takes what is posted to it and answers as a test says."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Posted:
    """One request."""

    path: str
    headers: t.Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What was posted, and the answers: (status, body), one after the other and the last one again and again.

    Status 0 closes the connection without an answer.
    """

    url: str
    replies: list[tuple[int, bytes]] = field(default_factory=lambda: [(204, b"")])
    posted: list[Posted] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def receiver(*replies: tuple[int, bytes], context: ssl.SSLContext | None = None) -> t.Iterator[Receiver]:
    """Serve until the block ends; over TLS when there is a `context`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.posted.append(Posted(self.path, dict(self.headers), body))
            status, answer = taken.replies.pop(0) if len(taken.replies) > 1 else taken.replies[0]
            self.close_connection = True
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_arguments: t.Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    taken = Receiver(f"http{'s' if context else ''}://127.0.0.1:{server.server_port}")
    if replies:
        taken.replies = list(replies)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def silent() -> t.Iterator[str]:
    """Give the URL of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def closed_port() -> int:
    """Give a port on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
