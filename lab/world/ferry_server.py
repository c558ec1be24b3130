# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for FERRY, Fermilab's registry of accounts: real TLS, client certificates or bearer tokens, one query."""

from __future__ import annotations

import argparse
import json
import sys
import time
import typing as t
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world import bearer
from world.ferry_state import FerryState, refusal
from world.json_lines import JsonLines
from world.stand_in_http import Reply
from world.tls_server import TlsServer, common_name, server_context


class Handler(BaseHTTPRequestHandler):
    """One connection, and the requests that come over it."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer go out together; waiting for more would cost every client 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    numbers = count(1)
    state: FerryState
    key: bytes
    log: JsonLines

    def setup(self) -> None:
        super().setup()
        self._number = next(self.numbers)
        self._peer = common_name(self.request)
        self.log.write({"event": "connection", "id": self._number, "peer_certificate": self._peer})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing; requests are logged as JSON lines."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        account = parse_qs(address.query).get("username", [""])[0]
        self.state.refresh()
        time.sleep(self.state.delay())
        reply = self.state.breakdown() or self._refused() or self._answer(address.path, account)
        facts = {"connection": self._number, "account": account, "status": int(reply.status)}
        self.log.write({"event": "request", **facts, "time": round(time.time(), 3)})
        self.send_response(reply.status)
        if reply.retry_after:
            self.send_header("Retry-After", reply.retry_after)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()

    def _refused(self) -> Reply | None:
        """Give the answer to somebody who does not prove who he is; TLS has proved a certificate already."""
        if self._peer:
            return None
        kind, _space, token = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return refusal(HTTPStatus.UNAUTHORIZED, "a client certificate or a bearer token is needed")
        try:
            bearer.verify(token.strip(), self.key)
        except bearer.NotOurs as err:
            return refusal(HTTPStatus.FORBIDDEN, f"the bearer token is refused: {err}")
        return None

    def _answer(self, path: str, account: str) -> Reply:
        if path != "/getUserInfo":
            return refusal(HTTPStatus.NOT_FOUND, "there is only /getUserInfo here")
        if not account:
            return refusal(HTTPStatus.OK, "parameter username not specified")
        return self.state.user_info(account)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", type=Path, required=True)
    layout: dict[str, t.Any] = json.loads(parser.parse_args().layout.read_text())
    pki, ferry = Path(layout["paths"]["pki"]), layout["ferry"]
    Handler.state = FerryState(layout["services"])
    Handler.key = bearer.KEY_FILE.read_bytes()
    Handler.log = JsonLines(Path(layout["paths"]["log"]) / "ferry.jsonl")
    context = server_context(pki / f"{ferry['name']}.crt", pki / f"{ferry['name']}.key", clients=pki / "ca.pem")
    TlsServer((ferry["address"], ferry["port"]), Handler, context).serve_forever()


if __name__ == "__main__":
    main()
