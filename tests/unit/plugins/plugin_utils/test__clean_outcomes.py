# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever an outcome holds, what is written of it is one clean line, a finite number, a known status."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STATUSES, Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import (
    MESSAGE_LIMIT,
    NAME_LIMIT,
    clean,
    clean_all,
    number,
    stamp,
    text,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import NASTY, any_outcome


def test_text_of_hostile_words_is_one_clean_line() -> None:
    assert text(NASTY) == "red <b>& 100% [redacted] ? end"


def test_text_of_a_megabyte_is_its_end() -> None:
    found = text(NASTY * 20_000 + "the reason")
    assert len(found) <= NAME_LIMIT
    assert found.endswith("the reason")
    assert CANARY not in found


NUMBERS: tuple[tuple[t.Any, float], ...] = (
    (1.5, 1.5), (0, 0.0), (-1, 0.0), (float("nan"), 0.0), (float("inf"), 0.0), (float("-inf"), 0.0), (10**400, 0.0),
    (1e300, 1e9), ("2.5", 2.5), ("x", 0.0), (None, 0.0),
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_number_of_anything_is_finite(value: t.Any, expected: float) -> None:
    assert number(value) == expected


STAMPS: tuple[tuple[float, str], ...] = (
    (0.0, "1970-01-01T00:00:00.000Z"),
    (1_790_000_000.1239, "2026-09-21T14:13:20.123Z"),
    (1e300, "9999-12-31T23:59:59.000Z"),
    (float("nan"), "1970-01-01T00:00:00.000Z"),
)


@pytest.mark.parametrize(("seconds", "expected"), STAMPS)
def test_stamp_of_any_time_is_rfc_3339(seconds: float, expected: str) -> None:
    assert stamp(seconds) == expected


def test_clean_leaves_what_is_clean() -> None:
    plain = outcome("store", "failed", credd="c", node="n", account="a", seconds=1.5, kind="k", message="m", life=3.0)
    assert clean_all([plain]) == [plain]


@given(found=any_outcome())
def test_clean_any_outcome_can_be_written_by_anybody(found: Outcome) -> None:
    plain = clean(found).to_dict()
    assert plain["status"] in STATUSES
    written = json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
    assert b"\n" not in written
    for value in plain.values():
        assert not isinstance(value, str) or len(value) <= MESSAGE_LIMIT


@given(value=st.text(st.characters()))
def test_text_is_stable(value: str) -> None:
    assert text(text(value)) == text(value)
