# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold what the stand-in for a vault server knows: refresh tokens, vault tokens and who may have which secret."""

from __future__ import annotations

import base64
import secrets
import threading
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from world import bearer

LOGIN_LIFE_S = 28 * 86400
ACCESS_LIFE_S = 3 * 3600


class Refused(Exception):
    """The request is not allowed, or names nothing; carries the HTTP status and the text."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status, self.text = status, text


DENIED = "1 error occurred:\n\t* permission denied\n\n"


@dataclass(frozen=True)
class VaultToken:
    """Whose token it is and when it ends (seconds since the epoch)."""

    issuer: str
    role: str
    credkey: str
    expires: float


@dataclass
class VaultState:
    """Everything behind one lock: requests are short. `key` signs the bearer tokens."""

    services: list[dict[str, t.Any]]
    control: Path
    key: bytes
    tokens: dict[str, VaultToken] = field(default_factory=dict)
    onboarded: set[tuple[str, str, str]] = field(default_factory=set)
    logins: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.onboarded = {(service["experiment"], service["credkey"], service["role"]) for service in self.services}

    # -- control by files -----------------------------------------------------------------------------------------

    def setting(self, name: str) -> str:
        try:
            return (self.control / name).read_text().strip()
        except FileNotFoundError:
            return ""

    def is_listed(self, name: str, service: str) -> bool:
        words = self.setting(name).split()
        return "*" in words or service in words

    # -- tokens ---------------------------------------------------------------------------------------------------

    def issue(self, issuer: str, role: str, credkey: str, life: float) -> str:
        """Make a vault token of the usual length and form."""
        token = "hvs." + base64.urlsafe_b64encode(secrets.token_bytes(69)).decode()[:91]
        with self.lock:
            self.tokens[token] = VaultToken(issuer, role, credkey, time.time() + life)
        return token

    def of(self, token: str) -> VaultToken:
        """Give what is known of a token; an unknown or expired one is refused."""
        with self.lock:
            found = self.tokens.get(token)
        if found is None or found.expires < time.time():
            raise Refused(403, "permission denied")
        return found

    def login(self, issuer: str, role: str, principal: str) -> tuple[str, str]:
        """Let a Kerberos principal in; give a token and the credkey."""
        credkey = principal.rpartition("@")[0]
        allowed = {(service["experiment"], service["role"], service["credkey"]) for service in self.services}
        if (issuer, role, credkey) not in allowed or self.is_listed("vault-403", f"{issuer}_{role}"):
            raise Refused(403, DENIED)
        return self.issue(issuer, role, credkey, LOGIN_LIFE_S), credkey

    def access_token(self, token: str, issuer: str, credkey: str, role: str) -> str:
        """Give a bearer token for a stored refresh token, to its owner only."""
        owner = self.of(token)
        if (owner.issuer, owner.credkey, owner.role) != (issuer, credkey, role):
            raise Refused(403, DENIED)
        if self.is_listed("vault-403", f"{issuer}_{role}"):
            raise Refused(403, DENIED)
        if (issuer, credkey, role) not in self.onboarded or self.is_listed("refresh-token-missing", f"{issuer}_{role}"):
            raise Refused(404)
        now = int(time.time())
        claims = {
            "iss": f"{bearer.ISSUER}{issuer}",
            "sub": credkey.partition("/")[0],
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_LIFE_S,
            "jti": secrets.token_hex(8),
            "aud": bearer.AUDIENCE,
            "scope": f"storage.read:/{issuer} compute.create",
            "wlcg.ver": "1.0",
            "wlcg.groups": [f"/{issuer}", f"/{issuer}/{role}"],
            "lab.role": role,
            "lab.credkey": credkey,
        }
        return bearer.sign(claims, self.key)

    def store_refresh_token(self, token: str, issuer: str, credkey: str, role: str) -> None:
        owner = self.of(token)
        if (owner.issuer, owner.credkey, owner.role) != (issuer, credkey, role):
            raise Refused(403, DENIED)
        with self.lock:
            self.onboarded.add((issuer, credkey, role))
            listed = self.setting("refresh-token-missing").split()
            everybody = [service["name"] for service in self.services] if "*" in listed else listed
            temporary = self.control / f".refresh-token-missing.{secrets.token_hex(4)}"
            temporary.write_text(" ".join(name for name in everybody if name != f"{issuer}_{role}"))
            temporary.replace(self.control / "refresh-token-missing")

    # -- a person with a browser ----------------------------------------------------------------------------------

    def start_login(self, issuer: str, role: str) -> dict[str, t.Any]:
        state = secrets.token_hex(16)
        code = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
        with self.lock:
            self.logins[state] = {"issuer": issuer, "role": role, "since": time.time(), "polls": 0}
        return {
            "auth_url": f"https://cilogon.lab.example/device/?user_code={code}",
            "state": state,
            "poll_interval": 1,
            "user_code": code,
        }

    def poll_login(self, state: str) -> dict[str, t.Any]:
        """Answer as the person behaves: approve (after a second), deny, never, slow_down."""
        behaviour = self.setting("oidc") or "approve"
        with self.lock:
            login = self.logins.get(state)
            if login is None:
                raise Refused(400, "unknown_state")
            login["polls"] += 1
        if behaviour == "deny":
            raise Refused(400, "access_denied")
        if behaviour == "slow_down" and login["polls"] == 1:
            raise Refused(400, "slow_down")
        if behaviour == "never" or time.time() - login["since"] < 1:
            raise Refused(400, "authorization_pending")
        issuer, role = login["issuer"], login["role"]
        service = next((item for item in self.services if (item["experiment"], item["role"]) == (issuer, role)), None)
        if service is None:
            raise Refused(403, DENIED)
        credkey = service["credkey"]
        return {
            "client_token": self.issue(issuer, role, credkey, LOGIN_LIFE_S),
            "policies": ["default"],
            "lease_duration": LOGIN_LIFE_S,
            "metadata": {"credkey": credkey, "oauth2_refresh_token": secrets.token_hex(24), "role": role},
        }
