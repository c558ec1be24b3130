# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask the registry over kept-alive TLS connections: one for each thread that asks, and none besides.

The standard library's client and not requests. That one loads certificates into the shared TLS context again for each
connection, also a list of CAs of its own, and hides its sockets. Here nobody but the site's CAs is trusted, an answer
has one limit as a whole, and every wait can be ended at once. No proxy, redirect, cookie or .netrc takes part.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    RegistryAnswer,
    RegistryUnavailable,
    TlsFailed,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registry answered: HTTP status, text of Retry-After ("" when there is none), body."""

    status: int
    body: bytes = b""
    retry_after: str = ""


class LimitedSocket(ssl.SSLSocket):
    """A TLS socket whose reads end at `until` (monotonic seconds), however slowly the other side sends."""

    until = 0.0

    def recv_into(self, buffer: t.Any, nbytes: int | None = None, flags: int = 0) -> int:
        """Read into `buffer`.

        Raises: TimeoutError when the time is over.
        """
        self.settimeout(max(0.001, self.until - time.monotonic()))
        return super().recv_into(buffer, nbytes, flags)


class _Connection(http.client.HTTPSConnection):
    """A connection whose socket is known from the beginning, so that another thread can end it."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, port, context=context)
        self._tls = context
        self.until = 0.0

    def connect(self) -> None:
        """Connect, and agree on TLS.

        Raises: OSError.
        """
        failure: OSError | None = None
        for family, kind, protocol, _name, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            self.sock = socket.socket(family, kind, protocol)
            try:
                self.sock.settimeout(max(0.001, self.until - time.monotonic()))
                self.sock.connect(address)
                break
            except OSError as err:
                self.sock.close()
                failure = err
        else:
            raise failure or OSError("no address")
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.settimeout(max(0.001, self.until - time.monotonic()))
        self.sock.do_handshake()

    def exchange(self, path: str, headers: t.Mapping[str, str]) -> Answer:
        """Ask once.

        Raises: OSError, http.client.HTTPException, RegistryAnswer when the answer is too large to be one.
        """
        if self.sock is None:
            self.connect()
        t.cast("LimitedSocket", self.sock).until = self.until
        # A server that refuses our certificate says so and closes; sending then fails, and its reason is still there
        # to be read.
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            self.request("GET", path, headers=dict(headers))
        response = self.getresponse()
        body = response.read(BODY_LIMIT + 1)
        if len(body) > BODY_LIMIT:
            raise RegistryAnswer(f"The registry answered with more than {BODY_LIMIT} bytes.")
        if response.length:  # what is still to come, and does not
            raise http.client.IncompleteRead(body, response.length)
        return Answer(response.status, body, response.getheader("Retry-After") or "")

    def end(self) -> None:
        """End what another thread waits for on this connection."""
        sock = self.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own: that would take away the session that the other thread is just using.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Connections:
    """The connections to one registry, and the `headers` of every request."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, headers: t.Mapping[str, str]) -> None:
        context.sslsocket_class = LimitedSocket
        self._host, self._port, self._context = host, port, context
        self._place = f"{host} port {port}"
        self._headers = {"Accept": "application/json", "User-Agent": "managed-tokens", **headers}
        self._own = threading.local()
        self._all: list[_Connection] = []
        self._is_over = False

    def ask(self, path: str, timeout: float) -> Answer:
        """Give the answer to GET `path`, waiting at most `timeout` seconds for all of it.

        Raises: RegistryUnavailable (may pass), TlsFailed, RegistryAnswer.
        """
        connection = self._connection()
        connection.until = time.monotonic() + timeout
        try:
            is_reused = connection.sock is not None
            try:
                return connection.exchange(path, self._headers)
            except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                # The server may close a connection that is idle, just when it is used again: that says nothing of it.
                connection.close()
                if not is_reused or self._is_over:
                    raise
            return connection.exchange(path, self._headers)
        except (OSError, http.client.HTTPException) as err:
            connection.close()
            raise self._meaning(err, timeout) from err
        except BaseException:
            connection.close()
            raise

    def end(self) -> None:
        """End every wait of other threads, and take no more questions."""
        self._is_over = True
        for connection in list(self._all):
            connection.end()

    def close(self) -> None:
        """Close all connections; nobody may be asking any more."""
        self._is_over = True
        for connection in self._all:
            connection.close()

    def _connection(self) -> _Connection:
        if self._is_over:
            raise RegistryUnavailable("The registry was not asked: the run is being stopped.")
        if not hasattr(self._own, "connection"):
            self._own.connection = _Connection(self._host, self._port, self._context)
            self._all.append(self._own.connection)
        own: _Connection = self._own.connection
        return own

    def _meaning(self, error: Exception, timeout: float) -> RegistryUnavailable | TlsFailed:
        if isinstance(error, ssl.SSLCertVerificationError):
            return TlsFailed(
                f"The certificate of the registry {self._place} is not verified: {error.verify_message.rstrip('.')}."
            )
        if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            reason = (error.reason or str(error)).replace("_", " ").lower()
            if "alert" in reason:
                return TlsFailed(f"The registry {self._place} did not take our certificate or TLS: {reason}.")
            return TlsFailed(f"The registry {self._place} and this client do not agree on TLS: {reason}.")
        if isinstance(error, TimeoutError):
            return RegistryUnavailable(f"The registry {self._place} did not answer within {timeout:.3g} s.")
        if isinstance(error, (ConnectionError, ssl.SSLError)) and not isinstance(error, ConnectionRefusedError):
            return RegistryUnavailable(f"The registry {self._place} closed the connection without an answer.")
        if isinstance(error, http.client.HTTPException):
            what = one_line(f"{type(error).__name__}: {error}", 100)
            return RegistryUnavailable(f"What the registry {self._place} answered is no whole HTTP: {what}.")
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return RegistryUnavailable(f"The registry {self._place} cannot be reached: {one_line(reason)}.")
