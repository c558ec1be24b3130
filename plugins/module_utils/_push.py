# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Serve every (service, node) pair of a run over one connection each, from one process, and let no node hold up
another.

A node that does not answer costs its connect timeout once: the first attempts to it start together, and what has not
begun when they fail is not tried. Waiting for a TCP connection takes no place among the handshakes, which are what
costs CPU; but no more sockets are open at once than any machine allows a process, and none waits so long for its
handshake that the node gives up on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils import _delivery as delivery
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    DeadlineReached,
    NodeUnreachable,
    SshFailed,
    TimedOut,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import Progress
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_socket import Names, open_socket
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    OK,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import session

if t.TYPE_CHECKING:
    import asyncssh

LONGEST_RETRY_DELAY_S = 30.0
# Sockets that may wait at once: for their handshake, or for nodes that did not answer ping. Together with those being
# served they stay well below the 1024 open files that a process usually has.
MOST_WAITING = 100
MOST_UNANSWERED = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One destination that was (in check mode: would be) changed, with what stood and what stands there, fit to be
    shown."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of a pair."""

    pair: Pair
    outcome: Outcome
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class _NodeState:
    slots: asyncio.Semaphore
    has_answered: bool = False
    silence: NodeUnreachable | None = None


@dataclass(slots=True)
class _Batch:
    run: Run
    settings: PushSettings
    serving: asyncio.Semaphore
    sockets: asyncio.Semaphore
    # Of their own, so that dead nodes cannot take all sockets from the living.
    unanswered_sockets: asyncio.Semaphore
    nodes: dict[tuple[str, int], _NodeState] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def state_of(self, node: Node) -> _NodeState:
        return self.nodes.setdefault((node.address, node.port), _NodeState(asyncio.Semaphore(self.settings.per_node)))


