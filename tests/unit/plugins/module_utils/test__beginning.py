# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left to other runs, and what an operator hears of it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._beginning import (
    MOST_NAMES,
    describe,
    leave_to_others,
    left_behind,
    remarks,
    without_held,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._holder import Holder
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import Beginning, UidBook
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import Hold, RunRow
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import KnownUid
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service

NOW = 1_800_000_000.0
RUN = RunRow("abc", "token-push", NOW - 240, NOW + 660, Holder("control.lab.example", "m", 7, 1))
OTHER = RunRow("def", "token-push", NOW - 7200, NOW, Holder("pod.lab.example", "m"))
NODES = tuple(node(f"n{number}") for number in (1, 2, 3))
DUNE = service(nodes=NODES)


def held(*nodes: str, run: RunRow = RUN, of: str = "dune_production") -> Hold:
    """Give a hold of another run."""
    return Hold(of, frozenset(nodes), run)


NOT_HELD: dict[str, list[Hold]] = {
    "nothing": [],
    "another service": [held("n1", "n2", "n3", of="nova_production")],
    "another node": [held("n9")],
    "no node": [held()],
}


@pytest.mark.parametrize("name", sorted(NOT_HELD))
def test_leave_to_others_service_that_nobody_holds_is_as_it_was(name: str) -> None:
    assert leave_to_others([DUNE], NOT_HELD[name], now=NOW) == ([DUNE], [])
    assert without_held(DUNE, NOT_HELD[name]) == (DUNE, [])


# The holds, which nodes are left, and the message.
HELD: tuple[tuple[list[Hold], list[str], str], ...] = (
    (
        [held("n1", "n9")],
        ["n2", "n3"],
        (
            "dune_production: 1 of its 3 nodes are being served by run abc "
            "(token-push, PID 7 on control.lab.example, begun 4 min ago), and left to it."
        ),
    ),
    (
        [held("n1", run=OTHER), held("n3")],
        ["n2"],
        (
            "dune_production: 2 of its 3 nodes are being served by run def "
            "(token-push, pod.lab.example, begun 2 h ago), and left to it."
        ),
    ),
    (
        [held("n1", "n2", "n3")],
        [],
        (
            "dune_production: all its 3 nodes are being served by run abc "
            "(token-push, PID 7 on control.lab.example, begun 4 min ago), and left to it."
        ),
    ),
)


@pytest.mark.parametrize(("holds", "left", "message"), HELD)
def test_leave_to_others_takes_out_the_nodes_that_they_serve(holds: list[Hold], left: list[str], message: str) -> None:
    nova = service("nova_production", nodes=NODES)
    (dune, other), (outcome,) = leave_to_others([DUNE, nova], holds, now=NOW)
    assert other == nova
    assert [item.name for item in dune.nodes] == left
    assert (outcome.stage, outcome.status, outcome.kind) == ("setup", "skipped", "service_held")
    assert (outcome.config_service, outcome.message) == ("dune_production", message)
    assert not outcome.is_failure
    if left:
        assert dune.problem is None
    else:
        assert dune.problem is not None
        assert (dune.problem.stage, dune.problem.kind, dune.problem.message) == ("setup", "service_held", message)


def test_describe_a_run_of_a_clock_that_is_ahead() -> None:
    assert describe(RUN, RUN.started - 30) == "run abc (token-push, PID 7 on control.lab.example, begun 0 s ago)"


SETS = st.frozensets(st.sampled_from([item.name for item in NODES] + ["n9"]))


@given(st.lists(SETS, max_size=4))
def test_without_held_parts_the_nodes(sets: list[frozenset[str]]) -> None:
    holds = [held(*names) for names in sets]
    free, against = without_held(DUNE, holds)
    taken = frozenset[str]().union(*sets)
    assert [item.name for item in free.nodes] == [item.name for item in NODES if item.name not in taken]
    assert len(against) == sum(bool(names - {"n9"}) for names in sets)


# -- remarks ---------------------------------------------------------


def said(
    book: UidBook | None = None, beginning: Beginning | None = None, accounts: t.Iterable[str] = ("dunepro",)
) -> list[str]:
    """Give the remarks at the beginning of a run that looks up these accounts; UIDs are old after a week."""
    services = [service(f"x{number}_production", account=name) for number, name in enumerate(accounts)]
    return remarks(book or UidBook(), beginning or Beginning(), services, uid_max_age=7 * 86400.0, now=NOW)


