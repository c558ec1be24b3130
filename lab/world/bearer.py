# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign the bearer tokens of the laboratory's token issuer (JSON Web Tokens, HS256), and prove that one is its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import typing as t
from pathlib import Path

from world.layout import PATHS

KEY_FILE = Path(PATHS["pki"]) / "issuer.key"
ISSUER = "https://cilogon.lab.example/"
AUDIENCE = "https://wlcg.cern.ch/jwt/v1/any"
HEADER = {"alg": "HS256", "typ": "JWT"}


class NotOurs(Exception):
    """The token was not issued here, or its time is not now; says which, and nothing of the token."""


def create_key() -> None:
    """Write the issuer's key, which those who issue and those who verify read; for root alone."""
    KEY_FILE.touch(mode=0o600)
    KEY_FILE.write_bytes(secrets.token_bytes(32))


def sign(claims: t.Mapping[str, t.Any], key: bytes) -> str:
    body = ".".join(_encode(json.dumps(part).encode()) for part in (HEADER, dict(claims)))
    return f"{body}.{_encode(_mac(body, key))}"


def verify(token: str, key: bytes) -> dict[str, t.Any]:
    """Give the claims of a token that the issuer signed with `key` and that is valid now.

    Raises: NotOurs.
    """
    body, _dot, signature = token.rpartition(".")
    try:
        head, claims = (json.loads(_decode(part)) for part in body.split("."))
        is_signed = hmac.compare_digest(_decode(signature), _mac(body, key))
    except ValueError:
        raise NotOurs("it is no JSON Web Token") from None
    # The key belongs to one algorithm: what the token says of itself chooses none.
    if head != HEADER or not is_signed:
        raise NotOurs("its signature is not the issuer's")
    if not str(claims.get("iss")).startswith(ISSUER) or claims.get("aud") != AUDIENCE:
        raise NotOurs("its issuer or audience is another one")
    if not claims.get("nbf", 0) <= time.time() < claims.get("exp", 0):
        raise NotOurs("it has expired, or is not valid yet")
    return dict(claims)


def _mac(body: str, key: bytes) -> bytes:
    return hmac.new(key, body.encode(), hashlib.sha256).digest()


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
