# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes are served beside other work; the push stage is left what was not done, and nothing half done."""

from __future__ import annotations

import asyncio
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
from ansible_collections.fife.managed_tokens.plugins.module_utils import _push_ahead as push_ahead
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Change, Pushed
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_ahead import PushAhead
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_handover import NAME, Served, take_over
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import TOKEN, node, outcome, service

LONGEST_S = 10.0


class FakeNodes:
    """Serve every pair at once, but hang on a node called `stuck` and break on one called `broken`."""

    def __init__(self) -> None:
        self.served: list[Pair] = []
        self.is_begun = threading.Event()
        self.has_served = threading.Event()
        self.is_stuck = threading.Event()
        self.tidied: list[str] = []

    async def __call__(
        self,
        arriving: t.AsyncIterator[t.Sequence[Pair]],
        _run: Run,
        _settings: object,
        note: t.Callable[[Pushed], None],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            async for pairs in arriving:
                for pair in pairs:
                    group.create_task(self.serve(pair, note))

    async def serve(self, pair: Pair, note: t.Callable[[Pushed], None]) -> None:
        if pair.node.name == "broken":
            raise RuntimeError("not foreseen")
        if pair.node.name == "stuck":
            try:
                self.is_stuck.set()
                await asyncio.sleep(600)
            finally:
                await asyncio.sleep(0.05)  # a second cancellation would come here
                self.tidied.append(pair.service.config_name)
        self.served.append(pair)
        named = outcome("push", "changed", config_service=pair.service.config_name, node=pair.node.name)
        note(Pushed(pair, named, (Change("/tmp/x", "absent", "file, mode 0400"),)))
        self.has_served.set()


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> FakeNodes:
    """Put a fake in the place of the network."""
    fake = FakeNodes()
    monkeypatch.setattr(push, "push_as_they_come", fake)
    monkeypatch.setattr(PushSettings, "from_options", lambda *_options: None)
    monkeypatch.setattr(push_ahead, "need_packages", lambda *_names: fake.is_begun.set())
    monkeypatch.setattr(push_ahead, "QUICK_S", 0.0)
    return fake


@pytest.fixture
def ready(tmp_path: Path) -> t.Callable[..., Service]:
    """Give services with ticket and token on nodes of these names."""
    (tmp_path / "token").write_bytes(TOKEN)

    def make(name: str, *names: str, **changes: t.Any) -> Service:
        token = str(tmp_path / "token")
        return service(name, **{"ccache": "FILE:/x", "token": token, "nodes": tuple(map(node, names)), **changes})

    return make


def ahead_in(directory: Path, *, remaining: float = 60.0, progress: t.Any = lambda *_numbers: None) -> PushAhead:
    """Give a thread that is ready to serve."""
    run = Run("x", time.time(), time.time() + remaining, str(directory))
    return PushAhead({"unanswered": ["b"]}, run, progress)


def test_push_ahead_serves_while_the_block_goes_on_and_hands_over(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path
) -> None:
    told: list[tuple[int, int, int]] = []
    with ahead_in(tmp_path, progress=lambda *numbers: told.append(numbers)) as ahead:
        ahead.offer(ready("dune_a", "a", "b"))
        assert nodes.has_served.wait(LONGEST_S)
        ahead.offer(ready("nova_b", "a"))
    assert [(pair.service.config_name, pair.node.name, pair.is_unanswered) for pair in nodes.served] == [
        ("dune_a", "a", False),
        ("dune_a", "b", True),
        ("nova_b", "a", False),
    ]
    assert told[-1] == (3, 3, 0)
    found = take_over(str(tmp_path))
    assert sorted(found) == [("dune_a", "a"), ("dune_a", "b"), ("nova_b", "a")]
    assert found["dune_a", "a"] == Served(
        outcome("push", "changed", config_service="dune_a", node="a"), (("/tmp/x", "absent", "file, mode 0400"),)
    )


def test_push_ahead_leaves_everything_to_the_push_stage_when_the_block_is_quick(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_ahead, "QUICK_S", 600.0)
    with ahead_in(tmp_path) as ahead:
        ahead.offer(ready("dune_a", "a"))
    assert nodes.served == []
    assert not (tmp_path / NAME).exists()


def test_push_ahead_leaves_a_service_without_a_usable_token_to_the_push_stage(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path
) -> None:
    with ahead_in(tmp_path) as ahead:
        ahead.offer(ready("dune_a", "a", token=str(tmp_path / "none")))
        assert nodes.is_begun.wait(LONGEST_S)
    assert take_over(str(tmp_path)) == {}


def interrupted(ahead: PushAhead, item: Service, before: t.Callable[[], object], after: t.Callable[[], object]) -> None:
    """Offer a service and be interrupted, as a stage is: told to stop at once, and then again at its end."""
    with ahead:
        ahead.offer(item)
        before()
        ahead.stop()
        after()
        raise KeyboardInterrupt


def test_push_ahead_block_that_fails_ends_cleanly_what_is_under_way(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(ahead_in(tmp_path), ready("dune_a", "stuck"), lambda: nodes.is_stuck.wait(LONGEST_S), lambda: None)
    assert nodes.tidied == ["dune_a"]
    assert nodes.served == []
    assert not (tmp_path / NAME).exists()


def test_push_ahead_that_is_stopped_before_it_is_ready_serves_nothing(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    monkeypatch.setattr(PushSettings, "from_options", lambda *_options: may_go_on.wait(LONGEST_S))
    with pytest.raises(KeyboardInterrupt):
        interrupted(ahead_in(tmp_path), ready("dune_a", "a"), lambda: nodes.is_begun.wait(LONGEST_S), may_go_on.set)
    assert nodes.served == []


@pytest.mark.parametrize("error", [BadInput("no such file."), ValueError("not foreseen")])
def test_push_ahead_with_settings_that_are_none_leaves_everything_to_the_push_stage(
    nodes: FakeNodes,
    ready: t.Callable[..., Service],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def refuse(*_options: object) -> t.NoReturn:
        raise error

    monkeypatch.setattr(PushSettings, "from_options", refuse)
    with ahead_in(tmp_path) as ahead:
        ahead.offer(ready("dune_a", "a"))
        assert nodes.is_begun.wait(LONGEST_S)
    assert nodes.served == []
    assert take_over(str(tmp_path)) == {}


def test_push_ahead_without_the_library_leaves_everything_to_the_push_stage(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: str) -> t.NoReturn:
        nodes.is_begun.set()
        raise Missing(f"{names} are not installed.")

    monkeypatch.setattr(push_ahead, "need_packages", refuse)
    with ahead_in(tmp_path) as ahead:
        ahead.offer(ready("dune_a", "a"))
        assert nodes.is_begun.wait(LONGEST_S)
    assert nodes.served == []


def test_push_ahead_error_that_nobody_foresaw_costs_nothing_that_is_done(
    nodes: FakeNodes, ready: t.Callable[..., Service], tmp_path: Path
) -> None:
    with ahead_in(tmp_path) as ahead:
        ahead.offer(ready("dune_a", "a"))
        assert nodes.has_served.wait(LONGEST_S)
        ahead.offer(ready("nova_b", "broken"))
        ahead.offer(ready("mu2e_c", "a"))
    assert ("dune_a", "a") in take_over(str(tmp_path))


def test_push_ahead_ends_with_the_run_and_takes_what_is_offered_then_for_nothing(
    ready: t.Callable[..., Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_ahead, "need_packages", lambda *_names: None)
    monkeypatch.setattr(push_ahead, "QUICK_S", 0.0)
    monkeypatch.setattr(PushSettings, "from_options", lambda *_options: PushSettings(t.cast("t.Any", None)))
    ended = threading.Event()
    really = push.push_as_they_come

    async def until_the_deadline(*arguments: t.Any) -> None:
        await really(*arguments)
        ended.set()

    monkeypatch.setattr(push, "push_as_they_come", until_the_deadline)
    with ahead_in(tmp_path, remaining=0.05) as ahead:
        assert ended.wait(LONGEST_S)
        ahead.offer(ready("dune_a", "a"))
    assert take_over(str(tmp_path)) == {}
