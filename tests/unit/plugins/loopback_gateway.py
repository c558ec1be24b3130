# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a Pushgateway's stand-in on loopback: it takes what is put there, and answers as a test says."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import threading
import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Put:
    """One request."""

    method: str
    path: str
    authorization: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; status 0 closes the connection without one, and `echoes` repeats the login in the body."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    echoes: bool = False


@dataclass(slots=True)
class Gateway:
    """What was put, and the answers, one after the other and the last one again and again."""

    host: str
    is_tls: bool
    answers: list[Answer]
    taken: list[Put] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http{'s' if self.is_tls else ''}://{self.host}"


@contextlib.contextmanager
def gateway(*answers: Answer, context: ssl.SSLContext | None = None) -> t.Iterator[Gateway]:
    """Serve until the block ends; over TLS when there is a `context`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            login = self.headers.get("Authorization", "")
            found.taken.append(Put(self.command, self.path, login, body))
            answer = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            if answer.status:
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body + (login.encode() if answer.echoes else b""))

        def log_message(self, *_arguments: t.Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_arguments: t.Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found = Gateway(f"127.0.0.1:{server.server_port}", context is not None, list(answers) or [Answer()])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
