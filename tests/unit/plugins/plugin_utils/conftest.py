# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests of the report need."""

from __future__ import annotations

import ssl

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _bounded_request as bounded_request
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _mail_handover as mail_handover
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki, make_pki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Give certificates for servers on loopback, made once."""
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def server_tls(pki: Pki) -> ssl.SSLContext:
    """Give TLS for a server that the CA of `pki` vouches for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pki.server)
    return context


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what can pass be tried again at once."""
    monkeypatch.setattr(bounded_request, "PAUSE_S", 0.0)
    monkeypatch.setattr(mail_handover, "PAUSE_S", 0.0)
