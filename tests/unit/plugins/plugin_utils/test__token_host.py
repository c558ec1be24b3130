# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token host that would silently be the controller is refused."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._token_host import check_token_host

GROUPS = {"all": ["dunegpvm01", "tokenhost.example.org"], "dune": ["dunegpvm01"], "ungrouped": []}


@pytest.mark.parametrize(
    ("name", "transport"),
    [
        (None, "local"),
        ("localhost", "local"),
        ("127.0.0.1", "local"),
        ("localhost", "ssh"),
        ("tokenhost.example.org", "ssh"),
        ("tokenhost.example.org", "ansible.builtin.ssh"),
    ],
)
def test_check_token_host_the_machine_that_was_meant_is_fine(name: str | None, transport: str) -> None:
    check_token_host(name, transport, GROUPS)
    check_token_host("localhost", "local", {})


@pytest.mark.parametrize(
    ("name", "transport", "words"),
    [
        (
            "nothere.example.com",
            "local",
            "'nothere.example.com', which is no host of the inventory; it has to be localhost",
        ),
        ("dune", "local", "'dune', which is a group of the inventory; it has to be localhost, or one host"),
        ("tokenhost.example.org", "local", "whose connection is local.*ansible_connection: ssh"),
    ],
)
def test_check_token_host_another_machine_is_refused(name: str, transport: str, words: str) -> None:
    with pytest.raises(BadInput, match=rf"^managed_tokens_token_host is .*{words}"):
        check_token_host(name, transport, GROUPS)
