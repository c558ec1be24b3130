# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on an onboarding says of each service what has become of it."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._onboarding_verdict import of_onboarding
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STAGES, STATUSES, Outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

SET_UP = (outcome("setup", "ok"), outcome("tickets", "ok"), outcome("check", "ok"))
STORED = (outcome("store", "changed", credd="c1"), outcome("store", "ok", credd="c2"))
LOGGED_IN = outcome("login", "changed")
DENIED = outcome("login", "failed", kind="login_denied", message="dune_production: the login was refused: no")
SHUT = outcome("check", "skipped", node="n1", kind="account_refused", message="n1 does not let dunepro in")

CASES: tuple[tuple[tuple[Outcome, ...], bool, str], ...] = (
    ((*SET_UP, LOGGED_IN, *STORED), True, "is onboarded now, with its token on c1, c2"),
    ((*SET_UP, *STORED), True, "was onboarded already, with its token on c1, c2"),
    ((*SET_UP, SHUT, *STORED), True, "was onboarded already, with its token on c1, c2; it could not use n1"),
    ((*SET_UP, DENIED), False, "is NOT onboarded"),
    ((*SET_UP, LOGGED_IN, STORED[0], outcome("store", "failed", credd="c2")), False, "has its token only on c1"),
    ((*SET_UP, *STORED, outcome("push", "changed", node="n1")), True, "1 of 1 nodes have the token"),
    ((*SET_UP, *STORED, outcome("push", "failed", node="n1", message="full")), False, "0 of 1 nodes have the token"),
    ((outcome("setup", "skipped", kind="service_held", message="held by run x"),), False, "is NOT onboarded"),
    ((outcome("setup", "failed", kind="uid_unknown", message="no UID"),), False, "is NOT onboarded"),
    ((*SET_UP, *STORED, outcome("ping", "failed", service="", config_service="", node="n1")), True, "onboarded"),
)


@pytest.mark.parametrize(("outcomes", "is_well", "words"), CASES)
def test_of_onboarding_table(outcomes: tuple[Outcome, ...], is_well: bool, words: str) -> None:
    found = of_onboarding(outcomes)
    assert found.verdict.failed is not is_well
    assert words in " ".join(" ".join(found.lines).split())


def test_of_onboarding_failure_says_what_to_do() -> None:
    found = of_onboarding((*SET_UP, DENIED))
    assert found.verdict.msg.startswith("0 of 1 services onboarded. dune_production: the login was refused: no. Run")


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ((*SET_UP, outcome("store", "changed")), "would be onboarded"),
        ((*SET_UP, *STORED[1:]), "is onboarded"),
        ((outcome("tickets", "failed", kind="keytab_missing", message="none"),), "cannot be onboarded"),
    ],
)
def test_of_onboarding_check_mode_says_what_would_be(outcomes: tuple[Outcome, ...], words: str) -> None:
    found = of_onboarding(outcomes, check_mode=True)
    assert words in found.lines[0]
    assert "could be onboarded" in found.verdict.msg


OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(STAGES),
    st.sampled_from(STATUSES),
    config_service=st.sampled_from(("dune_a", "nova_b", "")),
    node=st.sampled_from(("", "n1")),
    credd=st.sampled_from(("", "c1")),
    kind=st.sampled_from(("", "login_denied", "service_held")),
    message=st.text(max_size=20),
)


@given(st.lists(OUTCOMES, max_size=12))
def test_of_onboarding_any_outcomes_have_a_verdict(outcomes: list[t.Any]) -> None:
    found = of_onboarding(outcomes)
    named = {item.config_service for item in outcomes} - {""}
    assert all(any(line.startswith(f"{name}: ") for line in found.lines) for name in named)
    hurt = any(item.is_failure and item.stage != "ping" for item in outcomes)
    assert not (hurt and not found.verdict.failed)
