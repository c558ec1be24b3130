# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vault server says of a token, and that whatever else it says is no judgement."""

from __future__ import annotations

import datetime
import gzip
import http.server
import ipaddress
import json
import socket
import ssl
import threading
import time
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.fife.managed_tokens.plugins.module_utils._system_ca import system_ca
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import (
    ENDLESS_S,
    Life,
    TokenLives,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_request import VaultConnections
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import saying

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 that is its own CA, and give the file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("pki") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class Vault:
    """A TLS server on loopback that gives one answer, and remembers the requests."""

    def __init__(self, certificate: Path) -> None:
        self.status = 200
        self.body = b"{}"
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, str | None]] = []
        vault = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vault.requests.append((self.path, self.headers.get("X-Vault-Token")))
                self.send_response(vault.status)
                for name, value in vault.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(vault.body)))
                self.end_headers()
                self.wfile.write(vault.body)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.name = f"127.0.0.1:{self.server.server_port}"
        self.lives = TokenLives(5.0, str(certificate))
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def says(self, data: object) -> Life:
        """Give the life of the canary when the server says this of it."""
        self.body = data if isinstance(data, bytes) else json.dumps(data).encode()
        found = self.lives.of(self.name, CANARY)
        assert "Canary" not in repr(found)
        return found


@pytest.fixture
def vault(certificate: Path) -> t.Iterator[Vault]:
    """Run a vault server while the test runs."""
    running = Vault(certificate)
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_of_expire_time_is_taken_over_ttl(vault: Vault) -> None:
    found = vault.says({"data": {"ttl": 5, "expire_time": "2033-05-18T03:33:20.123456789Z"}})
    assert found.expires is not None
    assert int(found.expires) == 2_000_000_000
    assert (found.refused, found.remark) == (False, "")
    assert vault.requests == [("/v1/auth/token/lookup-self", CANARY)]


def test_of_expire_time_with_another_zone_is_understood(vault: Vault) -> None:
    assert vault.says({"data": {"expire_time": "2033-05-18T05:33:20+02:00"}}).expires == 2_000_000_000


def test_of_ttl_counts_from_now(vault: Vault) -> None:
    before = time.time()
    found = vault.says({"data": {"ttl": 604800}})
    assert found.expires is not None
    assert before + 604800 <= found.expires <= time.time() + 604800


def test_of_ttl_zero_without_expiry_never_ends(vault: Vault) -> None:
    found = vault.says({"data": {"ttl": 0, "expire_time": None}})
    assert found.left(time.time()) > ENDLESS_S - 60


@pytest.mark.parametrize("status", [401, 403])
def test_of_refusal_is_a_judgement(vault: Vault, status: int) -> None:
    vault.status = status
    found = vault.says({"errors": ["permission denied"]})
    assert found == Life(refused=True, remark=f"the vault server {vault.name} does not accept it (HTTP {status})")
    assert found.left(0.0) == 0.0


NO_JUDGEMENTS: tuple[tuple[int, object, str], ...] = (
    (502, b"<html>Bad Gateway</html>", "answered with HTTP 502"),
    (503, {"errors": ["Vault is sealed"]}, "answered with HTTP 503"),
    (429, b"", "answered with HTTP 429"),
    (404, b"", "answered with HTTP 404"),
    (200, b"<html>hello</html>", "answered with something that is not JSON"),
    (200, b'{"data": {"ttl": 60', "answered with something that is not JSON"),
    (200, b"", "answered with something that is not JSON"),
    (200, b"\xff\xfe", "answered with something that is not JSON"),
    (200, {}, "did not say how long it lives"),
    (200, {"data": {"ttl": None}}, "did not say how long it lives"),
    (200, {"data": {"ttl": True}}, "did not say how long it lives"),
    (200, {"data": {"ttl": "60"}}, "did not say how long it lives"),
    (200, [1], "cannot be asked"),
    (200, {"data": "x"}, "cannot be asked"),
    (200, {"data": {"expire_time": "tomorrow"}}, "cannot be asked"),
    (200, {"data": {"expire_time": "9999-99-99"}}, "cannot be asked"),
    (200, {"data": {"expire_time": "0001-01-01T00:00:00"}}, "cannot be asked"),
    (200, b'{"data": {"ttl": 1' + b"0" * 400 + b"}}", "cannot be asked"),
    (200, b'{"data": {"ttl": 1e999}}', "did not say how long it lives"),
    (200, b"[" * 200_000, "answered with something that is not JSON"),
)