def order(pairs: t.Sequence[Pair]) -> list[Pair]:
    """Put pairs of unanswering nodes first, so that their waiting overlaps with the work, and then take the nodes in
    turn."""
    by_node: dict[tuple[bool, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_node[(not pair.is_unanswered, pair.node.name)].append(pair)
    silent = [pair for key in sorted(by_node) if not key[0] for pair in by_node[key]]
    turns = itertools.zip_longest(*(by_node[key] for key in sorted(by_node) if key[0]))
    return silent + [pair for turn in turns for pair in turn if pair is not None]


async def push_all(
    pairs: t.Sequence[Pair], run: Run, settings: PushSettings, progress: Progress | None = None
) -> list[Pushed]:
    """Serve all pairs; give one result for each, whatever happens, in the order of `pairs`.

    When the run's deadline comes, what is unfinished is ended and reported so. When cancelled, every pair ends its
    own work cleanly first.
    """
    results: dict[int, Pushed] = {}
    failed = 0

    async def all_at_once() -> t.AsyncIterator[t.Sequence[Pair]]:
        yield pairs

    def note(pushed: Pushed) -> None:
        nonlocal failed
        results[id(pushed.pair)] = pushed
        failed += pushed.outcome.is_failure
        if progress is not None:
            progress(len(results), len(pairs), failed)

    await push_as_they_come(all_at_once(), run, settings, note)
    late = DeadlineReached(f"it was not finished when the run's {run.timeouts.run:g} s were over.")
    return [results.get(id(pair)) or _failed(pair, late, Stopwatch()) for pair in pairs]


async def push_as_they_come(
    arriving: t.AsyncIterator[t.Sequence[Pair]], run: Run, settings: PushSettings, note: t.Callable[[Pushed], None]
) -> None:
    """Serve pairs as soon as there are some; tell `note` of each that is finished, and return when all are, or when
    the run's deadline ends what is not.

    When cancelled, every pair ends its own work cleanly first.
    """
    batch = _Batch(
        run,
        settings,
        serving=asyncio.Semaphore(settings.concurrency),
        sockets=asyncio.Semaphore(settings.concurrency + MOST_WAITING),
        unanswered_sockets=asyncio.Semaphore(MOST_UNANSWERED),
    )

    async def serve(pair: Pair) -> None:
        try:
            pushed = await _serve(pair, batch)
        except Exception as err:  # noqa: BLE001 - what nobody expected of one pair must not end all the others
            words = f"something happened that nobody expected: {type(err).__name__}. Please report this."
            pushed = _failed(pair, SshFailed(words), Stopwatch())
        note(pushed)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(run.remaining()), asyncio.TaskGroup() as group:
            async for pairs in arriving:
                for pair in order(pairs):
                    group.create_task(serve(pair))


async def _serve(pair: Pair, batch: _Batch) -> Pushed:
    watch = Stopwatch()
    attempt = 0
    while True:
        try:
            changes = await _attempt(pair, batch, watch if attempt == 0 else Stopwatch())
            status = CHANGED if changes else OK
            return Pushed(pair, _record(pair, status, watch, message=pair.remark, life=_life(pair)), tuple(changes))
        except TokensError as err:
            pause = min(batch.settings.retry_delay * 2**attempt, LONGEST_RETRY_DELAY_S)
            is_last = attempt >= batch.settings.retries or pair.is_unanswered or not err.retryable
            if is_last or batch.run.remaining() <= pause:
                return _failed(pair, err, watch, attempt + 1)
        attempt += 1
        await asyncio.sleep(pause)


async def _attempt(pair: Pair, batch: _Batch, watch: Stopwatch) -> list[Change]:
    timeouts = batch.run.timeouts
    state = batch.state_of(pair.node)
    async with state.slots, batch.unanswered_sockets if pair.is_unanswered else batch.sockets:
        watch.restart()
        if state.silence is not None and not state.has_answered:
            raise state.silence
        # A node has one connect timeout in which to answer; the time that its ping took is part of it.
        limit = max(0.5, timeouts.connect - timeouts.ping) if pair.is_unanswered else timeouts.connect
        try:
            sock = await open_socket(pair.node, limit, batch.names)
        except NodeUnreachable as err:
            state.silence = err
            raise
        try:
            await batch.serving.acquire()
        except BaseException:
            sock.close()
            raise
        try:
            async with asyncio.timeout(timeouts.push):
                return await _deliver(pair, batch, sock, state)
        except NodeUnreachable as err:
            state.silence = err
            raise
        except TimeoutError as err:
            raise TimedOut(f"The push to {pair.node.name} was not finished within {timeouts.push:g} s.") from err
        finally:
            sock.close()
            batch.serving.release()


async def _deliver(pair: Pair, batch: _Batch, sock: t.Any, state: _NodeState) -> list[Change]:
    settings = batch.settings
    service, node = pair.service, pair.node
    async with session(sock, node, service.account, service.ccache, settings.ssh, batch.run.timeouts.connect) as sftp:
        state.has_answered = True
        wanted = [
            delivery.Wanted(path, content, service.uid, node.name, pair.is_unknown and content is None)
            for path, content in pair.contents
        ]
        # Not gather: when the push is cancelled, that would close the connection while the others still tidy up.
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_settle(sftp, item, settings.check_mode)) for item in wanted]
        settled = [task.result() for task in tasks]
    for result in settled:
        if isinstance(result, TokensError):
            raise result
    return [result for result in settled if isinstance(result, Change)]


async def _settle(sftp: asyncssh.SFTPClient, wanted: delivery.Wanted, check_mode: bool) -> Change | TokensError | None:
    """Settle one destination by itself: a foreign file at one of them does not cost the others."""
    try:
        there = await delivery.look(sftp, wanted)
        step = delivery.decide(there, wanted)
        if step is delivery.Step.KEEP:
            return None
        if not check_mode:
            await delivery.apply(sftp, wanted, step, there.leftovers)
    except TokensError as err:
        return err
    return Change(wanted.path, delivery.describe(there), delivery.describe_wanted(wanted))


def _failed(pair: Pair, error: TokensError, watch: Stopwatch, attempts: int = 1) -> Pushed:
    message = f"{pair.service.config_name} on {pair.node.name}: {error.msg}" + (
        f" (tried {attempts} times)" if attempts > 1 else ""
    )
    if pair.is_unanswered and isinstance(error, NodeUnreachable):
        message += " It did not answer ping either."
    return Pushed(pair, _record(pair, FAILED, watch, kind=error.kind, message=message))


def _life(pair: Pair) -> float:
    return max(0.0, pair.expires - time.time()) if pair.expires else 0.0


def _record(pair: Pair, status: str, watch: Stopwatch, **more: t.Any) -> Outcome:
    return record(pair.stage, status, pair.service, watch, node=pair.node.name, **more)
