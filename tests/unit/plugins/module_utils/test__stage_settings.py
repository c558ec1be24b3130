# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages read the settings that they have in common alike, and everything wrong is told at once."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import (
    attempt,
    state_of,
    timeouts_of,
    view_of,
)


def refuse() -> t.NoReturn:
    """Find two things wrong."""
    raise BadInput("one", "two")


def test_attempt_gives_what_is_read_or_adds_what_is_wrong() -> None:
    problems = ["before"]
    assert attempt(lambda: 7, problems) == 7
    assert attempt(refuse, problems) is None
    assert problems == ["before", "one", "two"]


def test_attempt_lets_other_errors_through() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 // 0, [])


@pytest.mark.parametrize(
    ("given", "ping", "problem"),
    [({}, Timeouts().ping, ""), ({"ping": 9}, 9.0, ""), ({"pong": 9}, Timeouts().ping, "pong")],
)
def test_timeouts_of(given: dict[str, t.Any], ping: float, problem: str) -> None:
    problems: list[str] = []
    assert timeouts_of({"timeouts": given}, problems).ping == ping
    assert len(problems) == bool(problem)
    assert all(problem in told for told in problems)


def test_state_of_is_the_named_database_or_none(tmp_path: Path) -> None:
    options: dict[str, t.Any] = {"database_password": "", "database_timeout": 2.0}
    found = state_of({**options, "database": str(tmp_path / "state.db")})
    assert found is not None
    assert found.location.path == tmp_path / "state.db"
    assert state_of({**options, "database": ""}) is None
    with pytest.raises(BadInput, match="managed_tokens_database_timeout"):
        state_of({**options, "database": "", "database_timeout": 0.0})


def test_view_of_takes_what_is_not_given_for_empty() -> None:
    assert view_of({"groups": None}).all_hosts == frozenset()
    view = view_of({"groups": {"all": ["a"]}, "hosts": ["b"], "addresses": {"a": {"address": "10.0.0.1"}}})
    assert view.all_hosts == {"a", "b"}
    assert view.node("a", []).address == "10.0.0.1"
