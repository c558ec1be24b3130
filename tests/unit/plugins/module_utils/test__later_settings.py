# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a later stage would refuse is found by the first one."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import (
    AT_LEAST_ONE,
    DURATIONS,
    NOT_NEGATIVE,
    duration_of,
    later_problems,
    lifetime_seconds,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import plain_data

LIFETIMES: tuple[tuple[str, int], ...] = (("1s", 1), (" 90 m ", 5400), ("12h", 43200), ("3d", 259200))


@pytest.mark.parametrize(("text", "seconds"), LIFETIMES)
def test_lifetime_seconds_of_a_duration(text: str, seconds: int) -> None:
    assert lifetime_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "d", "0s", "-1d", "7d", "168h", "1.5d", "1d12h", "3w", "9" * 50 + "s"])
def test_lifetime_seconds_of_anything_else_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match="it has to be a duration like 12h or 3d, less than 7d"):
        lifetime_seconds(text)


GOOD_DURATIONS: tuple[tuple[str, str, int], ...] = (
    ("uid_max_age", "7d", 604800),
    ("uid_max_age", "1s", 1),
    ("forget_after", "24h", 86400),
    ("store_reuse", "0s", 0),
    ("store_reuse", " 10 m ", 600),
)


@pytest.mark.parametrize(("name", "text", "seconds"), GOOD_DURATIONS)
def test_duration_of_a_setting(name: str, text: str, seconds: int) -> None:
    assert duration_of(name, text) == seconds


BAD_DURATIONS: tuple[tuple[str, str, str], ...] = (
    ("uid_max_age", "0s", "it has to be a duration like 90s, 12h or 30d."),
    ("uid_max_age", "7", "it has to be a duration like 90s, 12h or 30d."),
    ("forget_after", "23h", "it has to be a duration like 90s, 12h or 30d, at least 24 h."),
    ("forget_after", "soon", "it has to be a duration like 90s, 12h or 30d, at least 24 h."),
    ("store_reuse", "-1s", "it has to be a duration like 90s, 12h or 30d."),
    ("store_reuse", "", "it has to be a duration like 90s, 12h or 30d."),
)


@pytest.mark.parametrize(("name", "text", "words"), BAD_DURATIONS)
def test_duration_of_anything_else_is_bad_input(name: str, text: str, words: str) -> None:
    expected = f"managed_tokens_{name} is {text!r}; {words}"
    with pytest.raises(BadInput) as caught:
        duration_of(name, text)
    assert caught.value.problems == (expected,)
    assert later_problems({name: text}) == [expected]


# The settings that are wrong, and what is said of them.
PROBLEMS: tuple[tuple[dict[str, t.Any], str], ...] = (
    *(({name: 0}, f"managed_tokens_{name} is 0; it has to be at least 1.") for name in AT_LEAST_ONE),
    *(({name: -1}, f"managed_tokens_{name} is -1; it has to be at least 0.") for name in NOT_NEGATIVE),
    ({"push_retries": "-1"}, "managed_tokens_push_retries is -1; it has to be at least 0."),
    ({"min_token_lifetime": "7d"}, "managed_tokens_min_token_lifetime is '7d'; it has to be a duration"),
    ({"known_hosts": ["/nowhere/known_hosts"]}, "managed_tokens_known_hosts: /nowhere/known_hosts is no file"),
    ({"known_hosts": "/nowhere/known_hosts"}, "managed_tokens_known_hosts: /nowhere/known_hosts is no file"),
    ({"vault_ca": "/nowhere/ca.pem"}, "managed_tokens_vault_ca: /nowhere/ca.pem does not exist."),
    ({"kex_algorithms": ["curve25519-sha256", "magic"]}, "managed_tokens_kex_algorithms: "),
)


@pytest.mark.parametrize(("settings", "words"), PROBLEMS)
def test_later_problems_bad_setting_is_one_sentence_with_its_name(settings: dict[str, t.Any], words: str) -> None:
    (problem,) = later_problems(settings)
    assert problem.startswith(words)
    assert problem.endswith(".")


def test_later_problems_good_settings_in_every_form_are_fine(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("", encoding="ascii")
    good: dict[str, t.Any] = {
        "push_retries": "0",
        "push_concurrency": 1,
        "push_per_node": None,
        "min_token_lifetime": "3d",
        "known_hosts": f"{tmp_path / 'one'},{tmp_path / 'two'}",
        "kex_algorithms": "curve25519-sha256",
        "vault_ca": str(tmp_path),
        "uid_max_age": "7d",
        "forget_after": "30d",
        "store_reuse": None,
    }
    assert later_problems(good) == []
    assert later_problems({}) == []


NAMES = (*AT_LEAST_ONE, *NOT_NEGATIVE, *DURATIONS, "min_token_lifetime", "known_hosts", "kex_algorithms", "vault_ca")


def test_later_problems_names_are_settings() -> None:
    assert {f"managed_tokens_{name}" for name in NAMES} <= KNOWN_SETTINGS


@given(st.dictionaries(st.sampled_from(NAMES), plain_data()))
def test_later_problems_of_any_plain_data_are_sentences(settings: dict[str, t.Any]) -> None:
    assert all(problem.startswith("managed_tokens_") for problem in later_problems(settings))