@pytest.mark.parametrize(("status", "body", "words"), NO_JUDGEMENTS)
def test_of_any_other_answer_is_a_remark_and_no_judgement(vault: Vault, status: int, body: object, words: str) -> None:
    vault.status = status
    found = vault.says(body)
    assert (found.expires, found.refused) == (None, False)
    assert found.remark.startswith(f"the vault server {vault.name} ")
    assert words in found.remark


def test_of_redirect_is_not_followed_with_the_token(vault: Vault) -> None:
    vault.status = 307
    vault.headers = {"Location": f"https://{vault.name}/elsewhere"}
    assert "answered with HTTP 307" in vault.says(b"").remark
    assert [path for path, _token in vault.requests] == ["/v1/auth/token/lookup-self"]


def test_of_server_with_an_unknown_certificate_is_not_told_the_token(vault: Vault, tmp_path: Path) -> None:
    found = TokenLives(5.0, system_ca() or "").of(vault.name, CANARY)
    assert (found.expires, found.refused) == (None, False)
    assert vault.requests == []


def test_of_proxy_of_the_environment_is_not_used(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert vault.says({"data": {"ttl": 60}}).expires is not None


def test_of_silent_server_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        name = f"127.0.0.1:{taken.getsockname()[1]}"
    lives = TokenLives(5.0)
    first = lives.of(name, CANARY)
    assert first.remark == f"the vault server {name} cannot be asked (ConnectionError)"

    def asked_again(*_arguments: object, **_options: object) -> t.NoReturn:
        raise AssertionError

    monkeypatch.setattr(VaultConnections, "ask", asked_again)
    assert lives.of(name, CANARY) == first


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """Give TLS for a server that the certificate is of."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


OK = b"HTTP/1.1 200 OK\r\n"
# What it says at first, what it goes on with, and which end of its time comes first.
DRIPS: tuple[tuple[bytes, bytes, float, float], ...] = (
    (OK + b"Content-Length: 120\r\n\r\n", b" ", 0.3, 600.0),
    (OK + b"Content-Length: 120\r\n\r\n", b" ", 60.0, 0.3),
    (OK, b"X: y\r\n", 0.3, 600.0),
)


@pytest.mark.parametrize(("said", "drop", "timeout", "left"), DRIPS)
def test_of_server_that_answers_in_drips_is_given_up_and_asked_once(
    certificate: Path, tls: ssl.SSLContext, said: bytes, drop: bytes, timeout: float, left: float
) -> None:
    """The body would be over after six seconds, the headers after 100 of them."""
    with saying(said, on_and_on=drop, pause=0.05, tls=tls) as (url, heard):
        lives = TokenLives(timeout, str(certificate), remaining=lambda: left)
        first = lives.of(url, CANARY)
        assert lives.of(url, CANARY) == first
    assert first == Life(remark=f"the vault server {url} cannot be asked (no answer in time)")
    assert len(heard) == 1


def test_of_server_without_tls_is_not_told_the_token() -> None:
    with saying(OK + b"\r\n") as (url, heard):
        found = TokenLives(5.0).of(url, CANARY)
    assert (found.expires, found.refused, heard) == (None, False, [])


def test_of_server_after_the_end_of_the_run_is_not_asked(vault: Vault, certificate: Path) -> None:
    found = TokenLives(5.0, str(certificate), remaining=lambda: 0.0).of(vault.name, CANARY)
    assert found.remark == f"the vault server {vault.name} was not asked: the run's time is over"
    assert vault.requests == []


@pytest.mark.parametrize("status", [200, 307])
def test_of_large_answer_is_read_no_further_than_its_limit(vault: Vault, status: int) -> None:
    vault.status = status
    vault.headers = {"Location": "https://elsewhere/"}
    found = vault.says(b'{"data": {"ttl": 60}}' + b" " * 300_000)
    assert found == Life(
        remark=f"the vault server {vault.name} cannot be asked (its answer has more than 262144 bytes)"
    )


def test_of_packed_answer_is_never_unpacked(vault: Vault) -> None:
    vault.headers = {"Content-Encoding": "gzip"}
    found = vault.says(gzip.compress(b'{"data": {"ttl": 60}}'))
    assert found.remark == f"the vault server {vault.name} answered with something that is not JSON"


def test_of_token_that_is_no_header_value_is_a_remark(vault: Vault) -> None:
    found = vault.lives.of(vault.name, f"{CANARY}\nX-Other: 1")
    assert (found.expires, found.refused) == (None, False)
    assert "Canary" not in found.remark


def test_left_is_never_negative_and_nothing_known_is_nothing() -> None:
    assert Life(expires=10.0).left(4.0) == 6.0
    assert Life(expires=10.0).left(40.0) == 0.0
    assert Life().left(4.0) == 0.0
    assert Life(expires=10.0, refused=True).left(4.0) == 0.0
