# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every (service, node) pair of a run is served or has an outcome that says why not; no node holds up another."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import typing as t
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils import _delivery as delivery
from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
from ansible_collections.fife.managed_tokens.plugins.module_utils._delivery import Found, Step, Wanted
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    AccountRefused,
    ConnectionBroken,
    DestinationUnwritable,
    NodeUnreachable,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pushed
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair, contents_for
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import TOKEN, node, service

SILENCE = NodeUnreachable("no answer.")
BROKEN = ConnectionBroken("broken.")
REFUSED = AccountRefused("refused.")


class FakeSocket:
    """Count that every socket is closed."""

    def __init__(self, world: FakeWorld, there: Node) -> None:
        self.world, self.there = world, there
        world.sockets.add(self)

    def close(self) -> None:
        self.world.sockets.discard(self)


class FakeWorld:
    """Stand for all nodes: each connection and each login may fail as scripted, or hang."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sockets: set[FakeSocket] = set()
        self.most_sockets = 0
        self.on_connect: dict[str, t.Iterator[TokensError | None]] = {}
        self.on_login: dict[str, t.Iterator[TokensError | None]] = {}
        self.hanging: set[str] = set()
        self.connects: Counter[str] = Counter()
        self.limits: dict[str, float] = {}
        self.logins: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.applied: list[tuple[str, str, Step]] = []
        self.unwritable: set[str] = set()
        self.stands_there: dict[str, bytes] = {}
        monkeypatch.setattr(push, "open_socket", self.open_socket)
        monkeypatch.setattr(push, "session", self.session)
        monkeypatch.setattr(delivery, "look", self.look)
        monkeypatch.setattr(delivery, "apply", self.apply)

    async def open_socket(self, there: Node, limit: float, _names: object) -> FakeSocket:
        self.connects[there.name] += 1
        self.limits[there.name] = limit
        await asyncio.sleep(0)
        error = next(self.on_connect.get(there.name, iter(())), None)
        if error is not None:
            raise error
        opened = FakeSocket(self, there)
        self.most_sockets = max(self.most_sockets, len(self.sockets))
        return opened

    @contextlib.asynccontextmanager
    async def session(self, sock: FakeSocket, there: Node, *_rest: object) -> t.AsyncIterator[str]:
        self.logins[there.name] += 1
        error = next(self.on_login.get(there.name, iter(())), None)
        if error is not None:
            raise error
        for name in (there.name, "all"):
            self.at_once[name] += 1
            self.most[name] = max(self.most[name], self.at_once[name])
        try:
            await (asyncio.sleep(600) if there.name in self.hanging else asyncio.sleep(0))
            yield there.name
        finally:
            for name in (there.name, "all"):
                self.at_once[name] -= 1

    async def look(self, _sftp: str, wanted: Wanted) -> Found:
        await asyncio.sleep(0)
        content = self.stands_there.get(wanted.path)
        return Found(False) if content is None else Found(True, True, False, wanted.uid, 0o400, content)

    async def apply(self, sftp: str, wanted: Wanted, step: Step, leftovers: tuple[str, ...]) -> None:
        await asyncio.sleep(0)
        if wanted.path in self.unwritable:
            raise DestinationUnwritable(f"{wanted.path} cannot be replaced.")
        self.applied.append((sftp, wanted.path, step))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> FakeWorld:
    """Put fakes in the place of the network."""
    return FakeWorld(monkeypatch)


def pairs_of(services: int, *nodes: str, **changes: t.Any) -> list[Pair]:
    """Pair this many services with each of the nodes."""
    return [
        Pair(owner, node(name), contents_for(owner, node(name), TOKEN, present=True), **changes)
        for number in range(services)
        for owner in [service(f"dune_role{number}", uid=50100 + number)]
        for name in nodes
    ]


def push_all(pairs: t.Sequence[Pair], world: FakeWorld | None = None, **changes: t.Any) -> list[Pushed]:
    """Push all pairs and prove that nothing stays open."""
    timeouts = Timeouts(**changes.pop("timeouts", {}))
    now = time.time()
    run = Run("x", now, now + changes.pop("remaining", 600.0), "", timeouts)
    settings = PushSettings(**{"ssh": None, "retry_delay": 0.0, **changes})
    done = asyncio.run(push.push_all(pairs, run, settings))
    assert [item.pair for item in done] == list(pairs)
    if world is not None:
        assert world.sockets == set()
    assert "Canary" not in repr([item.outcome for item in done] + [item.changes for item in done])
    return done


def kinds(done: list[Pushed]) -> Counter[str]:
    """Count the outcomes by status or kind of error."""
    return Counter(item.outcome.kind or item.outcome.status for item in done)


def test_push_all_every_pair_has_its_outcome(world: FakeWorld) -> None:
    done = push_all(pairs_of(3, "a", "b"), world)
    assert kinds(done) == {"changed": 6}
    assert len(world.applied) == 18
    assert {(item.outcome.config_service, item.outcome.node) for item in done} == set(
        itertools.product(("dune_role0", "dune_role1", "dune_role2"), ("a", "b"))
    )
    assert (len(done[0].changes), {item.outcome.life for item in done}) == (3, {0.0})
    assert push_all([], world) == []


def test_push_all_what_is_in_place_is_ok_left_alone_and_told_for_how_long(world: FakeWorld) -> None:
    (pair,) = pairs_of(1, "a", expires=time.time() + 5000)
    world.stands_there = {path: content for path, content in pair.contents if content is not None}
    (done,) = push_all([pair], world)
    assert (done.outcome.status, 4000 < done.outcome.life <= 5000) == ("ok", True)
    assert world.applied == []


def test_push_all_in_check_mode_says_what_would_change_and_changes_nothing(world: FakeWorld) -> None:
    done = push_all(pairs_of(2, "a"), world, check_mode=True)
    assert kinds(done) == {"changed": 2}
    assert all(len(item.changes) == 3 for item in done)
    assert world.applied == []


def test_push_all_silent_node_costs_one_wait_whatever_number_of_services(world: FakeWorld) -> None:
    world.on_connect["silent"] = itertools.repeat(SILENCE)
    done = push_all(pairs_of(30, "silent", "a"), world, per_node=8)
    assert kinds(done) == {"node_unreachable": 30, "changed": 30}
    assert world.connects["silent"] == 8
    assert world.logins["silent"] == 0


def test_push_all_node_whose_server_does_not_finish_the_login_is_not_tried_by_all(world: FakeWorld) -> None:
    world.on_login["silent"] = itertools.repeat(SILENCE)
    assert kinds(push_all(pairs_of(30, "silent"), world, per_node=4)) == {"node_unreachable": 30}
    assert world.logins["silent"] == 4


def test_push_all_node_that_has_answered_once_is_not_given_up(world: FakeWorld) -> None:
    world.on_connect["a"] = iter([None, SILENCE, None])
    assert kinds(push_all(pairs_of(3, "a"), world, per_node=1)) == {"changed": 2, "node_unreachable": 1}


@pytest.mark.parametrize(
    ("failures", "retries", "kind", "logins"),
    [(1, 2, "changed", 2), (2, 2, "changed", 3), (3, 2, "connection_broken", 3), (1, 0, "connection_broken", 1)],
)
def test_push_all_what_can_pass_is_tried_again(
    world: FakeWorld, failures: int, retries: int, kind: str, logins: int
) -> None:
    world.on_login["a"] = iter([BROKEN] * failures)
    (done,) = push_all(pairs_of(1, "a"), world, retries=retries)
    assert (done.outcome.kind or done.outcome.status) == kind
    assert world.logins["a"] == logins
    assert done.outcome.message.endswith("(tried 3 times)") == (failures == 3)


def test_push_all_what_cannot_pass_is_tried_once(world: FakeWorld) -> None:
    world.on_login["a"] = itertools.repeat(REFUSED)
    (done,) = push_all(pairs_of(1, "a"), world)
    assert done.outcome.message == "dune_role0 on a: refused."
    assert world.logins["a"] == 1


def test_push_all_node_that_did_not_answer_ping_is_tried_once_in_what_is_left_of_its_time(world: FakeWorld) -> None:
    world.on_connect["a"] = itertools.repeat(SILENCE)
    world.on_login["b"] = itertools.repeat(BROKEN)
    done = push_all(pairs_of(1, "a", "b", is_unanswered=True), world, timeouts={"connect": 10.0, "ping": 3.0})
    assert done[0].outcome.message == "dune_role0 on a: no answer. It did not answer ping either."
    assert done[1].outcome.message == "dune_role0 on b: broken."
    assert (world.limits["a"], world.logins["b"]) == (7.0, 1)


def test_push_all_push_over_its_time_is_told_and_the_others_go_on(world: FakeWorld) -> None:
    world.hanging.add("stuck")
    timeouts = {"push": 0.5, "connect": 0.4, "ping": 0.1}
    done = push_all(pairs_of(2, "stuck", "a"), world, retries=0, timeouts=timeouts)
    assert kinds(done) == {"timed_out": 2, "changed": 2}
    assert done[0].outcome.message == "dune_role0 on stuck: The push to stuck was not finished within 0.5 s."


def test_push_all_deadline_ends_what_is_unfinished_and_keeps_what_is_done(world: FakeWorld) -> None:
    world.hanging.add("stuck")
    done = push_all(pairs_of(2, "a", "stuck"), world, remaining=1.0)
    assert kinds(done) == {"changed": 2, "deadline": 2}
    assert done[1].outcome.message == "dune_role0 on stuck: it was not finished when the run's 900 s were over."


def test_push_all_deadline_in_the_past_tries_nothing_and_tells_of_all(world: FakeWorld) -> None:
    assert kinds(push_all(pairs_of(2, "a"), world, remaining=-1.0)) == {"deadline": 2}
    assert world.applied == []


def test_push_all_no_retry_begins_that_the_deadline_would_cut(world: FakeWorld) -> None:
    world.on_login["a"] = itertools.repeat(BROKEN)
    (done,) = push_all(pairs_of(1, "a"), world, retry_delay=30.0, remaining=20.0)
    assert done.outcome.message == "dune_role0 on a: broken."


def test_push_all_keeps_to_its_bounds(world: FakeWorld) -> None:
    push_all(pairs_of(20, "a", "b", "c"), world, concurrency=5, per_node=2)
    assert world.most["all"] == 5
    assert max(world.most[name] for name in "abc") == 2


def test_push_all_opens_no_more_sockets_than_a_process_may_have(world: FakeWorld) -> None:
    living = pairs_of(1, *(f"living{number}" for number in range(1500)))
    silent = pairs_of(1, *(f"silent{number}" for number in range(1500)), is_unanswered=True)
    done = push_all([*living, *silent], world, concurrency=20)
    assert {item.outcome.status for item in done} == {"changed"}
    assert world.most_sockets == 20 + push.MOST_WAITING + push.MOST_UNANSWERED
    assert world.most_sockets < 512


def test_push_all_failure_at_one_destination_does_not_cost_the_others(world: FakeWorld) -> None:
    world.unwritable.add("/tmp/vt_u50100")
    (done,) = push_all(pairs_of(1, "a"), world)
    assert (done.outcome.status, done.outcome.kind) == ("failed", "destination_unwritable")
    assert [path for _node, path, _step in world.applied] == [
        "/tmp/vt_u50100-dune_role0",
        "/tmp/default_role_dune_50100",
    ]


def test_push_all_what_nobody_expected_of_one_pair_ends_no_other(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(sftp: str, wanted: Wanted) -> Found:
        if sftp == "a":
            raise LookupError("CanaryWord")
        return await world.look(sftp, wanted)

    monkeypatch.setattr(delivery, "look", look)
    done = push_all(pairs_of(2, "a", "b"), world)
    assert [(item.pair.node.name, item.outcome.kind) for item in done] == [
        ("a", "ssh_failed"),
        ("b", ""),
        ("a", "ssh_failed"),
        ("b", ""),
    ]
    assert "nobody expected" in done[0].outcome.message
    assert "Canary" not in done[0].outcome.message


def test_push_all_tells_of_every_pair_as_it_is_done(world: FakeWorld) -> None:
    world.on_login["a"] = itertools.repeat(REFUSED)
    told: list[tuple[int, int, int]] = []
    settings = PushSettings(t.cast("t.Any", None))
    run = Run.begin(Timeouts())
    asyncio.run(push.push_all(pairs_of(2, "a", "b"), run, settings, lambda *numbers: told.append(numbers)))
    assert [done for done, _total, _failed in told] == [1, 2, 3, 4]
    assert told[-1] == (4, 4, 2)


def cancel_when(has_begun: t.Callable[[], bool], pairs: list[Pair]) -> None:
    async def main() -> None:
        settings = PushSettings(t.cast("t.Any", None), concurrency=4)
        task = asyncio.create_task(push.push_all(pairs, Run.begin(Timeouts()), settings))
        while not has_begun():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_push_all_cancelled_lets_every_push_end_cleanly(world: FakeWorld) -> None:
    world.hanging.update("ab")
    cancel_when(lambda: world.at_once["all"] == 4, pairs_of(3, "a", "b"))
    assert world.at_once["all"] == 0
    assert world.sockets == set()


def test_push_all_cancelled_hangs_up_when_all_is_tidy(world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    connected: list[int] = []

    async def apply(_sftp: str, wanted: Wanted, _step: Step, _leftovers: tuple[str, ...]) -> None:
        begun.append(wanted.path)
        try:
            await asyncio.sleep(600)
        finally:
            if wanted.path == begun[0]:
                await asyncio.sleep(0.01)
                connected.append(world.at_once["a"])

    monkeypatch.setattr(delivery, "apply", apply)
    cancel_when(lambda: len(begun) == 3, pairs_of(1, "a"))
    assert connected == [1]


NAMES = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=12)


@given(NAMES)
def test_order_puts_the_unanswering_first_and_takes_the_others_in_turn(nodes: list[tuple[str, bool]]) -> None:
    silent = {name for name, is_silent in nodes if is_silent}
    pairs = [Pair(service(), node(name), (), is_unanswered=name in silent) for name, _is_silent in nodes]
    ordered = push.order(pairs)
    assert Counter(id(pair) for pair in ordered) == Counter(id(pair) for pair in pairs)
    flags = [pair.is_unanswered for pair in ordered]
    assert flags == sorted(flags, reverse=True)
    turns: dict[str, int] = defaultdict(int)
    seen = []
    for pair in ordered:
        if not pair.is_unanswered:
            seen.append(turns[pair.node.name])
            turns[pair.node.name] += 1
    assert seen == sorted(seen)
