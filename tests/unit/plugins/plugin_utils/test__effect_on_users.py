# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever reads a report at night learns first whether anybody's work fails, and from when."""

from __future__ import annotations

import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._effect_on_users import at, effect_on_users, lasts
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import InPlace, Notice
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import (
    end,
    hostile_notices,
    many,
    run_trouble,
    setup_trouble,
    trouble,
)

# Monday, 2026-09-21 09:13 in Chicago.
NOW = 1_790_000_000.0
HOUR_S = 3600.0
WELL = InPlace(1, until=NOW + 31 * HOUR_S)
OVER = InPlace(1, until=NOW - HOUR_S)
NEVER, UNKNOWN = InPlace(1, never=1), InPlace(1, unknown=1)
UNTIL = "Tue 16:13 CDT (31 h)"


@pytest.fixture
def chicago(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Let the machine's clock be that of Chicago."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/Chicago")
        time.tzset()
        yield
    time.tzset()


# What is wrong, and what is said of it.
EFFECTS: tuple[tuple[list[Notice], str], ...] = (
    ([], ""),
    ([end()], "Nothing of this fails any more."),
    ([run_trouble(in_place=None)], "This concerns no token that is in place."),
    ([trouble(in_place=WELL)], f"Nothing fails for users yet: the tokens in place last until {UNTIL}."),
    (
        [trouble(in_place=InPlace(1, until=NOW + 7 * 24 * HOUR_S)), setup_trouble(in_place=WELL), end()],
        f"Nothing fails for users yet: the tokens in place last until {UNTIL}.",
    ),
    (
        [trouble(in_place=WELL), trouble("n2", in_place=UNKNOWN)],
        f"Nothing is known to fail for users yet: as far as is known, the tokens in place last until {UNTIL}.",
    ),
    (
        [trouble(in_place=UNKNOWN)],
        "Whether anything fails for users now is not known, nor until when the tokens in place last.",
    ),
    (
        [run_trouble(in_place=InPlace())],
        "Whether anything fails for users now is not known, nor until when the tokens in place last.",
    ),
    (
        [trouble("n1", in_place=NEVER), setup_trouble(in_place=WELL)],
        (
            "Users may fail now: no run is known to have put in place the token of dune_production on n1. "
            f"Others last until {UNTIL}."
        ),
    ),
    (
        [trouble("n1", in_place=OVER)],
        "Users fail now: the token of dune_production on n1 has expired (Mon 08:13 CDT).",
    ),
    (
        [trouble("n1", in_place=OVER), setup_trouble("nova_test", in_place=OVER), trouble("n3", in_place=WELL)],
        (
            "Users fail now: the token of dune_production on n1 and of nova_test has expired (Mon 08:13 CDT). "
            f"Others last until {UNTIL}."
        ),
    ),
    (
        many(3000, in_place=OVER),
        "Users fail now: the token in 3,000 of the places below has expired (Mon 08:13 CDT).",
    ),
    ([run_trouble(in_place=OVER)], "Users fail now: the token of at least one service has expired (Mon 08:13 CDT)."),
)


@pytest.mark.usefixtures("chicago")
@pytest.mark.parametrize(("notices", "said"), EFFECTS)
def test_effect_on_users_is_what_is_known_and_no_more(notices: list[Notice], said: str) -> None:
    assert effect_on_users(notices, NOW) == said


LASTS: tuple[tuple[InPlace | None, str], ...] = (
    (None, ""),
    (WELL, f"until {UNTIL}"),
    (InPlace(3, unknown=1, until=NOW + 31 * HOUR_S), f"until {UNTIL}, where that is known"),
    (OVER, "expired Mon 08:13 CDT"),
    (NEVER, "not known to be there"),
    (UNKNOWN, "of unknown life"),
    (InPlace(), "of unknown life"),
)


@pytest.mark.usefixtures("chicago")
@pytest.mark.parametrize(("found", "said"), LASTS)
def test_lasts_in_a_few_words(found: InPlace | None, said: str) -> None:
    assert lasts(found, NOW) == said


@pytest.mark.usefixtures("chicago")
@pytest.mark.parametrize(
    ("days", "said"), [(5.9, "Sun 06:49 CDT"), (7, "Mon 2026-09-28 09:13 CDT"), (-7, "Mon 2026-09-14 09:13 CDT"),
                       (90, "Sun 2026-12-20 08:13 CST")]
)  # fmt: skip
def test_at_what_is_not_near_has_a_date(days: float, said: str) -> None:
    assert at(NOW + days * 86400, NOW) == said


@given(notices=hostile_notices(), now=st.floats())
def test_effect_on_users_any_numbers_and_texts_are_one_line(notices: list[Notice], now: float) -> None:
    said = effect_on_users(notices, now)
    assert not set(said) & set("\n\r\x00\x1b\u202e\u2028")
    assert len(said) < 600
