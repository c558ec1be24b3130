# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve a function over HTTP, with or without TLS: what a stand-in has in common with others."""

from __future__ import annotations

import argparse
import json
import sys
import time
import typing as t
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from world.misbehaviour import Misbehaviours
from world.report_misbehaviour import deceiving, delay_of, has_gone, listen_to_faults
from world.tls_server import TlsServer

LARGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What a client asks: `kind` is the type of the body, in small letters and without parameters."""

    method: str
    path: str
    kind: str
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes back to the client; `retry_after` in seconds, when there is such a header."""

    status: int
    body: bytes = b""
    retry_after: str = ""
    kind: str = "application/json"


Answer = t.Callable[[Request], Reply]


def text(status: int, words: str) -> Reply:
    return Reply(status, words.encode(), kind="text/plain; charset=utf-8")


class Handler(BaseHTTPRequestHandler):
    """One connection; a client that goes away while the answer is late has asked nothing."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer go out together; waiting for more would cost every client 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    server_name: str
    answer: t.ClassVar[Answer]
    faults: Misbehaviours

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing; what is accepted is logged as JSON lines."""

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        asked = self._request()
        if isinstance(asked, Request):
            late = delay_of(self.faults, self.server_name)
            if late:
                time.sleep(late)
                if has_gone(self.connection):
                    self.close_connection = True
                    return
        reply = asked if isinstance(asked, Reply) else self._breakdown() or type(self).answer(asked)
        self.send_response(reply.status)
        if reply.retry_after:
            self.send_header("Retry-After", reply.retry_after)
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def _request(self) -> Request | Reply:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            # Where such a body ends is not known, so no further request can follow it.
            self.close_connection = True
            return text(HTTPStatus.LENGTH_REQUIRED, "a body comes with its length here")
        body = self.rfile.read(int(length))
        if self.headers.get("Content-Encoding", "") == "gzip":
            try:
                body = zlib.decompress(body, wbits=31)
            except zlib.error:
                return text(HTTPStatus.BAD_REQUEST, "the body is not compressed as it says")
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Request(self.command, urlsplit(self.path).path, kind, body)

    def _breakdown(self) -> Reply | None:
        """Give the answer of a server that is broken or overloaded, whoever asks; it counts."""
        for fault in self.faults.active():
            if fault.name == f"{self.server_name}-500" and self.faults.spend(fault, *fault.words):
                return text(HTTPStatus.INTERNAL_SERVER_ERROR, "internal server error")
            if fault.name == f"{self.server_name}-429" and self.faults.spend(fault, *fault.words[1:]):
                return Reply(HTTPStatus.TOO_MANY_REQUESTS, b"", fault.words[0], "text/plain")
        return None


class PlainServer(ThreadingHTTPServer):
    """HTTP without TLS, each connection in a thread of its own."""

    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Tell of our own mistakes only: clients may go away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def read_layout() -> dict[str, t.Any]:
    """Give what the file says that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--layout", type=Path, required=True)
    layout: dict[str, t.Any] = json.loads(parser.parse_args().layout.read_text())
    return layout


def serve(layout: dict[str, t.Any], name: str, answer: Answer, *, over_tls: bool = False) -> None:
    """Serve until killed, at the address that the layout has for `name`; the faults of that name count."""
    faults = listen_to_faults()
    made = type("NamedHandler", (Handler,), {"server_name": name, "answer": staticmethod(answer), "faults": faults})
    handler = t.cast("type[Handler]", made)
    place = (layout[name]["address"], layout[name]["port"])
    if over_tls:
        context = deceiving(layout, name, faults, f"{name}-tls-wrong")
        TlsServer(place, handler, context).serve_forever()
    else:
        PlainServer(place, handler).serve_forever()
