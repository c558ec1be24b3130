# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Until when the tokens last that are in place: from the database and the run, and never a guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, begin, remember_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, RUN, SETUP, InPlace, Key
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._tokens_in_place import look
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import node, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import BEGAN, at, collected
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at

DUNE = "dune_production"
NODES = ("n1", "n2", "n3")
GOOD = (
    at("store", "changed", credd="c1", life=1000.0),
    at("push", "changed", node="n1", life=900.0),
    at("push", "ok", node="n2"),
)
ENDED = BEGAN + 1.75


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Give a database in which dune_production has three nodes: one well, one without a known end, one never served."""
    found = state_at(tmp_path / "state.db")
    owner = service(DUNE, nodes=tuple(node(name) for name in NODES))
    begin(found, run("r1"), [owner], [owner], program="token-push", owner=None, forget_after=1e6, take_over=False)
    remember(found, "r1", *GOOD)
    return found


def run(name: str) -> Run:
    return Run(name, BEGAN, BEGAN + 900)


def remember(state: State, name: str, *outcomes: Outcome) -> None:
    remember_run(state, run(name), outcomes, program="token-push", owner=None, message="")


def later(*outcomes: Outcome) -> list[Outcome]:
    """Give outcomes of an hour later."""
    return [replace(item, started=item.started + 3600) for item in outcomes]


KEYS: tuple[tuple[Key, InPlace | None], ...] = (
    (Key(PUSH, DUNE, "n1"), InPlace(1, until=ENDED + 900)),
    (Key(PUSH, DUNE, "n2"), InPlace(1, unknown=1)),
    (Key(PUSH, DUNE, "n3"), InPlace(1, never=1)),
    (Key(PUSH, DUNE, "no such node"), InPlace(1, unknown=1)),
    (Key(SETUP, DUNE), InPlace(4, never=1, unknown=1, until=ENDED + 900)),
    (Key(SETUP, "no such service"), InPlace()),
    (Key(RUN, "token-push"), InPlace(4, never=1, unknown=1, until=ENDED + 900)),
)


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_of_a_trouble_is_what_its_places_have(state: State, key: Key, found: InPlace | None) -> None:
    assert look(state, collected([]), now=ENDED).of(key) == found


def test_of_a_run_that_puts_no_token_in_place_is_nothing(state: State) -> None:
    assert look(state, collected([], program=REFRESH_UIDS), now=ENDED).of(Key(RUN, REFRESH_UIDS)) is None


def test_a_failed_push_leaves_the_token_that_was_there(state: State) -> None:
    failed = later(at("push", "failed", node="n1", kind="node_unreachable", message="no answer"))
    remember(state, "r2", *failed)
    assert look(state, collected(failed), now=ENDED + 3600).of(Key(PUSH, DUNE, "n1")) == InPlace(1, until=ENDED + 900)


def test_what_a_failed_store_found_out_of_the_kept_token_is_newer_than_the_database(state: State) -> None:
    failed = at("store", "failed", credd="c1", kind="credd_unavailable", life=50.0)
    found = look(state, collected([failed]), now=ENDED).of(Key(SETUP, DUNE))
    assert found == InPlace(4, never=1, unknown=1, until=ENDED + 50)


LIVES: tuple[tuple[Outcome, InPlace], ...] = (
    (at("store", "changed", credd="c1", life=50.0), InPlace(1, until=ENDED + 50)),
    # What a failed store has found out of the token that was kept before.
    (at("store", "failed", credd="c1", life=50.0), InPlace(1, until=ENDED + 50)),
    (at("store", "failed", credd="c1"), InPlace(1, unknown=1)),
    (at("push", "failed", node="n1"), InPlace(1, unknown=1)),
    (at("ping", "failed", node="n1"), InPlace()),
)


@pytest.mark.parametrize(("outcome", "found"), LIVES)
def test_without_a_database_what_the_run_said_is_known(outcome: Outcome, found: InPlace) -> None:
    assert look(None, collected([outcome]), now=ENDED).of(Key(SETUP, DUNE)) == found


def test_a_database_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database, but something that is long enough to be taken for one" * 20)
    assert look(state_at(tmp_path / "state.db"), collected([]), now=ENDED).of(Key(RUN, "token-push")) == InPlace()