def aged(name: str, days: float, noted: float = 0.0) -> KnownUid:
    """Give an account's UID that was confirmed so many days ago."""
    return KnownUid(name, 1, confirmed=NOW - days * 86400, noted=noted)


MEANWHILE = "Nothing keeps another run from doing the same work meanwhile."


def test_remarks_when_all_is_well_are_none() -> None:
    assert said(UidBook({"dunepro": aged("dunepro", 1)})) == []


def test_remarks_on_a_database_in_trouble_are_one() -> None:
    book, beginning = UidBook(trouble="It is down."), Beginning(trouble="It is full.")
    assert said(book) == said(book, beginning) == [f"It is down. {MEANWHILE}"]
    assert said(None, beginning) == [f"It is full. {MEANWHILE}"]


@pytest.mark.parametrize("trouble", ["", "It is down."])
def test_remarks_on_uids_that_are_not_the_databases_own_do_not_tell_their_age(trouble: str) -> None:
    book = UidBook({"dunepro": aged("dunepro", 100)}, trouble, "They are the last known ones.")
    assert said(book) == [*([f"It is down. {MEANWHILE}"] if trouble else []), "They are the last known ones."]


def test_remarks_name_each_run_that_never_ended() -> None:
    one, two = said(None, Beginning(lost=(RUN, OTHER)))
    assert one.startswith("The run abc (token-push, PID 7 on control.lab.example), begun ")
    assert two.startswith("The run def (token-push, pod.lab.example), begun ")
    assert one.endswith(" never ended: it was killed, or its machine went down. What it held is free again.")


def test_remarks_say_how_far_a_run_had_come_that_never_ended() -> None:
    (one,) = said(None, Beginning(lost=(replace(RUN, left="it had come to the stage store, with 2 results"),)))
    assert one.endswith(" is free again. As far as is known, it had come to the stage store, with 2 results.")


# What is known of two accounts, and of whom it is said that nobody has confirmed them.
AGES: tuple[tuple[dict[str, KnownUid], str], ...] = (
    ({}, ""),
    ({"dunepro": aged("dunepro", 7)}, ""),
    ({"dunepro": aged("dunepro", 7.01)}, "dunepro (7 d)"),
    ({"dunepro": aged("dunepro", 20, noted=NOW)}, ""),
    ({"dunepro": KnownUid("dunepro", 1)}, ""),
    ({"dunepro": KnownUid("dunepro", 1, noted=NOW - 8 * 86400)}, "dunepro (8 d)"),
    ({"dunepro": aged("dunepro", 9), "novapro": aged("novapro", 12)}, "novapro (12 d), dunepro (9 d)"),
    ({"novapro": aged("novapro", 9), "dunepro": aged("dunepro", 9)}, "dunepro (9 d), novapro (9 d)"),
    ({"stranger": aged("stranger", 90)}, ""),
)


@pytest.mark.parametrize(("known", "listed"), AGES)
def test_remarks_on_uids_that_nobody_confirmed(known: dict[str, KnownUid], listed: str) -> None:
    expected = (
        f"Nobody has confirmed the UIDs of these accounts for longer than 7 d: {listed}. "
        "Run the playbook refresh_uids; a UID that is wrong puts the token into the wrong file."
    )
    assert said(UidBook(known), accounts=("dunepro", "novapro")) == ([expected] if listed else [])


def test_remarks_on_many_old_uids_are_cut_with_a_count() -> None:
    names = [f"account{number}" for number in range(MOST_NAMES + 3)]
    (remark,) = said(UidBook({name: aged(name, 10) for name in names}), accounts=names)
    assert f"account{MOST_NAMES - 1} (10 d) and 3 more. Run" in remark
    assert remark.count("(10 d)") == MOST_NAMES


def test_left_behind_names_services_nodes_and_the_command_once() -> None:
    assert left_behind(Beginning()) == []
    (text,) = left_behind(Beginning(strays={"nova_production": ("n2",), "dune_production": ("n2", "n1")}))
    assert text.startswith("dune_production, nova_production left tokens on n1, n2, no longer configured there")
    assert "fife.managed_tokens.offboarding -e managed_tokens_node=n1,n2 (docs/offboarding.md)" in text


def test_left_behind_of_many_is_one_short_sentence() -> None:
    many = {f"s{number}": tuple(f"n{number}{other}" for other in range(9)) for number in range(9)}
    (text,) = left_behind(Beginning(strays=many))
    assert "and 4 more services left tokens on" in text
    assert "and 76 more nodes" in text
    assert len(text) < 400
