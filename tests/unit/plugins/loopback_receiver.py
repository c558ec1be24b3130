# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run web servers on loopback that take what is sent to them and answer as a test says."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Posted:
    """One request."""

    method: str
    path: str
    headers: t.Mapping[str, str]
    body: bytes


class Answer(t.NamedTuple):
    """One answer; status 0 closes the connection without one, and `echoes` repeats the login in the body."""

    status: int = 204
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    echoes: bool = False


@dataclass(slots=True)
class Receiver:
    """What was posted or put, and the answers, one after the other and the last one again and again."""

    url: str
    answers: list[Answer]
    posted: list[Posted] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def host(self) -> str:
        return self.url.partition("//")[2]


@contextlib.contextmanager
def receiver(*answers: tuple[int, bytes] | Answer, context: ssl.SSLContext | None = None) -> t.Iterator[Receiver]:
    """Serve until the block ends; over TLS when there is a `context`. Without answers it says 204."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.posted.append(Posted(self.command, self.path, dict(self.headers), body))
            answer = taken.answers.pop(0) if len(taken.answers) > 1 else taken.answers[0]
            self.close_connection = True
            if answer.status:
                words = answer.body + (self.headers.get("Authorization", "").encode() if answer.echoes else b"")
                self.send_response(answer.status)
                for name, value in (*answer.headers, ("Content-Length", str(len(words))), ("Connection", "close")):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(words)

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_arguments: t.Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    taken = Receiver(
        f"http{'s' if context else ''}://127.0.0.1:{server.server_port}",
        [Answer(*answer) for answer in answers] or [Answer()],
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def saying(
    *answers: bytes, on_and_on: bytes = b"", pause: float = 0.0, tls: ssl.SSLContext | None = None
) -> t.Iterator[tuple[str, list[bytes]]]:
    """Give the URL of a server that says these bytes, one answer to each connection and the last one again and again,
    and what it was sent. With `on_and_on` it goes on with that until nobody listens."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(connection: socket.socket, answer: bytes) -> None:
            with contextlib.suppress(OSError), tls.wrap_socket(connection, True) if tls else connection as connection:
                heard.append(connection.recv(65536))
                connection.sendall(answer)
                while on_and_on:
                    connection.sendall(on_and_on)
                    time.sleep(pause)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        def accept() -> None:
            left = list(answers)
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listening.accept()
                    answer = left.pop(0) if len(left) > 1 else left[0]
                    threading.Thread(target=serve, args=(connection, answer), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{listening.getsockname()[1]}", heard
        listening.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def silent() -> t.Iterator[str]:
    """Give the URL of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def closed_port() -> int:
    """Give a port on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
