# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has been told of what, in a real database: the counters, the tellings, the last deliveries."""

from __future__ import annotations

import shutil
import tempfile
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import (
    count_failures,
    push_counters,
    remember_outcomes,
    setup_counters,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    RUN,
    SERVICE_EMAIL,
    SETUP,
    SLACK,
    Delivery,
    Key,
    Message,
    Notice,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_state import LONGEST_KIND, look, settle
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import Counters, Telling, Told
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import GO_FILE, state_at
from ansible_collections.fife.managed_tokens.tests.unit.plugins.telling_rules import (
    DUNE,
    NOVA,
    SETTINGS,
    Scene,
    expected,
    play,
    scenes_of_runs,
)

SERVICE, NODE, NEXT, OTHER = Key(SETUP, DUNE), Key(PUSH, DUNE, "n1"), Key(PUSH, DUNE, "n2"), Key(PUSH, NOVA, "n1")
WHOLE_RUN = Key(RUN, "token-push")
FAILURES = [
    outcome("store", "failed", credd="c1", started=100.0),
    outcome("push", "failed", node="n1", started=110.0),
    outcome("push", "failed", node="n2", started=115.0),
    outcome("push", "failed", node="n1", service=NOVA, config_service=NOVA, started=120.0),
]


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database that does not exist yet."""
    return state_at(tmp_path / "state.db")


@pytest.fixture
def go_state(tmp_path: Path) -> State:
    """Give the database in a copy of the Go service's file."""
    return state_at(Path(shutil.copy(GO_FILE, tmp_path / "managed-tokens.db")))


def fail(state: State, times: int = 1) -> None:
    """Have a set-up and three pairs fail in so many runs."""
    for number in range(times):
        with state.write() as db:
            count_failures(db, FAILURES)
            remember_outcomes(db, FAILURES, run=f"r{number}")


def decision(*keys: Key, count: int = 3, kind: str = "denied", since: float = 100.0, is_end: bool = False) -> Decision:
    """Give the decision to tell of these, or of their ends."""
    notices = tuple(Notice(key, "dune", kind, "no", count, since, is_end) for key in keys)
    cleared = {} if is_end else dict.fromkeys(keys, count)
    return Decision((Message("", ("a@x",), notices),), cleared=cleared)


def delivery(channel: str, *keys: Key, problem: str = "", started: float = 900.0) -> Delivery:
    return Delivery(channel, "dune" if channel == SERVICE_EMAIL else "", keys, started, 2.0, problem)


def counters(state: State) -> dict[Key, int]:
    """Give all counters that are not 0."""
    with state.read() as db:
        found = {Key(SETUP, name): count for name, count in setup_counters(db).items()}
        found |= {Key(PUSH, *pair): count for pair, count in push_counters(db).items()}
    return {key: count for key, count in found.items() if count}


def told(state: State) -> dict[str, dict[Key, tuple[float, str]]]:
    return {
        channel: {key: (telling.since, telling.kind) for key, telling in known.items()}
        for channel, known in look(state)[1].channels.items()
    }


def sent(state: State) -> dict[tuple[str, str, int], tuple[float, float]]:
    with state.read() as db:
        rows = db.execute(sa.select(schema().deliveries)).all()
    return {(row.channel, row.target, row.success): (row.sent, row.seconds) for row in rows}


# -- look -------------------------------------------------------------


def test_look_without_a_database_knows_no_counters() -> None:
    assert look(None) == (None, Told(), "")


def test_look_at_a_database_that_is_not_there_finds_all_at_zero_and_makes_none(state: State) -> None:
    assert look(state) == (Counters({}, {}, {}), Told({}), "")
    assert state.location.path is not None
    assert not state.location.path.exists()


def test_look_gives_counters_and_since_when(state: State) -> None:
    fail(state, 2)
    since = {("store", DUNE, "c1"): 100.0, ("push", DUNE, "n1"): 110.0, ("push", DUNE, "n2"): 115.0}
    since["push", NOVA, "n1"] = 120.0
    pairs = {(DUNE, "n1"): 2, (DUNE, "n2"): 2, (NOVA, "n1"): 2}
    assert look(state) == (Counters({DUNE: 2}, pairs, since), Told({}), "")
    with state.write() as db:
        remember_outcomes(db, [outcome("push", "ok", node="n1", started=200.0)], run="r9")
    found, _told, _trouble = look(state)
    assert found is not None
    assert ("push", DUNE, "n1") not in found.since


def test_look_at_a_database_of_the_go_service_gives_its_counters(go_state: State) -> None:
    found, before, trouble = look(go_state)
    assert found is not None
    assert any(found.setup.values())
    assert (before.channels, trouble) == ({}, "")


def test_look_at_something_else_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database " * 100)
    found, before, trouble = look(state_at(path))
    assert (found, before) == (None, Told())
    assert str(path) in trouble
    assert "\n" not in trouble


# -- settle -----------------------------------------------------------

ALL_AT_3 = dict.fromkeys((SERVICE, NODE, NEXT, OTHER), 3)
# Deliveries of troubles; the counters afterwards.
CLEARED: dict[str, tuple[list[Delivery], dict[Key, int]]] = {
    "nothing was sent": ([], ALL_AT_3),
    "not accepted": ([delivery(EMAIL, SERVICE, NODE, problem="down")], ALL_AT_3),
    "accepted": ([delivery(EMAIL, SERVICE, NODE, NEXT, OTHER)], {}),
    "some": ([delivery(SLACK, NODE)], {SERVICE: 3, NEXT: 3, OTHER: 3}),
    "by one of two": ([delivery(EMAIL, NODE, problem="down"), delivery(SLACK, NODE)], {SERVICE: 3, NEXT: 3, OTHER: 3}),
    "by all, once": (
        [delivery(channel, NODE) for channel in (EMAIL, SLACK, SERVICE_EMAIL)],
        {SERVICE: 3, NEXT: 3, OTHER: 3},
    ),
    "each channel its own": ([delivery(EMAIL, NODE), delivery(SERVICE_EMAIL, OTHER)], {SERVICE: 3, NEXT: 3}),
    "of the run itself": ([delivery(EMAIL, WHOLE_RUN)], ALL_AT_3),
    "of what nobody decided": ([delivery(EMAIL, Key(PUSH, "x", "y"))], ALL_AT_3),
}


@pytest.mark.parametrize("name", CLEARED)
def test_settle_begins_to_count_anew_what_a_channel_accepted(state: State, name: str) -> None:
    deliveries, left = CLEARED[name]
    fail(state, 3)
    assert settle(state, deliveries, decision(SERVICE, NODE, NEXT, OTHER, WHOLE_RUN), "r1", 1000.0) == ""
    assert counters(state) == left


@pytest.mark.parametrize(("amount", "left"), [(1, 4), (3, 2), (5, 0), (9, 0)])
def test_settle_leaves_what_another_run_has_counted_meanwhile(state: State, amount: int, left: int) -> None:
    fail(state, 5)
    settle(state, [delivery(EMAIL, SERVICE, NODE)], decision(SERVICE, NODE, count=amount), "r1", 1000.0)
    with state.read() as db:
        assert (setup_counters(db)[DUNE], push_counters(db)[DUNE, "n1"]) == (left, left)


def test_settle_of_names_that_look_like_numbers_or_were_never_counted(state: State) -> None:
    odd = outcome("push", "failed", node="0123")
    with state.write() as db:
        count_failures(db, [odd])
    assert settle(state, [delivery(EMAIL, Key(PUSH, DUNE, "0123"))], decision(Key(PUSH, DUNE, "0123")), "r", 1.0) == ""
    assert counters(state) == {}
    assert settle(state, [delivery(EMAIL, OTHER)], decision(OTHER), "r", 1.0) == ""
    assert OTHER in told(state)[EMAIL]


def test_settle_notes_for_each_channel_what_it_told_of(state: State) -> None:
    deliveries = [
        delivery(EMAIL, SERVICE, NODE, WHOLE_RUN),
        delivery(SLACK, NODE, problem="down"),
        delivery(SERVICE_EMAIL, NODE),
    ]
    settle(state, deliveries, decision(SERVICE, NODE, WHOLE_RUN), "r1", 1000.0)
    assert told(state) == {
        EMAIL: {SERVICE: (1000.0, "denied"), NODE: (1000.0, "denied")},
        SERVICE_EMAIL: {NODE: (1000.0, "denied")},
    }


def test_settle_reminder_keeps_when_it_was_told_first_and_a_new_trouble_does_not(state: State) -> None:
    settle(state, [delivery(EMAIL, NODE)], decision(NODE, since=900.0), "r1", 1000.0)
    settle(state, [delivery(EMAIL, NODE)], decision(NODE, since=900.0, kind="refused"), "r2", 2000.0)
    assert told(state)[EMAIL] == {NODE: (1000.0, "refused")}
    settle(state, [delivery(EMAIL, NODE)], decision(NODE, since=2500.0), "r3", 3000.0)
    assert told(state)[EMAIL] == {NODE: (3000.0, "denied")}


def test_settle_end_is_forgotten_by_the_channel_that_accepted_it(state: State) -> None:
    settle(state, [delivery(channel, SERVICE, NODE) for channel in (EMAIL, SLACK)], decision(SERVICE, NODE), "r1", 1.0)
    deliveries = [delivery(EMAIL, NODE), delivery(SLACK, NODE, problem="down")]
    settle(state, deliveries, decision(NODE, is_end=True), "r2", 2.0)
    assert {channel: set(known) for channel, known in told(state).items()} == {EMAIL: {SERVICE}, SLACK: {SERVICE, NODE}}


def test_settle_notes_the_last_delivery_of_each_sort(state: State) -> None:
    first = [
        delivery(EMAIL, SERVICE, NODE),
        delivery(SLACK, NODE, problem="down", started=800.0),
        delivery(SERVICE_EMAIL, NODE, Key(PUSH, DUNE, "n2"), OTHER),
    ]
    settle(state, first, decision(SERVICE, NODE, OTHER), "r1", 1000.0)
    assert sent(state) == {
        (EMAIL, "", 1): (902.0, 2.0),
        (SLACK, "", 0): (802.0, 2.0),
        (SERVICE_EMAIL, DUNE, 1): (902.0, 2.0),
        (SERVICE_EMAIL, NOVA, 1): (902.0, 2.0),
    }
    later = [delivery(EMAIL, NODE, started=1900.0), delivery(SERVICE_EMAIL, NODE, problem="down", started=1900.0)]
    settle(state, later, decision(NODE), "r2", 2000.0)
    assert sent(state)[EMAIL, "", 1] == (1902.0, 2.0)
    assert sent(state)[SERVICE_EMAIL, DUNE, 1] == (902.0, 2.0)
    assert sent(state)[SERVICE_EMAIL, DUNE, 0] == (1902.0, 2.0)


def test_settle_kind_is_one_short_line(state: State) -> None:
    settle(state, [delivery(EMAIL, NODE)], decision(NODE, kind="a\x00b\n" + "c" * 10_000), "r1", 1.0)
    (_since, kind) = told(state)[EMAIL][NODE]
    assert len(kind) <= LONGEST_KIND
    assert not {"\x00", "\n"} & set(kind)


def test_settle_thousands_at_once(state: State) -> None:
    pairs = [Key(PUSH, f"exp{number % 30}_role", f"n{number // 30}") for number in range(3000)]
    bad = [outcome("push", "failed", config_service=key.service, node=key.node) for key in pairs]
    with state.write() as db:
        count_failures(db, bad)
    deliveries = [delivery(channel, *pairs) for channel in (EMAIL, SLACK, SERVICE_EMAIL)]
    assert settle(state, deliveries, decision(*pairs, count=1), "r1", 1000.0) == ""
    assert counters(state) == {}
    assert {channel: len(known) for channel, known in told(state).items()} == dict.fromkeys(
        (EMAIL, SLACK, SERVICE_EMAIL), 3000
    )


def test_settle_in_something_else_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"no database " * 100)
    trouble = settle(state_at(path), [delivery(EMAIL, NODE)], decision(NODE), "r1", 1.0)
    assert str(path) in trouble
    assert "may be told again" in trouble
    assert path.read_bytes() == b"no database " * 100


