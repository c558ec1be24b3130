# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names are usable, and what is suggested for those that are not known."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._names import (
    is_account,
    is_daemon,
    is_host,
    is_name_part,
    looks_like_number,
    nearest,
    suggestion,
)

NUMBERS = ("0123", "1e5", "10.1", "0x1f", "inf", "Infinity", "nan", "5", "-5", "+.5", "1.", "1E+5")
WORDS = ("dune", "mu2e", "e5", "1x", "10.1.2", "0xzz", "info", "banana", "")


@pytest.mark.parametrize("name", NUMBERS)
def test_looks_like_number_of_a_number_is_true(name: str) -> None:
    assert looks_like_number(name)
    assert not is_account(name)


@pytest.mark.parametrize("name", WORDS)
def test_looks_like_number_of_a_word_is_false(name: str) -> None:
    assert not looks_like_number(name)


@given(st.text(alphabet="0123456789+-.eEx", max_size=8))
def test_looks_like_number_finds_everything_that_sqlite_would_change(name: str) -> None:
    """A column of numeric affinity (as in the Go service's database) gives back every other name as it was."""
    database = sqlite3.connect(":memory:")
    try:
        (stored,) = database.execute("SELECT CAST(? AS TEXT) FROM (SELECT 1)", (name,)).fetchone()
        database.execute("CREATE TABLE t (name STRING)")
        database.execute("INSERT INTO t VALUES (?)", (name,))
        (found,) = database.execute("SELECT name FROM t").fetchone()
    finally:
        database.close()
    assert found == stored or looks_like_number(name)


@pytest.mark.parametrize("name", ["dune", "mu2e", "a", "exp-04", "v1.2", "Dune"])
def test_is_name_part_of_a_word_is_true(name: str) -> None:
    assert is_name_part(name)


@pytest.mark.parametrize("name", ["", "a_b", "-a", "a-", ".a", "a b", "a/b", "a\n", "dün", "a:b", "../x"])
def test_is_name_part_of_anything_else_is_false(name: str) -> None:
    assert not is_name_part(name)


@pytest.mark.parametrize("name", ["", "a b", "1abc", "-a", "a/b", "root\n", "ä", "x" * 34])
def test_is_account_of_anything_else_is_false(name: str) -> None:
    assert not is_account(name)


@pytest.mark.parametrize(
    "name", ["", "-oProxyCommand=x", "a b", "a;b", "a\n", "$(id)", "x" * 254, "n1..lab", ".lab", "x" * 64]
)
def test_is_host_of_anything_else_is_false(name: str) -> None:
    assert not is_host(name)


@pytest.mark.parametrize("name", ["dunegpvm01.lab.example", "127.0.0.1", "fe80::1", "node_1", "n1.lab.", "x" * 63])
def test_is_host_of_a_name_or_address_is_true(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("c1.lab.example", True), ("jobs@c1", True), ("@c1", False), ("a@", False), ("../c1", False), ("a/b@c1", False)],
)
def test_is_daemon_of_a_host_or_a_name_at_a_host(name: str, wanted: bool) -> None:
    assert is_daemon(name) is wanted


def test_nearest_ignores_case_and_knows_when_nothing_is_near() -> None:
    assert nearest("AcCont", ["account", "uid"]) == "account"
    assert nearest("zzz", ["account", "uid"]) is None


def test_suggestion_names_the_nearest_or_all_that_is_known() -> None:
    assert suggestion("acount", ["uid", "account"]) == "; did you mean 'account'?"
    assert suggestion("zzz", ["uid", "account"]) == "; known are account, uid."
    assert suggestion("zzz", []) == "."
