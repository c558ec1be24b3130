# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the registry is and how it is asked; everything wrong is told, and no password in a URL is repeated."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils import _ferry_settings as settings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki


def read(url: str = "https://ferry.lab.example:8445", **changes: t.Any) -> tuple[settings.Ferry | None, list[str]]:
    """Read the settings, with a token so that no certificate is needed, but for the changes."""
    params = {name: option.get("default") for name, option in settings.FERRY_SPEC.items()}
    params |= {"ferry_url": url, "ferry_auth": settings.TOKEN}
    params |= {f"ferry_{name}": value for name, value in changes.items()}
    problems: list[str] = []
    return settings.read_settings(params, problems), problems


PLACES: tuple[tuple[str, str, int, str], ...] = (
    ("https://ferry.lab.example:8445", "ferry.lab.example", 8445, "/getUserInfo?username=a"),
    ("https://ferry.lab.example/", "ferry.lab.example", 443, "/getUserInfo?username=a"),
    (" HTTPS://ferry.lab.example/api/v1/ ", "ferry.lab.example", 443, "/api/v1/getUserInfo?username=a"),
    ("https://[::1]:8445", "::1", 8445, "/getUserInfo?username=a"),
)


@pytest.mark.parametrize(("url", "host", "port", "path"), PLACES)
def test_read_settings_url_gives_host_port_and_path(url: str, host: str, port: int, path: str) -> None:
    ferry, problems = read(url)
    assert problems == []
    assert ferry is not None
    assert (ferry.host, ferry.port, ferry.path("a")) == (host, port, path)
    assert (ferry.concurrency, ferry.retries) == (16, 3)


def test_path_account_is_encoded() -> None:
    ferry, _problems = read(request="/user/{account}/uid?x={account}&y=%20")
    assert ferry is not None
    assert ferry.path("a&b/c d") == "/user/a%26b%2Fc%20d/uid?x=a%26b%2Fc%20d&y=%20"


PASSWORD = "hunter2"
BAD_URLS: tuple[tuple[str, str], ...] = (
    (
        "ferry.lab.example:8445",
        "is 'ferry.lab.example:8445', which has no scheme; write https://ferry.lab.example:8445.",
    ),
    ("", "has to be a URL; write https://ferry.example.org:8445."),
    (f"me:{PASSWORD}@ferry", "has to be a URL; write https://ferry.example.org:8445."),
    ("http://ferry.lab.example", "has the scheme 'http'; the registry is asked by https only."),
    (f"https://me:{PASSWORD}@ferry", "holds a user name or password; set a certificate or a token instead."),
    ("https://", "names no usable host; write https://host:port."),
    ("https://fer ry", "names no usable host; write https://host:port."),
    ("https://ferry:x", "is no URL that can be read; write https://host:port."),
    ("https://ferry:99999", "is no URL that can be read; write https://host:port."),
    ("https://[::1", "is no URL that can be read; write https://host:port."),
    ("https://ferry/?a=b", "has a query or fragment; that belongs in managed_tokens_ferry_request."),
)


@pytest.mark.parametrize(("url", "words"), BAD_URLS)
def test_read_settings_bad_url_is_told(url: str, words: str) -> None:
    assert read(url) == (None, [f"managed_tokens_ferry_url {words}"])


@given(st.text(max_size=30) | st.text(max_size=30).map("https://{}".format))
def test_read_settings_any_url_is_one_or_a_problem(pki: Pki, url: str) -> None:
    ferry, problems = read(url, ca=str(pki.ca))
    assert (ferry is None) == bool(problems)
    assert ferry is None or (ferry.host and 0 < ferry.port < 65536 and ferry.path("a").isascii())


BAD_REQUESTS: tuple[tuple[str, str], ...] = (
    ("x?{account}", "is 'x?{account}'; it has to begin with a slash."),
    ("/x", "is '/x', which does not name the account; it has to hold {account}."),
    ("/ {account}", "is '/ {account}'; spaces, # and what is not ASCII have to be encoded."),
    ("/{account}\r\nX: y", "is '/{account}\\r\\nX: y'; spaces, # and what is not ASCII have to be encoded."),
    ("/{acount}", "has the placeholder '{acount}'; did you mean 'account'?"),
)


@pytest.mark.parametrize(("template", "words"), BAD_REQUESTS)
def test_read_settings_bad_request_is_told(template: str, words: str) -> None:
    assert read(request=template) == (None, [f"managed_tokens_ferry_request {words}"])


def test_read_settings_all_problems_are_told_together(pki: Pki) -> None:
    ferry, problems = read(
        "ferry",
        auth=settings.CERTIFICATE,
        ca=str(pki.directory / "none"),
        uid="a..b",
        error="[",
        active="",
        concurrency=0,
        retries=-1,
    )
    assert ferry is None
    assert [problem.partition(" ")[0].rstrip(":") for problem in problems] == [
        f"managed_tokens_ferry_{name}"
        for name in ("url", "cert", "ca", "uid", "error", "active", "concurrency", "retries")
    ]


def test_read_settings_certificate_is_read(pki: Pki) -> None:
    ferry, problems = read(auth=settings.CERTIFICATE, cert=str(pki.client), ca=str(pki.ca))
    assert problems == []
    assert ferry is not None
    assert read(auth=settings.CERTIFICATE, cert=str(pki.client_cert), key=str(pki.stranger_key))[0] is None
