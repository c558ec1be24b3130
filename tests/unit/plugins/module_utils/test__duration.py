# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as operators write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words, seconds_of

TEXTS: tuple[tuple[str, int | None], ...] = (
    ("0s", 0),
    ("90s", 90),
    (" 10 m ", 600),
    ("12h", 43200),
    ("3d", 259200),
    ("007d", 604800),
    *(
        (text, None)
        for text in ("", "3", "d", "-1d", "1.5d", "1d12h", "3w", "3D", "3s\n4", "1" * 10 + "s", "\u0663d", "\u00b2s")
    ),
)


@pytest.mark.parametrize(("text", "seconds"), TEXTS)
def test_seconds_of_a_duration(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


WORDS: tuple[tuple[float, str], ...] = (
    (0, "0 s"),
    (40.4, "40 s"),
    (99, "99 s"),
    (100, "2 min"),
    (5399, "90 min"),
    (6000, "2 h"),
    (86400, "24 h"),
    (172799, "48 h"),
    (172800, "2 d"),
    (1e7, "116 d"),
)


@pytest.mark.parametrize(("seconds", "words"), WORDS)
def test_in_words_takes_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.integers(0, 999_999_999), st.sampled_from("smhd"))
def test_seconds_of_what_is_written_with_a_unit(number: int, unit: str) -> None:
    assert seconds_of(f"{number}{unit}") == number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


@given(st.text())
def test_seconds_of_any_text_is_a_number_or_none(text: str) -> None:
    found = seconds_of(text)
    assert found is None or found >= 0
