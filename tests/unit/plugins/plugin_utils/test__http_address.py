# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A URL is taken apart, or is none; its login is in no text that is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address, basic

LOGIN = "u:hunt%402"

ADDRESSES: tuple[tuple[str, tuple[bool, str, int, str, str] | None], ...] = (
    ("http://h", (False, "h", 80, "", "")),
    ("https://h/a/b?c=d", (True, "h", 443, "/a/b?c=d", "")),
    (f" http://{LOGIN}@h:81/#f", (False, "h", 81, "/", "Basic dTpodW50QDI=")),
    ("http://u@[::1]:82", (False, "::1", 82, "", "Basic dTo=")),
    ("h:80", None),
    ("ftp://h", None),
    ("http://", None),
    ("http://h:x", None),
    ("http://[::1", None),
    ("", None),
)


@pytest.mark.parametrize(("url", "expected"), ADDRESSES)
def test_address_of_url_reads_it_or_says_none(url: str, expected: tuple[bool, str, int, str, str] | None) -> None:
    assert Address.of(url) == (None if expected is None else Address(*expected))


def test_address_shown_holds_no_secret() -> None:
    address = Address.of(f"https://{LOGIN}@h/secret-path")
    assert address is not None
    assert (address.place, "hunt" in repr(address), "secret" in repr(address)) == ("h port 443", False, False)


def test_address_gives_back_the_url_without_its_login_and_the_password_alone() -> None:
    address = Address.of(f"https://{LOGIN}@[::1]:82/a?b=c")
    assert address is not None
    assert (address.url, address.password) == ("https://[::1]:82/a?b=c", "hunt@2")
    plain = Address.of("http://h")
    assert plain is not None
    assert (plain.url, plain.password) == ("http://h:80/", "")


def test_basic_is_what_the_header_says() -> None:
    assert basic("user", "word") == "Basic dXNlcjp3b3Jk"


@pytest.mark.parametrize(
    ("path", "is_printable"), [("/a%20b?c=d", True), ("/a b", False), ("/\xe9", False), ("/a\x00", False)]
)
def test_address_tells_whether_its_path_can_be_sent(path: str, is_printable: bool) -> None:
    assert Address(False, "h", 80, path).is_printable is is_printable


@given(url=st.text(st.characters(), max_size=40) | st.builds("http://{}".format, st.text(max_size=20)))
def test_address_of_any_text_never_fails(url: str) -> None:
    address = Address.of(url)
    assert address is None or address.host
