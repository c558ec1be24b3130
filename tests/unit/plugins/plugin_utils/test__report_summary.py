# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator sees at the end, in 80 columns."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Refusal
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    SERVICE_EMAIL,
    Delivery,
    Key,
    Untold,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_summary import (
    MOST_SERVICES,
    deliveries_in_words,
    table,
)

DUNE = "dune_production"


def outcome(stage: str, status: str = "ok", service: str = DUNE, **more: t.Any) -> Outcome:
    return Outcome(stage, status, service, service, started=1.0, **more)


def run(*outcomes: Outcome, **more: t.Any) -> Collected:
    return Collected(run="abc", started=1.0, ended=13.0, outcomes=list(outcomes), **more)


WELL = (
    outcome("tickets"),
    outcome("store", credd="c1", life=604000.0),
    outcome("store", credd="c2", life=90000.0),
    outcome("push", "changed", node="n1"),
)
REFUSED = outcome("push", "failed", node="n1", kind="account_refused", message=f"{DUNE} on n1: not let in")


def test_table_shows_a_service_with_its_stages_and_the_shortest_life() -> None:
    lines = table(run(*WELL), (), now=13.0)
    assert lines[1] == "Managed tokens: token-push, run abc, 12 s"
    assert lines[-1].split() == [DUNE, "ok", "2/2", "1/1", "25", "h"]


def test_table_of_an_offboarding_counts_what_is_gone() -> None:
    gone = (outcome("tickets"), outcome("node_removal", node="n1"), outcome("credd_removal", "failed", credd="c1"))
    row = next(line for line in table(run(*gone), (), now=13.0) if line.strip().startswith(DUNE))
    assert row.split() == [DUNE, "ok", "0/1", "1/1", "FAILED"]


def test_table_marks_what_failed_and_says_what_to_do_and_who() -> None:
    text = "\n".join(table(run(*WELL[:3], REFUSED), ("dune by mail: 1 trouble",), now=13.0))
    assert f"{DUNE}  ok           2/2      0/1  25 h     FAILED" in text
    assert f"{DUNE} on n1: not let in" in text
    assert KINDS["account_refused"].who in text
    assert text.endswith("Told\n  dune by mail: 1 trouble")


def test_table_names_the_service_of_a_message_that_does_not() -> None:
    text = "\n".join(table(run(outcome("tickets", "failed", kind="kerberos_refused", message="no")), (), now=13.0))
    assert f"\n  {DUNE}: no\n" in text


def test_table_of_many_services_shows_those_with_trouble_only() -> None:
    many = [outcome("push", service=f"exp{number:03d}_production", node="n1") for number in range(MOST_SERVICES + 5)]
    lines = table(run(*many, REFUSED), (), now=13.0)
    assert any(DUNE in line for line in lines)
    assert not any("exp001" in line for line in lines)
    assert "  30 of 31 services are well" in lines


def test_table_of_a_refresh_counts_accounts() -> None:
    found = [
        Outcome("registry", "changed", account="a"),
        Outcome("registry", "failed", account="b", kind="uid_invalid"),
    ]
    assert "  1 of 2 accounts have a good UID, 1 of them new or changed" in table(run(*found), (), now=1.0)


def test_table_of_a_run_that_could_not_begin_says_why() -> None:
    text = "\n".join(table(run(refusals=[Refusal("Check", "bad_input", "no such key")]), (), now=1.0))
    assert "no such key" in text
    assert KINDS["bad_input"].advice.split()[0] in text


def test_table_of_check_mode_says_would() -> None:
    lines = table(run(*WELL, check_mode=True), ("x",), now=1.0)
    assert lines[1].endswith(", check mode")
    assert "Would be told" in lines


@given(st.lists(st.text(max_size=200), min_size=1, max_size=30))
def test_table_fits_into_80_columns_when_words_do(texts: list[str]) -> None:
    found = [outcome("push", "failed", node="n", kind="failed", message=" ".join(text.split())) for text in texts]
    for line in table(run(*found), (), now=1.0):
        assert len(line) <= 80 or len(line.split()) <= 2


@pytest.mark.parametrize(
    ("untold", "last"),
    [
        (Untold(), "dune by mail: 1 trouble"),
        (Untold(below_threshold=2), "2 troubles held back: not yet 3 runs in a row"),
        (Untold(2, reminder_not_due=1), "1 trouble told of before: the next reminder is not due yet"),
        (Untold(notify_off=4), "4 troubles told to nobody: managed_tokens_notify is off"),
    ],
)
def test_deliveries_in_words(untold: Untold, last: str) -> None:
    key = Key(PUSH, DUNE, "n1")
    accepted = [Delivery(EMAIL, "", (key, key), 1.0, 0.1), Delivery(SERVICE_EMAIL, "dune", (key,), 1.0, 0.1)]
    refused = Delivery(SERVICE_EMAIL, "nova", (key,), 1.0, 0.1, problem="down")
    words = deliveries_in_words([*accepted, refused], untold, 3)
    assert words[:2] == ["nova by mail: NOT told of 1 trouble", "administrators by mail: 2 troubles"]
    assert words[-1] == last
    assert len(words) == 3 + sum(map(bool, (untold.below_threshold, untold.reminder_not_due, untold.notify_off)))


def test_deliveries_in_words_of_a_test_say_that_it_was_not_the_administrators() -> None:
    told = [Delivery(EMAIL, "", (Key(PUSH, DUNE, "n1"),), 1.0, 0.1)]
    assert deliveries_in_words(told, Untold(), 3, is_test=True) == ["test addresses by mail: 1 trouble"]


@pytest.mark.parametrize(
    ("problem", "words"),
    [("", "administrators by mail: a test message"), ("down", "administrators by mail: did NOT take a test message")],
)
def test_deliveries_in_words_of_a_test_message(problem: str, words: str) -> None:
    assert deliveries_in_words([Delivery(EMAIL, "", (), 1.0, 0.1, problem)], Untold(), 3) == [words]


def test_deliveries_in_words_of_many_are_cut_with_a_count() -> None:
    many = [Delivery(SERVICE_EMAIL, f"exp{number:02d}", (Key(PUSH, DUNE, "n1"),), 1.0, 0.1) for number in range(40)]
    words = deliveries_in_words(many, Untold(), 3)
    assert (len(words), words[-1]) == (13, "and 28 more")
