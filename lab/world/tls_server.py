# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve HTTP over TLS, each connection in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import typing as t
from http.server import ThreadingHTTPServer
from pathlib import Path

IDLE_S = 60.0
FAREWELL_S = 1.0


def server_context(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """Give what a server needs for TLS; with `clients`, a CA's file, it asks for a client certificate.

    A client may come without one, but not with one of another CA.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(clients)
    return context


def deceiving_context(right: ssl.SSLContext, wrong: ssl.SSLContext, is_wrong: t.Callable[[], bool]) -> ssl.SSLContext:
    """Give the right one after making it show the wrong one's certificate whenever `is_wrong` says so."""

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        if is_wrong():
            connection.context = wrong

    right.sni_callback = choose
    return right


def common_name(connection: ssl.SSLSocket) -> str:
    """Give the name in the client's certificate, "" when it came without one."""
    found = t.cast("dict[str, t.Any]", connection.getpeercert() or {})
    return next((value for part in found.get("subject", ()) for name, value in part if name == "commonName"), "")


class TlsServer(ThreadingHTTPServer):
    """Handshakes happen in the connection's own thread, so that a slow client holds up nobody."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(
        self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler], context: ssl.SSLContext
    ) -> None:
        super().__init__(address, handler)
        self._context = context

    def finish_request(self, request: t.Any, client_address: t.Any) -> None:
        try:
            request.settimeout(IDLE_S)
            secured = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        except (OSError, ssl.SSLError):
            return
        try:
            secured.do_handshake()
        except (OSError, ssl.SSLError):
            _part_from(secured)
            return
        try:
            super().finish_request(secured, client_address)
        except (OSError, ssl.SSLError):
            pass
        finally:
            _close(secured)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Clients may go away."""


def _part_from(refused: ssl.SSLSocket) -> None:
    """Close after a handshake that failed, so that the client can still read why.

    With TLS 1.3 it may have sent its request already; closing before that is read would reset the connection, and the
    alert would be lost.
    """
    with contextlib.suppress(OSError):
        refused.settimeout(FAREWELL_S)
        refused.shutdown(socket.SHUT_WR)
        while refused.recv(4096):
            pass
    refused.close()


def _close(connection: ssl.SSLSocket) -> None:
    """Close both directions; the other side may be gone already."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
