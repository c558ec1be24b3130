# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say where a vault server is, and what cannot be one: tokens are sent there, so nothing but https will do.

Source: htgettoken 2.2, option --vaultserver (host, host:port or URL; port 8200 unless one is named).
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_host

VAULT_PORT = 8200


def why_unusable(server: str) -> str:
    """Give what is wrong with `server` (host, host:port or https URL), to follow on its setting's name; "" when
    nothing is. Never quotes it: it may hold a password."""
    if "@" in server:
        return "holds a user name or password; it has to be a host, host:port or an https URL without them."
    try:
        parts = _parts(server)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read; it has to be a host, host:port or an https URL."
    if parts.scheme != "https":
        return f"has the scheme {parts.scheme[:20]!r}; tokens are sent to a vault server by https only."
    if not is_host(host) or port == 0:
        return "names no usable host; it has to be a host, host:port or an https URL."
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "names more than a host and a port; it has to be a host, host:port or an https URL without a path."
    return ""


def base_url(server: str) -> str:
    """Give the URL of a vault server that C(why_unusable) has nothing against, with its port."""
    parts = _parts(server)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{parts.port or VAULT_PORT}"


def _parts(server: str) -> SplitResult:
    return urlsplit(server if "://" in server else f"https://{server}")
