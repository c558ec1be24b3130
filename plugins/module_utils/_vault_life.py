# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask the vault server how long a token will live.

Source: Vault/OpenBao HTTP API, GET /v1/auth/token/lookup-self.
"""

from __future__ import annotations

import os
import ssl
import time
import typing as t
from dataclasses import dataclass
from datetime import datetime

if t.TYPE_CHECKING:
    import requests

VAULT_PORT = 8200
ENDLESS_S = 10 * 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a token: `expires` in seconds since the epoch, or None; `refused` when the server does not
    take it.

    `remark` says why nothing is known; a server that does not answer is no judgement of the token.
    """

    expires: float | None = None
    refused: bool = False
    remark: str = ""

    def left(self, now: float) -> float:
        """Give the remaining seconds, 0 when the token is refused or nothing is known."""
        return max(0.0, self.expires - now) if self.expires is not None and not self.refused else 0.0


class LookUp(t.Protocol):
    """What C(TokenLives.of) looks like."""

    def __call__(self, server: str, token: str) -> Life: ...


def base_url(server: str) -> str:
    """Give the URL of a vault server named by host, host:port or URL."""
    if "://" in server:
        return server.rstrip("/")
    return (
        f"https://{server}"
        if server.rpartition(":")[2].isdigit() and ":" in server
        else f"https://{server}:{VAULT_PORT}"
    )


def system_ca() -> str | None:
    """Give the system's CA file or directory; requests would otherwise use a list of its own, without the site's
    CAs."""
    paths = ssl.get_default_verify_paths()
    for path in (
        os.environ.get("SSL_CERT_FILE"),
        paths.cafile,
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        paths.capath,
    ):
        if path and os.path.exists(path):
            return path
    return None


class TokenLives:
    """Look-ups over kept-alive connections; `timeout` in seconds for each, `ca` a file or directory of CA
    certificates."""

    def __init__(self, timeout: float, ca: str = "", connections: int = 16) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self._timeout = timeout
        self._session: requests.Session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca or system_ca() or True
        self._session.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=connections))
        self._silent: dict[str, str] = {}

    def of(self, server: str, token: str) -> Life:
        """Give what the server says of `token`. Never raises: a server that does not answer is a remark, and is not
        asked again."""
        import requests

        if server in self._silent:
            return Life(remark=self._silent[server])
        try:
            answer = self._session.get(
                f"{base_url(server)}/v1/auth/token/lookup-self",
                headers={"X-Vault-Token": token},
                timeout=self._timeout,
                allow_redirects=False,
            )
            if answer.status_code in (401, 403):
                return Life(
                    refused=True, remark=f"the vault server {server} does not accept it (HTTP {answer.status_code})"
                )
            if answer.status_code != 200:
                return Life(remark=f"the vault server {server} answered with HTTP {answer.status_code}")
            return _read(answer.json().get("data") or {}, server)
        except requests.exceptions.JSONDecodeError:
            return Life(remark=f"the vault server {server} answered with something that is not JSON")
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as err:
            cause = "no answer in time" if isinstance(err, requests.exceptions.Timeout) else type(err).__name__
            self._silent[server] = f"the vault server {server} cannot be asked ({cause})"
            return Life(remark=self._silent[server])
        except (requests.exceptions.RequestException, AttributeError, TypeError, ValueError, OSError) as err:
            return Life(remark=f"the vault server {server} cannot be asked ({type(err).__name__})")


def _read(data: t.Mapping[str, t.Any], server: str) -> Life:
    expires = data.get("expire_time")
    if isinstance(expires, str) and expires:
        # Vault writes nanoseconds, which fromisoformat of Python 3.11 does read (and cuts to microseconds).
        return Life(expires=datetime.fromisoformat(expires).timestamp())
    ttl = data.get("ttl")
    if isinstance(ttl, (int, float)) and not isinstance(ttl, bool):
        # A ttl of 0 without an expiry is a token that never ends (a root token).
        return Life(expires=time.time() + (float(ttl) if ttl > 0 else ENDLESS_S))
    return Life(remark=f"the vault server {server} did not say how long it lives")
