# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Find the CA certificates of the system."""

from __future__ import annotations

import os
import ssl


def system_ca() -> str | None:
    """Give the system's CA file or directory; requests would otherwise use a list of its own, without the site's
    CAs."""
    paths = ssl.get_default_verify_paths()
    for path in (
        os.environ.get("SSL_CERT_FILE"),
        paths.cafile,
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        paths.capath,
    ):
        if path and os.path.exists(path):
            return path
    return None
