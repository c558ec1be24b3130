# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken for an e-mail address can be written into a mail, and nothing else is taken for one."""

from __future__ import annotations

from email.headerregistry import Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._mail_address import not_addresses, split_address

ADDRESSES: tuple[tuple[str, tuple[str, str]], ...] = (
    ("a@x", ("", "a@x")),
    (" dune-computing@example.org ", ("", "dune-computing@example.org")),
    ("Dune People <dune.people+ops@mail-1.example.org>", ("Dune People ", "dune.people+ops@mail-1.example.org")),
    ("<a@x>", ("", "a@x")),
    (f"{'a' * 64}@{'b' * 254}", ("", f"{'a' * 64}@{'b' * 254}")),
)


@pytest.mark.parametrize(("entry", "expected"), ADDRESSES)
def test_split_address_of_an_address(entry: str, expected: tuple[str, str]) -> None:
    assert split_address(entry) == expected


NONE = (
    "", "a", "a@", "@x", "a@x@y", "dune-computing example.org", "https://x", "a@x, b@y", "a@x b@y", "a..b@x", ".a@x",
    "a.@x", "a@x..y", "a@.x", "a@x.", "a@-x", "a@x-", "Name <a@x", "Name a@x>", "N@me <a@x>", "é@x", "a@é", "a\n@x",
    "A\nB <a@x>", f"{'a' * 65}@x", f"a@{'b' * 255}", f"<a@{'b' * 255}>",
)  # fmt: skip


@pytest.mark.parametrize("entry", NONE)
def test_split_address_of_anything_else_is_none(entry: str) -> None:
    assert split_address(entry) is None


@given(st.text('ab.@-<> +\n\x1bé"\\,', max_size=12) | st.from_regex(r"[a.+-]{1,5}@[b.-]{1,5}", fullmatch=True))
def test_split_address_gives_nothing_that_a_mail_could_not_hold(entry: str) -> None:
    found = split_address(entry)
    if found is not None:
        assert Address("", addr_spec=found[1]).addr_spec == found[1]
        assert found[1] in entry


def test_not_addresses_are_quoted_a_few_of_them() -> None:
    assert not_addresses(["a@x", "Name <b@x>"]) == ""
    assert not_addresses(["b", "a@x", "b", "c"]) == "'b', 'c'"
    assert not_addresses([*"bcdef"]) == "'b', 'c', 'd' and 2 more"
    assert not_addresses(["https://hooks/Canary"]) == "a URL (not shown: it may be a secret)"
