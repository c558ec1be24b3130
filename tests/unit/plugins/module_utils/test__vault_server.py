# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a vault server is, and that nothing but https will do."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_server import base_url, why_unusable

URLS: tuple[tuple[str, str], ...] = (
    ("vault", "https://vault:8200"),
    ("vault:8443", "https://vault:8443"),
    # As htgettoken does it, whose token is looked up.
    ("https://vault/", "https://vault:8200"),
    ("HTTPS://vault:443", "https://vault:443"),
    ("[::1]:8443", "https://[::1]:8443"),
    ("[::1]", "https://[::1]:8200"),
    ("127.0.0.1", "https://127.0.0.1:8200"),
)


@pytest.mark.parametrize(("server", "url"), URLS)
def test_base_url_of_host_port_or_url(server: str, url: str) -> None:
    assert base_url(server) == url
    assert why_unusable(server) == ""


SECRET = "Secret"
UNUSABLE: tuple[tuple[str, str], ...] = (
    ("http://vault:8200", "has the scheme 'http'; tokens are sent to a vault server by https only."),
    ("ftp://vault", "has the scheme 'ftp'; "),
    (f"http://ann:{SECRET}@vault", "holds a user name or password; "),
    (f"https://{SECRET}@vault", "holds a user name or password; "),
    (f"ann:{SECRET}@vault:8200", "holds a user name or password; "),
    (f"{SECRET}@vault", "holds a user name or password; "),
    (f"vault:{SECRET}", "cannot be read; "),
    ("vault:99999", "cannot be read; "),
    ("vault:0", "names no usable host; "),
    ("https://", "names no usable host; "),
    ("https://[::1", "cannot be read; "),
    (f"--cafile={SECRET}", "names no usable host; "),
    ("vault other", "names no usable host; "),
    (f"https://vault/{SECRET}", "names more than a host and a port; "),
    (f"vault?x={SECRET}", "names more than a host and a port; "),
    (f"https://vault#{SECRET}", "names more than a host and a port; "),
)


@pytest.mark.parametrize(("server", "words"), UNUSABLE)
def test_why_unusable_says_what_is_wrong_and_quotes_nothing(server: str, words: str) -> None:
    found = why_unusable(server)
    assert found.startswith(words)
    assert found.endswith(".")
    assert SECRET not in found
    assert "ann:" not in found
