# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No two accounts ever get one UID, and nobody loses a UID because of another's answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._uid_plan import UidPlan, decide

CONFIGURED = ("a", "b", "c", "d")
# What is answered, what is stored, and of the plan: what is confirmed, who is refused, who is removed.
CASES: tuple[tuple[str, dict[str, int], dict[str, int], dict[str, int], set[str], tuple[str, ...]], ...] = (
    ("nothing", {}, {}, {}, set(), ()),
    ("new", {"a": 1}, {}, {"a": 1}, set(), ()),
    ("unchanged", {"a": 1}, {"a": 1}, {"a": 1}, set(), ()),
    ("changed", {"a": 2}, {"a": 1}, {"a": 2}, set(), ()),
    ("said twice", {"a": 1, "b": 1, "c": 2}, {"a": 1}, {"c": 2}, {"a", "b"}, ()),
    ("taken by one that was not asked", {"a": 1}, {"b": 1}, {}, {"a"}, ()),
    ("taken by one that confirms it", {"a": 1, "b": 1}, {"b": 1}, {}, {"a", "b"}, ()),
    ("swap", {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, set(), ()),
    ("circle", {"a": 2, "b": 3, "c": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 3, "c": 1}, set(), ()),
    ("chain into the free", {"a": 2, "b": 9}, {"a": 1, "b": 2}, {"a": 2, "b": 9}, set(), ()),
    ("chain into the taken", {"a": 2, "b": 3}, {"a": 1, "b": 2, "c": 3}, {}, {"a", "b"}, ()),
    ("chain behind one said twice", {"a": 2, "b": 7, "d": 7}, {"a": 1, "b": 2}, {}, {"a", "b", "d"}, ()),
    ("superseded", {"a": 8}, {"a": 1, "gone": 8}, {"a": 8}, set(), ("gone",)),
    ("not superseded by one that is refused", {"a": 8, "b": 8}, {"gone": 8}, {}, {"a", "b"}, ()),
    ("gone and in nobody's way", {"a": 1}, {"gone": 8}, {"a": 1}, set(), ()),
)


@pytest.mark.parametrize(
    ("answers", "stored", "confirmed", "refused", "removed"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_decide_of_cases(
    answers: dict[str, int],
    stored: dict[str, int],
    confirmed: dict[str, int],
    refused: set[str],
    removed: tuple[str, ...],
) -> None:
    plan = decide(answers, stored, CONFIGURED)
    assert (plan.confirmed, set(plan.conflicts), plan.removed) == (confirmed, refused, removed)


def test_decide_tells_new_from_changed_and_what_is_stored_afterwards() -> None:
    plan = decide({"a": 2, "b": 5, "c": 6}, {"a": 1, "c": 6, "gone": 5, "d": 7}, CONFIGURED)
    assert plan == UidPlan(
        confirmed={"a": 2, "b": 5, "c": 6},
        new=("b",),
        changed={"a": 1},
        removed=("gone",),
        conflicts={},
        warnings=(
            (
                "The UID 5 is that of account b now; account gone, which had it and is not configured any more, "
                "is forgotten (superseded)."
            ),
        ),
        after={"a": 2, "b": 5, "c": 6, "d": 7},
    )
    assert plan.will_change
    assert not decide({"a": 1}, {"a": 1}, CONFIGURED).will_change


def test_decide_conflicts_name_the_other_account() -> None:
    assert decide({"a": 1}, {"b": 1}, CONFIGURED).conflicts == {
        "a": "the registry gives it the UID 1, which is that of account b, and that one has not got another"
    }
    assert decide({"a": 1, "b": 1}, {}, CONFIGURED).conflicts["b"] == (
        "the registry gives the UID 1 to more than one account: a, b"
    )


NAMES = st.sampled_from("abcdefgh")
ANSWERS = st.dictionaries(NAMES, st.integers(1, 8))
# By UID, so that each has one holder.
STORED = st.dictionaries(st.integers(1, 8), NAMES)


@given(ANSWERS, STORED, st.sets(NAMES))
def test_decide_whatever_is_answered_uids_stay_unique_and_configured_accounts_stay(
    answers: dict[str, int], by_uid: dict[int, str], others: set[str]
) -> None:
    stored = {name: uid for uid, name in by_uid.items()}
    configured = answers.keys() | others
    plan = decide(answers, stored, configured)
    # Unique, and nothing but answers and what was stored.
    assert len(set(plan.after.values())) == len(plan.after)
    assert plan.confirmed.items() <= answers.items()
    assert plan.after == {n: u for n, u in stored.items() if n not in plan.removed} | dict(plan.confirmed)
    # Every answer is either taken or refused; who is refused or was not asked keeps the row.
    assert plan.confirmed.keys() | plan.conflicts.keys() == answers.keys()
    assert not plan.confirmed.keys() & plan.conflicts.keys()
    for name in configured - plan.confirmed.keys():
        assert plan.after.get(name) == stored.get(name)
    # Rows are removed only for somebody else.
    assert not set(plan.removed) & configured
    assert {stored[name] for name in plan.removed} <= set(plan.confirmed.values())
    assert plan.will_change == (plan.after != stored)


@given(ANSWERS, STORED, st.sets(NAMES))
def test_decide_again_changes_nothing(answers: dict[str, int], by_uid: dict[int, str], others: set[str]) -> None:
    configured = answers.keys() | others
    plan = decide(answers, {name: uid for uid, name in by_uid.items()}, configured)
    again = decide(plan.confirmed, plan.after, configured)
    assert not again.will_change
    assert again.conflicts == {}


@given(ANSWERS, STORED)
def test_decide_answers_that_everybody_can_have_are_all_taken(answers: dict[str, int], by_uid: dict[int, str]) -> None:
    """Whoever has a UID was asked, and nobody gets another's: nothing can be in the way."""
    stored = {name: uid for uid, name in by_uid.items() if name in answers}
    distinct = {name: 100 * (1 + "abcdefgh".index(name)) + uid for name, uid in answers.items()}
    assert decide(distinct, stored, answers.keys()).confirmed == distinct
