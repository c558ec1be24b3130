# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read what an HTTP server answers, bounded in size and time."""

from __future__ import annotations

import time
import typing as t


class BodyTooLarge(Exception):
    """The body has more bytes than it may."""


def read_body(raw: t.Any, until: float, limit: int) -> bytes:
    """Give the whole body of urllib3's response `raw` as it was sent, at most `limit` bytes of it; after `until`
    (monotonic seconds) no more of it is waited for.

    Raises: TimeoutError, BodyTooLarge, and urllib3's errors.
    """
    raw.enforce_content_length = True  # urllib3 1.26 would take half an answer
    read = getattr(raw, "read1", raw.read)  # what has come so far; urllib3 2.0 and older cannot say
    body = bytearray()
    while len(body) <= limit:
        if time.monotonic() > until:
            raise TimeoutError
        # Never unpacked: a few bytes can stand for any number.
        chunk = read(limit + 1 - len(body), decode_content=False)
        if not chunk:
            return bytes(body)
        body += chunk
    raise BodyTooLarge
