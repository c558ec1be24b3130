# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on an offboarding: what is gone, and what is not, by name."""

from __future__ import annotations

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._removal_verdict import REMEMBERED, of_removal
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

GONE = (
    outcome("setup", "ok"),
    outcome("node_removal", "changed", node="n1"),
    outcome("node_removal", "ok", node="n2"),
    outcome("credd_removal", "changed", credd="c1"),
    outcome("kept_removal", "changed", message="1 in /srv/tokens"),
    outcome("state_removal", "changed"),
)
DEAD = outcome("node_removal", "failed", node="n3", kind="node_unreachable", message="dune_production on n3: silent")


def test_of_removal_lists_everything_by_service() -> None:
    found = of_removal(GONE)
    assert (found.verdict.msg, found.verdict.failed) == ("1 of 1 services gone.", False)
    assert found.lines == (
        "dune_production",
        "  nodes        removed: n1",
        "               nothing there: n2",
        "  credds       removed: c1",
        "  kept tokens  removed (1 in /srv/tokens)",
        "  state        removed",
    )


def test_of_removal_in_check_mode_says_what_would_be() -> None:
    found = of_removal(GONE, check_mode=True)
    assert found.verdict.msg == "1 of 1 services would be gone."
    assert "  credds       would be removed: c1" in found.lines


def test_of_removal_with_nothing_left_says_so() -> None:
    assert of_removal([outcome("credd_removal", "ok", credd="c1")]).verdict.msg == (
        "1 of 1 services gone: nothing was left of it."
    )


def test_of_removal_names_what_is_left_with_advice_and_says_whether_it_is_remembered() -> None:
    found = of_removal([*GONE[:-1], DEAD, outcome("state_removal", "changed", message=REMEMBERED)])
    assert found.verdict.failed
    assert found.verdict.msg.startswith(
        "0 of 1 services gone. dune_production on n3: silent. Check that the node is up"
    )
    assert found.verdict.msg.endswith("What is left is remembered: run it again when that is mended.")
    assert "               NOT REMOVED: n3" in found.lines
    given_up = of_removal([*GONE, DEAD]).verdict
    assert given_up.failed
    assert "remembered" not in given_up.msg


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_of_removal_fails_for_whatever_was_not_done(status: str) -> None:
    bad = outcome("credd_removal", status, credd="c2", kind="not_attempted", message="dune_production on c2: no")
    other = outcome("state_removal", "changed", service="a_b", config_service="a_b")
    found = of_removal([*GONE, bad, other]).verdict
    assert found.failed
    assert found.msg.startswith("1 of 2 services gone. dune_production on c2: no.")


def test_of_removal_fails_for_what_belongs_to_no_service() -> None:
    state = outcome("state", "failed", service="", config_service="", kind="state_unavailable", message="locked")
    assert of_removal([*GONE, state]).verdict.failed


def test_of_removal_names_a_few_in_the_sentence_and_all_in_the_lines() -> None:
    many = [
        outcome("node_removal", "failed", node=f"n{number}", kind="node_unreachable", message=f"n{number} is silent")
        for number in range(9)
    ]
    found = of_removal(many)
    assert "n4 is silent. And 4 more. Check that" in found.verdict.msg
    assert "n8" in " ".join(found.lines)


def test_of_removal_lines_fit_a_terminal_of_80_columns() -> None:
    many = [outcome("node_removal", "changed", node=f"dunegpvm{number:02}.example.org") for number in range(40)]
    assert max(len(line) for line in of_removal(many).lines) <= 76


@pytest.mark.parametrize(
    ("check_mode", "expected"),
    [(False, "1 of 1 services taken off n1."), (True, "1 of 1 services would be taken off n1.")],
)
def test_of_removal_of_a_node_says_that_the_service_goes_on(check_mode: bool, expected: str) -> None:
    found = of_removal([GONE[1], GONE[-1]], check_mode=check_mode, nodes=["n1"])
    assert found.verdict.msg == expected
    assert [line.split()[0] for line in found.lines] == ["dune_production", "nodes", "state"]
