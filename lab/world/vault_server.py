# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for a vault server with the OIDC plugin: real TLS, real SPNEGO, what htgettoken, credmon and we ask for.

There is no package of Vault or OpenBao that a laboratory could install; this answers with the same paths, bodies and
statuses.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import sys
import threading
import time
import typing as t
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world import bearer
from world.json_lines import JsonLines
from world.tls_server import TlsServer, server_context
from world.vault_state import LOGIN_LIFE_S, Refused, VaultState

Answer = tuple[int, "dict[str, t.Any] | None"]


class Handler(BaseHTTPRequestHandler):
    """One connection; the paths are those of Vault's HTTP API."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer go out together; waiting for more would cost every client 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    state: VaultState
    keytab: str
    log: t.TextIO
    log_lock = threading.Lock()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing; requests are logged as JSON lines."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        headers: dict[str, str] = {}
        try:
            time.sleep(float(self.state.setting("vault-slow") or 0))
            asked = json.loads(raw) if raw else {}
            if not isinstance(asked, dict):
                raise Refused(400, "the body has to be an object")
            status, body = self._route(method, path, asked, headers)
        except Refused as err:
            status, body = err.status, {"errors": [err.text] if err.text else []}
        except (ValueError, KeyError) as err:
            status, body = 400, {"errors": [f"bad request: {err!r}"]}
        payload = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()
        with self.log_lock:
            shown = re.sub(r"hvs\.\S+", "[token]", path)
            self.log.write(
                json.dumps({"time": round(time.time(), 3), "method": method, "path": shown, "status": status}) + "\n"
            )
            self.log.flush()

    def _route(self, method: str, path: str, body: dict[str, t.Any], headers: dict[str, str]) -> Answer:
        token = self.headers.get("X-Vault-Token", "")
        if path == "/v1/auth/token/lookup-self":
            return 200, {"data": self._describe(token)}
        if match := re.fullmatch(r"/v1/auth/kerberos-([^_/]+)_([^/]+)/login", path):
            return self._kerberos_login(match[1], match[2], headers)
        if path == "/v1/auth/token/create":
            owner = self.state.of(token)
            asked = float(str(body.get("ttl", "0s")).rstrip("s")) or LOGIN_LIFE_S
            life = min(asked, owner.expires - time.time())
            new = self.state.issue(owner.issuer, owner.role, owner.credkey, life)
            return 200, {"auth": {"client_token": new, "lease_duration": int(life), "policies": ["default"]}}
        if match := re.fullmatch(r"/v1/secret/oauth/(?:creds|sts)/([^/]+)/(.+):([^:/]+)", path):
            if method == "GET":
                return 200, {"data": {"access_token": self.state.access_token(token, match[1], match[2], match[3])}}
            self.state.store_refresh_token(token, match[1], match[2], match[3])
            return 204, None
        if match := re.fullmatch(r"/v1/auth/oidc-([^/]+)/oidc/auth_url", path):
            return 200, {"data": self.state.start_login(match[1], str(body["role"]))}
        if re.fullmatch(r"/v1/auth/oidc-([^/]+)/oidc/poll", path):
            return 200, {"auth": self.state.poll_login(str(body["state"]))}
        if path == "/v1/auth/token/revoke-self":
            self.state.tokens.pop(token, None)
            return 204, None
        raise Refused(404)

    def _describe(self, token: str) -> dict[str, t.Any]:
        found = self.state.of(token)
        expires = datetime.fromtimestamp(found.expires, tz=UTC)
        return {
            "ttl": max(0, int(found.expires - time.time())),
            "expire_time": expires.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z",
            "display_name": f"kerberos-{found.credkey}",
            "policies": ["default"],
            "renewable": False,
        }

    def _kerberos_login(self, issuer: str, role: str, headers: dict[str, str]) -> Answer:
        import gssapi

        kind, _space, ticket = self.headers.get("Authorization", "").partition(" ")
        if kind != "Negotiate" or not ticket:
            headers["WWW-Authenticate"] = "Negotiate"
            return 401, {"errors": ["Negotiate is needed"]}
        try:
            credentials = gssapi.Credentials(usage="accept", store={"keytab": f"FILE:{self.keytab}"})
            context = gssapi.SecurityContext(creds=credentials, usage="accept")
            reply = context.step(base64.b64decode(ticket))
            principal = str(context.initiator_name)
        except gssapi.exceptions.GSSError:
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n") from None
        if reply:
            headers["WWW-Authenticate"] = "Negotiate " + base64.b64encode(reply).decode()
        token, credkey = self.state.login(issuer, role, principal)
        metadata = {"credkey": credkey, "user": credkey.partition("/")[0], "domain": "LAB.EXAMPLE"}
        return 200, {
            "auth": {
                "client_token": token,
                "policies": ["default"],
                "metadata": metadata,
                "lease_duration": LOGIN_LIFE_S,
            }
        }


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", type=Path, required=True)
    layout = json.loads(parser.parse_args().layout.read_text())
    paths, vault = layout["paths"], layout["vault"]
    os.environ["KRB5RCACHENAME"] = "none:"
    control = Path(paths["control"])
    control.mkdir(exist_ok=True)
    Handler.state = VaultState(layout["services"], control, bearer.KEY_FILE.read_bytes())
    Handler.keytab = f"{paths['host_keytabs']}/{vault['name']}.keytab"
    logins = JsonLines(Path(paths["log"]) / "logins.jsonl")
    Handler.state.note_login = lambda what, service, code: logins.write(
        {"time": round(time.time(), 3), "what": what, "service": service, "code": code}
    )
    # Open as long as the process lives.
    Handler.log = open(f"{paths['log']}/vault.jsonl", "a", encoding="utf-8")  # noqa: SIM115
    pki = Path(paths["pki"])
    context = server_context(pki / f"{vault['name']}.crt", pki / f"{vault['name']}.key")
    TlsServer((vault["address"], vault["port"]), Handler, context).serve_forever()


if __name__ == "__main__":
    main()
