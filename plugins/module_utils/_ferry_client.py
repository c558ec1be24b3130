# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask the registry over a few kept-alive TLS connections, and trust nobody but the CAs of the context that is given.

No proxy, redirect, cookie, .netrc or compression takes part, and nothing is repeated here.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import ssl
import time
import typing as t
from dataclasses import dataclass

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
except ImportError:  # the stage says so in one sentence before anything here is used
    requests = None  # type: ignore[assignment]
    urllib3 = None  # type: ignore[assignment]
    HTTPAdapter = object  # type: ignore[assignment,misc]

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    RegistryAnswer,
    RegistryUnavailable,
    TlsFailed,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._http_body import BodyTooLarge, read_body
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

BODY_LIMIT = 1024 * 1024
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "managed-tokens"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the registry answered: HTTP status, text of Retry-After ("" when there is none), body."""

    status: int
    body: bytes = b""
    retry_after: str = ""


class _TlsSocket(ssl.SSLSocket):
    """A server that does not take our certificate says why and closes, perhaps while we are still sending."""

    def sendall(self, data: t.Any, flags: int = 0) -> None:
        """Send all, or raise BrokenPipeError, after which urllib3 still reads what the other side has said."""
        try:
            super().sendall(data, flags)
        except (ConnectionError, ssl.SSLEOFError) as err:
            raise BrokenPipeError from err


class _OwnTls(HTTPAdapter):
    """At most `concurrency` connections to one server, all made with `context` exactly as it is."""

    def __init__(self, context: ssl.SSLContext, concurrency: int) -> None:
        context.sslsocket_class = _TlsSocket
        # urllib3 sets this anew for every connection; OpenSSL may then just be reading it in another thread.
        context.set_alpn_protocols(["http/1.1"])
        context.set_alpn_protocols = lambda alpn_protocols: None  # type: ignore[method-assign]
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=concurrency, pool_block=True, max_retries=0)

    def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
        """Make the pool with our context."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._context, cert_reqs="CERT_REQUIRED")

    def get_connection_with_tls_context(self, request: t.Any, *_more: t.Any, **_named: t.Any) -> t.Any:
        """Give our pool, as get_connection did before requests 2.32; 2.32.2 would take another context than ours."""
        return self.poolmanager.connection_from_url(request.url)

    def cert_verify(self, *_arguments: t.Any, **_named: t.Any) -> None:
        """Do nothing: certificates loaded for each connection would change a context that other threads are using."""


class Connections:
    """At most `concurrency` connections to one registry, and the `headers` of every request."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, headers: t.Mapping[str, str], concurrency: int
    ) -> None:
        self._place = f"{host} port {port}"
        self._base = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({**HEADERS, **headers})
        self._session.mount("https://", _OwnTls(context, concurrency))
        # Even without following it, a session would read the body of a redirect, whatever its size.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        self._is_over = False

    def ask(self, path: str, timeout: float) -> Answer:
        """Give the answer to GET `path`, whole after `timeout` seconds, the limit also of each wait.

        Raises: RegistryUnavailable (may pass), TlsFailed, RegistryAnswer.
        """
        if self._is_over:
            raise RegistryUnavailable("The registry was not asked: the run is being stopped.")
        until = time.monotonic() + timeout
        try:
            with self._session.get(self._base + path, timeout=timeout, stream=True, allow_redirects=False) as response:
                body = read_body(response.raw, until, BODY_LIMIT)
                return Answer(response.status_code, body, response.headers.get("Retry-After", ""))
        except BodyTooLarge:
            raise RegistryAnswer(f"The registry answered with more than {BODY_LIMIT} bytes.") from None
        except (OSError, ValueError, http.client.HTTPException, urllib3.exceptions.HTTPError) as err:
            raise self._meaning(_beneath(err), timeout) from None  # their texts hold the URL, or a header

    def end(self) -> None:
        """Take no more questions; those under way end by their own limit."""
        self._is_over = True

    def close(self) -> None:
        """Close all connections; nobody may be asking any more."""
        self._is_over = True
        self._session.close()

    def _meaning(self, error: BaseException, timeout: float) -> RegistryUnavailable | TlsFailed:
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = error.verify_message.rstrip(".")
            return TlsFailed(f"The certificate of the registry {self._place} is not verified: {reason}.")
        if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            reason = (error.reason or str(error)).replace("_", " ").lower()
            what = "did not take our certificate or" if "alert" in reason else "and this client do not agree on"
            return TlsFailed(f"The registry {self._place} {what} TLS: {reason}.")
        if isinstance(error, TimeoutError):
            return RegistryUnavailable(f"The registry {self._place} did not answer within {timeout:.3g} s.")
        if isinstance(error, (ConnectionError, ssl.SSLError)) and not isinstance(error, ConnectionRefusedError):
            return RegistryUnavailable(f"The registry {self._place} closed the connection without an answer.")
        if isinstance(error, http.client.HTTPException):
            reason = one_line(f"{type(error).__name__}: {error}", 100)
            return RegistryUnavailable(f"What the registry {self._place} answered is no whole HTTP: {reason}.")
        # Without the words of others: those of requests quote headers and URLs.
        reason = getattr(error, "strerror", None) or type(error).__name__
        return RegistryUnavailable(f"The registry {self._place} cannot be reached: {one_line(reason)}.")


def _beneath(error: BaseException) -> BaseException:
    """Give the error of the socket, TLS or HTTP that requests and urllib3 have wrapped into `error`, or else that."""
    waiting = [error]
    for one in waiting:
        if isinstance(one, (OSError, http.client.HTTPException)) and not isinstance(one, requests.RequestException):
            return one
        inner = (getattr(one, "reason", None), *one.args, one.__cause__, one.__context__)
        waiting += [item for item in inner if isinstance(item, BaseException) and item not in waiting]
    return error
