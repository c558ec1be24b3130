# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask the vault server how long a token will live.

Source: Vault/OpenBao HTTP API, GET /v1/auth/token/lookup-self.
"""

from __future__ import annotations

import json
import math
import time
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_request import (
    VaultConnections,
    VaultNotAsked,
)

LOOK_UP = "/v1/auth/token/lookup-self"
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


def nothing_known(server: str, token: str) -> Life:
    """Ask nobody, and know nothing of any token."""
    return Life()


class TokenLives:
    """Look-ups over kept-alive connections; `timeout` in seconds for each, which never take longer than `remaining`,
    the seconds that the run has left; `ca` a file or directory of CA certificates."""

    def __init__(
        self,
        timeout: float,
        ca: str = "",
        connections: int = 16,
        remaining: t.Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._timeout, self._remaining = timeout, remaining
        self._connections = VaultConnections(ca, connections)
        self._silent: dict[str, str] = {}

    def of(self, server: str, token: str) -> Life:
        """Give what the server says of `token`. Never raises: a server that does not answer is a remark, and is not
        asked again."""
        if server in self._silent:
            return Life(remark=self._silent[server])
        limit = min(self._timeout, self._remaining())
        if limit <= 0:
            return Life(remark=f"the vault server {server} was not asked: the run's time is over")
        try:
            answer = self._connections.ask(server, LOOK_UP, limit, {"X-Vault-Token": token})
        except VaultNotAsked as err:
            remark = f"the vault server {server} cannot be asked ({err.why})"
            if err.is_silent:
                self._silent[server] = remark
            return Life(remark=remark)
        if answer.status in (401, 403):
            return Life(refused=True, remark=f"the vault server {server} does not accept it (HTTP {answer.status})")
        if answer.status != 200:
            return Life(remark=f"the vault server {server} answered with HTTP {answer.status}")
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            return Life(remark=f"the vault server {server} answered with something that is not JSON")
        try:
            return _read(found.get("data") or {}, server)
        except (AttributeError, TypeError, ValueError, OverflowError, OSError) as err:
            return Life(remark=f"the vault server {server} cannot be asked ({type(err).__name__})")


def _read(data: t.Mapping[str, t.Any], server: str) -> Life:
    expires = data.get("expire_time")
    if isinstance(expires, str) and expires:
        # Vault writes nanoseconds, which fromisoformat of Python 3.11 does read (and cuts to microseconds).
        return Life(expires=datetime.fromisoformat(expires).timestamp())
    ttl = data.get("ttl")
    if isinstance(ttl, (int, float)) and not isinstance(ttl, bool) and math.isfinite(ttl):
        # A ttl of 0 without an expiry is a token that never ends (a root token).
        return Life(expires=time.time() + (float(ttl) if ttl > 0 else ENDLESS_S))
    return Life(remark=f"the vault server {server} did not say how long it lives")
