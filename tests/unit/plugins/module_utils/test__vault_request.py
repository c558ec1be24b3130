# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a vault server is."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_request import base_url

URLS: tuple[tuple[str, str], ...] = (
    ("vault", "https://vault:8200"),
    ("vault:8443", "https://vault:8443"),
    ("https://vault/", "https://vault"),
    ("[::1]:8443", "https://[::1]:8443"),
)


@pytest.mark.parametrize(("server", "url"), URLS)
def test_base_url_of_host_port_or_url(server: str, url: str) -> None:
    assert base_url(server) == url
