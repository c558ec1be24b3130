# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Take a URL apart so that its login travels in a header, and its path into no message."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

_PRINTABLE = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send; `path` holds the query too, and `authorization` what the URL's user and password make."""

    is_tls: bool
    host: str
    port: int
    path: str = field(repr=False)
    authorization: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Address | None:
        """Read a URL; None when it is none of HTTP or HTTPS with a host."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not host:
            return None
        is_tls = parts.scheme == "https"
        login = basic(unquote(parts.username), unquote(parts.password or "")) if parts.username is not None else ""
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return cls(is_tls, host, port or (443 if is_tls else 80), path, login)

    @property
    def place(self) -> str:
        """Give what a problem may say of it."""
        return one_line(f"{self.host} port {self.port}", 120)

    @property
    def url(self) -> str:
        """Give the URL without its login."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.is_tls else ''}://{host}:{self.port}{self.path or '/'}"

    @property
    def password(self) -> str:
        """Give the password of its login, "" when there is none."""
        login = self.authorization.rpartition(" ")[2]
        return base64.b64decode(login).decode("utf-8", "replace").partition(":")[2]

    @property
    def is_printable(self) -> bool:
        """Tell whether the path has nothing but what a URL may hold."""
        return _PRINTABLE.fullmatch(self.path) is not None


def basic(user: str, password: str) -> str:
    """Give what the Authorization header says for a user and a password, in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
