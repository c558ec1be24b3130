# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the nodes' ssh servers."""

from __future__ import annotations

import pytest
from sshd_words import logins, negotiated, server_key_exchanges

LOG = """\
Server listening on 127.1.0.1 port 22.
Authorized to dunepro, krb5 principal dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE (ssh_gssapi_krb5_cmdok)
Accepted gssapi-with-mic for dunepro from 127.0.0.1 port 41822 ssh2: dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE
Accepted gssapi-with-mic for duneana from 127.0.0.1 port 41823 ssh2: duneana/managed-tokens/push.lab.example@LAB.EXAMPLE
Accepted gssapi-with-mic for dunepro from 127.0.0.1 port 41824 ssh2: dunepro/managed-tokens/push.lab.example@LAB.EXAMPLE
Connection closed by authenticating user novapro 127.0.0.1 port 41825 [preauth]
Disconnected from user dunepro 127.0.0.1 port 41822
"""


def test_logins_are_counted_by_account() -> None:
    assert logins(LOG.splitlines()) == {"dunepro": 2, "duneana": 1}
    assert logins(LOG.splitlines()).total() == 3


@pytest.mark.parametrize(
    ("client", "server", "wanted"),
    [
        (["mlkem", "sntrup", "curve"], {"curve", "sntrup"}, "sntrup"),
        (["curve"], {"curve", "sntrup"}, "curve"),
        (["mlkem"], {"curve"}, ""),
    ],
)
def test_the_first_of_the_client_s_that_the_server_has_is_negotiated(
    client: list[str], server: set[str], wanted: str
) -> None:
    assert negotiated(client, server) == wanted


def test_server_key_exchanges_are_found_among_the_settings() -> None:
    assert server_key_exchanges("port 22\nkexalgorithms a@b,c\nmacs x") == ["a@b", "c"]
    assert server_key_exchanges("port 22") == []
