# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcomes of every stage that ran, found by the names of their results."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StageOrder
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._batches import with_outcomes

VARS: dict[str, t.Any] = {
    "one": {"outcomes": [{"stage": "setup"}], "changed": False},
    "two": {"outcomes": [{"stage": "store"}, {"stage": "push"}]},
    "none": {"outcomes": []},
    "skipped": {"skipped": True, "changed": False},
    "text": "outcomes",
    "other": {"outcomes": [{"stage": "other"}]},
}

BATCHES: tuple[tuple[list[str], list[str]], ...] = (
    (["one", "two"], ["setup", "store", "push"]),
    (["two", "one"], ["store", "push", "setup"]),
    (["one", "skipped", "missing", "text"], ["setup"]),
    (["none"], []),
)


@pytest.mark.parametrize(("names", "stages"), BATCHES)
def test_with_outcomes_collects_those_of_the_batches_that_ran(names: list[str], stages: list[str]) -> None:
    found = with_outcomes({"batches": names, "run": {}}, VARS)
    assert [item["stage"] for item in found["outcomes"]] == stages
    assert (found["batches"], found["run"]) == (names, {})


@pytest.mark.parametrize("given", [[], [{"stage": "given"}]])
def test_with_outcomes_leaves_those_that_were_given(given: list[dict[str, str]]) -> None:
    assert with_outcomes({"batches": ["one"], "outcomes": given}, VARS)["outcomes"] == given


@pytest.mark.parametrize(
    "options", [{}, {"batches": None}, {"batches": []}, {"batches": ["missing", "skipped", "text"]}]
)
def test_with_outcomes_when_no_stage_ran_says_how_to_start(options: dict[str, t.Any]) -> None:
    with pytest.raises(StageOrder, match="without --start-at-task and --skip-tags"):
        with_outcomes(options, VARS)
