# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask vault servers over TLS, each question within a time that holds for all of it: name service, TLS, headers, body.

No proxy, redirect, .netrc or compression takes part, and certificates are always verified.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._http_body import BodyTooLarge, read_body
from ansible_collections.fife.managed_tokens.plugins.module_utils._system_ca import system_ca
from ansible_collections.fife.managed_tokens.plugins.module_utils._time_limit import within
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_server import base_url

if t.TYPE_CHECKING:
    import requests

BODY_LIMIT = 256 * 1024
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "managed-tokens"}


@dataclass(frozen=True, slots=True)
class VaultAnswer:
    """What a vault server answered: HTTP status and body, as it was sent."""

    status: int
    body: bytes


class VaultNotAsked(Exception):
    """There is no whole answer; the text says why in a few words, and quotes nothing of the question.

    `is_silent` means that the server did not answer at all, or not in time; `is_late` the latter only; `is_untrusted`
    that its certificate is not verified.
    """

    def __init__(self, why: str, *, is_silent: bool = False, is_late: bool = False, is_untrusted: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_silent, self.is_late, self.is_untrusted = is_silent or is_late, is_late, is_untrusted


class VaultConnections:
    """Kept-alive connections to vault servers; `ca` is a file or directory of CA certificates, "" for the system's."""

    def __init__(self, ca: str = "", connections: int = 16) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self._session: requests.Session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca or system_ca() or True
        # Whatever a server is named by, no token travels in clear.
        del self._session.adapters["http://"]
        self._session.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=connections))
        # Even without following it, a session would read the body of a redirect, whatever its size.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]

    def ask(self, server: str, path: str, seconds: float, headers: t.Mapping[str, str] | None = None) -> VaultAnswer:
        """Give the whole answer to GET `path` of `server` (host, host:port or URL) within `seconds`.

        Raises: VaultNotAsked.
        """
        until = time.monotonic() + seconds
        # The timeouts of requests limit each wait, not the whole: a server may say a byte now and then.
        answer = within(seconds, lambda: self._ask(f"{base_url(server)}{path}", seconds, until, headers or {}))
        if answer is None:
            raise VaultNotAsked("no answer in time", is_late=True)
        return answer

    def _ask(self, url: str, seconds: float, until: float, headers: t.Mapping[str, str]) -> VaultAnswer:
        import requests
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        try:
            with self._session.get(
                url, headers={**HEADERS, **headers}, timeout=seconds, stream=True, allow_redirects=False
            ) as response:
                return VaultAnswer(response.status_code, read_body(response.raw, until, BODY_LIMIT))
        except (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError):
            raise VaultNotAsked("no answer in time", is_late=True) from None
        except BodyTooLarge:
            raise VaultNotAsked(f"its answer has more than {BODY_LIMIT} bytes") from None
        # Without their words, which hold the URL, or a header.
        except requests.exceptions.SSLError as err:
            raise VaultNotAsked(type(err).__name__, is_silent=True, is_untrusted=True) from None
        except (requests.exceptions.ConnectionError, HTTPError) as err:
            raise VaultNotAsked(type(err).__name__, is_silent=True) from None
        except (requests.exceptions.RequestException, OSError, ValueError) as err:
            raise VaultNotAsked(type(err).__name__) from None

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
