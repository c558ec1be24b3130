# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a registry on loopback, over TLS with client certificates, that answers as a test says and remembers who
asked; and what is no registry."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TCP_FIN_WAIT1 = 4  # linux/tcp_states.h: we have said that we are ending, and it is not acknowledged


@dataclass(frozen=True, slots=True)
class Pki:
    """PEM files: a CA, the server's and a client's certificate with key (in one file each), and one of no CA's."""

    directory: Path

    def __getattr__(self, name: str) -> Path:
        return self.directory / f"{name}.pem"


def make_pki(directory: Path) -> Pki:
    """Make the certificates with openssl: ca, server, client, stranger; client_cert and client_key by themselves,
    and client_encrypted, the key with a passphrase."""
    pki = Pki(directory)
    _openssl(pki, "req", "-x509", *_new_key(pki.ca_key), "-subj", "/CN=loopback CA", "-out", pki.ca)
    _signed(pki, "server", "subjectAltName=IP:127.0.0.1")
    _signed(pki, "client", "extendedKeyUsage=clientAuth")
    _openssl(pki, "req", "-x509", *_new_key(pki.stranger_key), "-subj", "/CN=stranger", "-out", pki.stranger_cert)
    for name in ("server", "client", "stranger"):
        whole = getattr(pki, f"{name}_cert").read_text() + getattr(pki, f"{name}_key").read_text()
        getattr(pki, name).write_text(whole)
    _openssl(pki, "pkcs8", "-topk8", "-in", pki.client_key, "-passout", "pass:x", "-out", pki.client_encrypted)
    return pki


def _new_key(path: Path) -> list[str | Path]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]


def _signed(pki: Pki, name: str, extension: str) -> None:
    request, extensions = pki.directory / "request", pki.directory / "extensions"
    extensions.write_text(extension)
    _openssl(pki, "req", *_new_key(getattr(pki, f"{name}_key")), "-subj", f"/CN={name}", "-out", request)
    _openssl(
        pki, "x509", "-req", "-in", request, "-CA", pki.ca, "-CAkey", pki.ca_key, "-CAcreateserial",
        "-extfile", extensions, "-out", getattr(pki, f"{name}_cert"),
    )  # fmt: skip


def _openssl(pki: Pki, *arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=pki.directory, timeout=60)


def good(uid: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """Give the answer for an account with this UID."""
    return {"ferry_status": "success", "ferry_error": [], "ferry_output": {"uid": uid, "status": True}, **more}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `body` is JSON unless it is bytes. `cut` ends the connection in the middle of it."""

    body: t.Any = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False


class Registry:
    """A registry on loopback.

    `replies` are the answers for an account, one after the other and the last one again and again; accounts that are
    not named get a UID made from the digits in their names. `gate`, when set, has each question wait for it.
    """

    def __init__(self, pki: Pki, *, needs_certificate: bool = True) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[str] = []
        self.paths: list[str] = []
        self.authorisations: list[str | None] = []
        self.cookies: list[str | None] = []
        self.connections = 0
        self.gate: threading.Event | None = None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def setup(self) -> None:
                with registry._lock:
                    registry.connections += 1
                    registry._open.append(self.request)
                super().setup()

            def finish(self) -> None:
                with registry._lock:
                    registry._open.remove(self.request)
                super().finish()

            def do_GET(self) -> None:
                registry.cookies.append(self.headers.get("Cookie"))
                reply = registry._answer(self.path, self.headers.get("Authorization"))
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) + (10 if reply.cut else 0)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = self.close_connection or reply.cut

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_arguments: t.Any) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.server)
        context.load_verify_locations(pki.ca)
        if needs_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server(("127.0.0.1", 0), Handler)
        # The handshake belongs to the connection's own thread.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self.server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _answer(self, path: str, authorisation: str | None) -> Reply:
        account = parse_qs(urlsplit(path).query)["username"][0]
        with self._lock:
            self.asked.append(account)
            self.paths.append(path)
            self.authorisations.append(authorisation)
            replies = self.replies.get(account) or self.replies.get("*") or []
            reply = replies.pop(0) if len(replies) > 1 else replies[0] if replies else None
        if self.gate is not None:
            self.gate.wait()
        return reply or Reply(good(50000 + int("0" + "".join(filter(str.isdigit, account)))))

    def hang_up(self) -> None:
        """End all connections without a word, and return when the clients' side has heard of it."""
        with self._lock:
            for connection in self._open:
                # Not the TLS socket's own: that would take away the session that its thread is just using.
                socket.socket.shutdown(connection, socket.SHUT_WR)
                while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_FIN_WAIT1:
                    pass

    def close(self) -> None:
        """End the server."""
        if self.gate is not None:
            self.gate.set()
        self.server.shutdown()
        self.server.server_close()


def closed_port() -> int:
    """Give a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


class plain_server:  # noqa: N801 - reads as what it does
    """A server that says one thing, without TLS, to whoever has said something, and closes."""

    def __init__(self, words: bytes) -> None:
        self._words = words
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *_error: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        connection, _address = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._words)