def test_settle_in_a_database_that_somebody_else_writes_is_undone_as_a_whole(tmp_path: Path) -> None:
    state = state_at(tmp_path / "state.db", timeout=0.05)
    fail(state, 3)
    with state.write():
        trouble = settle(state, [delivery(EMAIL, SERVICE, NODE)], decision(SERVICE, NODE), "r1", 1.0)
    assert "locked" in trouble
    assert counters(state) == ALL_AT_3
    assert (told(state), sent(state)) == ({}, {})


def test_settle_beside_the_go_service_lowers_its_counters(go_state: State) -> None:
    found, _told, _trouble = look(go_state)
    assert found is not None
    name = next(name for name, count in sorted(found.setup.items()) if count)
    settle(go_state, [delivery(EMAIL, Key(SETUP, name))], decision(Key(SETUP, name), count=found.setup[name]), "r", 1.0)
    after, before, _trouble = look(go_state)
    assert after is not None
    assert (after.setup[name], dict(before.by(EMAIL))) == (0, {Key(SETUP, name): Telling(1.0, "denied")})
    assert {other: count for other, count in after.setup.items() if other != name} == {
        other: count for other, count in found.setup.items() if other != name
    }


# -- any sequence of runs ---------------------------------------------


class Database:
    """Remember in a state database, as a run and its report do."""

    def __init__(self, state: State) -> None:
        self.state = state

    def count(self, outcomes: t.Sequence[Outcome], run: str) -> None:
        with self.state.write() as db:
            count_failures(db, outcomes)
            remember_outcomes(db, outcomes, run=run)

    def look(self) -> tuple[Counters | None, Told]:
        found, before, trouble = look(self.state)
        assert trouble == ""
        return found, before

    def settle(self, deliveries: t.Sequence[Delivery], decided: Decision, run: str, now: float) -> None:
        assert settle(self.state, deliveries, decided, run, now) == ""


@settings(max_examples=15)
@given(scenes_of_runs(8), st.integers(1, 3))
def test_settle_any_runs_tell_what_the_rules_say(scenes: list[Scene], threshold: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        memory = Database(state_at(Path(directory, "state.db")))
        given_to = [told for _decision, told in play(memory, scenes, replace(SETTINGS, threshold=threshold))]
    assert given_to == list(expected(scenes, threshold))
