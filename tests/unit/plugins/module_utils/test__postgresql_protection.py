# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody between us and the database gets its password, and what the site says itself wins."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import typing as t
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from ansible_collections.fife.managed_tokens.plugins.module_utils import _postgresql_protection
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StateUnavailable
from ansible_collections.fife.managed_tokens.plugins.module_utils._postgresql_protection import (
    KNOWS_AUTH,
    REQUIRED_AUTH,
    protection,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state

OLD, NEW = 150004, 180006
SSL_REQUEST = struct.pack("!II", 8, 80877103)
PASSWORD = "CanaryPassword"
VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE", "PGSSLROOTCERT", "PGREQUIREAUTH")


@pytest.fixture(autouse=True)
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Set up a machine with a list of CAs and none of libpq's own settings; give the list's path."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "bundle.pem"
    path.touch()
    monkeypatch.setattr(_postgresql_protection, "system_ca", lambda: str(path))
    return str(path)


def given(rest: str, libpq: int = NEW) -> dict[str, str]:
    return protection(sa.make_url(f"postgresql+psycopg://{rest}"), libpq)


LOCAL = (
    "/d",
    "u@localhost/d",
    "u@127.0.0.9:5433/d",
    "u@[::1]/d",
    "/d?host=/run/postgresql",
    "/d?host=localhost:5432&host=127.0.0.1:5433",
    "u@localhost/d?hostaddr=127.0.0.1",
)


@pytest.mark.parametrize("rest", LOCAL)
def test_protection_on_this_machine_is_of_the_password_alone(rest: str) -> None:
    assert given(rest) == {"require_auth": REQUIRED_AUTH}
    assert given(rest, OLD) == {}


REMOTE = (
    "u@db.lab.example/d",
    "u@localhost.lab.example/d",
    "u@10.0.0.1/d",
    "u@[2001:db8::1]:5432/d",
    "/d?host=/run/postgresql&host=db.lab.example",
    "/d?host=localhost:5432&host=db:5432",
    "/d?host=localhost,db",
    "u@localhost/d?hostaddr=10.0.0.1",
    "u@localhost/d?service=site",
)


@pytest.mark.parametrize("rest", REMOTE)
def test_protection_on_the_way_to_another_machine_is_verified_tls(bundle: str, rest: str) -> None:
    tls = {"sslmode": "verify-full", "sslrootcert": bundle}
    assert given(rest) == {**tls, "require_auth": REQUIRED_AUTH}
    assert given(rest, OLD) == tls


ELSEWHERE = (("PGHOST", "db.lab.example"), ("PGHOSTADDR", "10.0.0.1"), ("PGSERVICE", "site"))


@pytest.mark.parametrize(("name", "value"), ELSEWHERE)
def test_protection_notices_another_machine_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert given("/d")["sslmode"] == "verify-full"


CHOSEN: tuple[tuple[str, dict[str, str], set[str]], ...] = (
    ("sslmode=disable", {}, {"require_auth"}),
    ("sslmode=require", {}, {"require_auth"}),
    ("sslmode=verify-full", {}, {"sslrootcert", "require_auth"}),
    ("sslmode=verify-ca", {}, {"require_auth"}),
    ("sslrootcert=/x", {}, {"sslmode", "require_auth"}),
    ("require_auth=password", {}, {"sslmode", "sslrootcert"}),
    ("", {"PGSSLMODE": "disable"}, {"require_auth"}),
    ("", {"PGSSLROOTCERT": "/x"}, {"sslmode", "require_auth"}),
    ("", {"PGREQUIREAUTH": "md5"}, {"sslmode", "sslrootcert"}),
)


@pytest.mark.parametrize(("query", "environment", "names"), CHOSEN)
def test_protection_leaves_to_the_site_what_it_has_set(
    monkeypatch: pytest.MonkeyPatch, query: str, environment: dict[str, str], names: set[str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert set(given(f"u@db/d?{query}")) == names


def test_protection_leaves_the_user_s_own_authorities_to_libpq(tmp_path: Path) -> None:
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert "sslrootcert" not in given("u@db/d")


@pytest.mark.parametrize(("libpq", "named"), [(NEW, {"sslrootcert": "system"}), (OLD, {})])
def test_protection_without_a_list_of_authorities_in_one_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, libpq: int, named: dict[str, str]
) -> None:
    for place in (None, str(tmp_path)):
        monkeypatch.setattr(_postgresql_protection, "system_ca", lambda place=place: place)
        found = given("u@db/d", libpq)
        assert found.pop("sslmode") == "verify-full"
        found.pop("require_auth", None)
        assert found == named


class Between:
    """Answer as whoever is on the way: no TLS, and the password in clear, please; keep all that came."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._server.accept()
            except OSError:
                return
            with connection, contextlib.suppress(ConnectionError):
                while data := connection.recv(4096):
                    self.heard.append(data)
                    if PASSWORD.encode() in data:
                        break
                    connection.sendall(b"N" if data == SSL_REQUEST else b"R" + struct.pack("!II", 8, 3))


@pytest.fixture
def between() -> t.Iterator[Between]:
    """Give somebody in between."""
    found = Between()
    yield found
    found.close()


def refusal(port: int, query: str = "") -> str:
    state = open_state(f"postgresql+psycopg://u@127.0.0.1:{port}/d{query}", PASSWORD, 5.0)
    assert state is not None
    with pytest.raises(StateUnavailable) as caught, state.read():
        pass
    return caught.value.msg


@pytest.mark.skipif(psycopg.pq.version() < KNOWS_AUTH, reason="this libpq knows no require_auth")
def test_no_password_is_given_in_clear_on_this_machine(between: Between) -> None:
    assert "requested a cleartext password" in refusal(between.port)
    assert between.heard
    assert PASSWORD.encode() not in b"".join(between.heard)


def test_nothing_is_said_without_tls_to_another_machine(between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_postgresql_protection, "_is_local", lambda _url: False)
    assert "server does not support SSL" in refusal(between.port)
    assert set(between.heard) == {SSL_REQUEST}


def test_a_site_may_allow_it_knowingly(between: Between) -> None:
    refusal(between.port, "?sslmode=disable&require_auth=password" if psycopg.pq.version() >= KNOWS_AUTH else "")
    assert PASSWORD.encode() in b"".join(between.heard)
