# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's limits, its identity, and its plain form."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from hypothesis import given

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import plain_data


def test_from_dict_missing_and_null_keys_keep_their_defaults() -> None:
    assert Timeouts.from_dict({"push": "60", "store": None}) == Timeouts(push=60.0)
    assert Timeouts.from_dict(None) == Timeouts()
    assert Timeouts().contradictions() == []


BAD: tuple[tuple[dict[t.Any, t.Any], str], ...] = (
    ({"pusch": 1}, "managed_tokens_timeouts has an unknown key 'pusch'; known are connect, "),
    ({1: 1}, "managed_tokens_timeouts has an unknown key 1; known are connect, "),
    ({"push": "soon"}, "managed_tokens_timeouts.push is 'soon'; it has to be a number of seconds."),
    ({"push": [1]}, "managed_tokens_timeouts.push is [1]; it has to be a number of seconds."),
    ({"push": 0}, "managed_tokens_timeouts.push is 0; it has to be more than 0 seconds."),
    ({"push": -1}, "managed_tokens_timeouts.push is -1; it has to be more than 0 seconds."),
    ({"push": float("nan")}, "managed_tokens_timeouts.push is nan; it has to be more than 0 seconds."),
)


@pytest.mark.parametrize(("plain", "words"), BAD)
def test_from_dict_bad_value_is_told_with_its_key(plain: dict[t.Any, t.Any], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        Timeouts.from_dict(plain)
    (problem,) = caught.value.problems
    assert problem.startswith(words)


def test_from_dict_value_that_is_too_large_is_told_so() -> None:
    with pytest.raises(
        BadInput, match=r"^managed_tokens_timeouts.run is 10000000; it has to be at most 1000000 seconds"
    ):
        Timeouts.from_dict({"run": 10**7})


@given(plain_data())
def test_timeouts_of_any_plain_data_are_limits_or_bad_input(plain: t.Any) -> None:
    try:
        timeouts = Timeouts.from_dict(plain if isinstance(plain, dict) else {"push": plain})
    except BadInput:
        return
    assert all(value > 0 for value in dataclasses.asdict(timeouts).values())


def test_run_survives_the_way_through_json() -> None:
    run = Run.begin(Timeouts(push=45.0))
    assert Run.from_dict(json.loads(json.dumps(run.to_dict()))) == run


def test_begin_gives_every_run_an_identity_of_its_own_and_a_deadline() -> None:
    one, other = Run.begin(Timeouts()), Run.begin(Timeouts())
    assert one.id != other.id
    assert one.deadline == one.started + 900.0


def test_remaining_is_never_negative() -> None:
    run = Run("x", started=0.0, deadline=100.0)
    assert run.remaining(now=40.0) == 60.0
    assert run.remaining(now=1000.0) == 0.0


@pytest.mark.parametrize(
    "plain", [{"id": "a"}, {"id": "a", "started": "x", "deadline": 1}, {"id": "a", "started": 1, "deadline": []}]
)
def test_run_of_something_else_is_bad_input(plain: dict[str, t.Any]) -> None:
    with pytest.raises(BadInput, match="is not what service_info returned"):
        Run.from_dict(plain)
