# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A body is read as it was sent, no further than its limits."""

from __future__ import annotations

import io
import types

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _http_body
from ansible_collections.fife.managed_tokens.plugins.module_utils._http_body import BodyTooLarge, read_body


class Raw(io.BytesIO):
    """Give bytes as urllib3's response does."""

    def read1(self, size: int | None = -1, /, *, decode_content: bool = True) -> bytes:
        assert not decode_content
        return super().read1(size)


def test_read_body_of_the_limit_is_whole_and_one_byte_more_is_too_large() -> None:
    assert read_body(Raw(b"x" * 100), float("inf"), 100) == b"x" * 100
    with pytest.raises(BodyTooLarge):
        read_body(Raw(b"x" * 101), float("inf"), 100)


@pytest.mark.parametrize("reads", ["read1", "read"])
def test_read_body_that_comes_a_little_at_a_time_has_one_limit_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch, reads: str
) -> None:
    now = [0.0]

    def read(_amount: int, *, decode_content: bool) -> bytes:
        assert not decode_content
        now[0] += 1.0
        return b"x"

    monkeypatch.setattr(_http_body, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    with pytest.raises(TimeoutError):
        read_body(types.SimpleNamespace(**{"read": None, reads: read}), 4.5, 100)
    assert now == [5.0]
