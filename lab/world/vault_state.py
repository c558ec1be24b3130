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
from world.newcomer import newcomers

LOGIN_LIFE_S = 28 * 86400
ACCESS_LIFE_S = 3 * 3600


class Refused(Exception):
    """The request is not allowed, or names nothing; carries the HTTP status and the text."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status, self.text = status, text


DENIED = "1 error occurred:\n\t* permission denied\n\n"
# What the person at the browser does: approve after a second, deny, never answer, answer after having been asked to
# poll more slowly, or approve as somebody who has no business there.
APPROVE, DENY, NEVER, SLOW_DOWN, WRONG_PERSON = "approve", "deny", "never", "slow_down", "wrong-person"
BEHAVIOURS = (APPROVE, DENY, NEVER, SLOW_DOWN, WRONG_PERSON)
STRANGER = "stranger"
# The control file with the codes that somebody approves on demand.
APPROVED = "oidc-approved"


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
    # Told of every login that begins and ends: what happened, service, code.
    note_login: t.Callable[[str, str, str], None] = lambda _what, _service, _code: None

    def __post_init__(self) -> None:
        self.onboarded = {(service["experiment"], service["credkey"], service["role"]) for service in self.services}

    def known(self) -> list[dict[str, t.Any]]:
        """Give all services, also those that came after the start."""
        return [*self.services, *newcomers()]

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
        allowed = {(service["experiment"], service["role"], service["credkey"]) for service in self.known()}
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
            everybody = [service["name"] for service in self.known()] if "*" in listed else listed
            temporary = self.control / f".refresh-token-missing.{secrets.token_hex(4)}"
            temporary.write_text(" ".join(name for name in everybody if name != f"{issuer}_{role}"))
            temporary.replace(self.control / "refresh-token-missing")

    # -- a person with a browser ----------------------------------------------------------------------------------

    def start_login(self, issuer: str, role: str) -> dict[str, t.Any]:
        state = secrets.token_hex(16)
        code = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
        with self.lock:
            self.logins[state] = {"issuer": issuer, "role": role, "code": code, "since": time.time(), "polls": 0}
        self.note_login("started", f"{issuer}_{role}", code)
        return {
            "auth_url": f"https://cilogon.lab.example/device/?user_code={code}",
            "state": state,
            "poll_interval": 1,
            "user_code": code,
        }

    def poll_login(self, state: str) -> dict[str, t.Any]:
        """Answer as the person behaves, see BEHAVIOURS; one who was asked to by `lab/lab approve` approves anyway."""
        with self.lock:
            login = self.logins.get(state)
            if login is None:
                raise Refused(400, "unknown_state")
            login["polls"] += 1
        issuer, role = login["issuer"], login["role"]
        name = f"{issuer}_{role}"
        behaviour = self.setting(f"oidc-{name}") or self.setting("oidc") or APPROVE
        if login["code"] in self.setting(APPROVED).split():
            behaviour = APPROVE
        elif behaviour == SLOW_DOWN and login["polls"] == 1:
            raise Refused(400, "slow_down")
        elif behaviour == NEVER or time.time() - login["since"] < 1:
            raise Refused(400, "authorization_pending")
        service = next((item for item in self.known() if (item["experiment"], item["role"]) == (issuer, role)), None)
        if behaviour == DENY or service is None:
            self._end_login(state, "denied")
            if service is None:
                raise Refused(403, DENIED)
            raise Refused(400, "access_denied")
        # Somebody of another name is let in too, with a token that is good for secrets of their own.
        credkey = STRANGER if behaviour == WRONG_PERSON else service["credkey"]
        self._end_login(state, "approved")
        return {
            "client_token": self.issue(issuer, role, credkey, LOGIN_LIFE_S),
            "policies": ["default"],
            "lease_duration": LOGIN_LIFE_S,
            "metadata": {"credkey": credkey, "oauth2_refresh_token": secrets.token_hex(24), "role": role},
        }

    def _end_login(self, state: str, what: str) -> None:
        with self.lock:
            login = self.logins.pop(state, None)
        if login is not None:
            self.note_login(what, f"{login['issuer']}_{login['role']}", login["code"])
