# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many accounts at once over few connections; what is about us ends all questions, and so does an interruption."""

from __future__ import annotations

import signal
import threading
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _fanout, _ferry_pacing
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_accounts import Asked, ask_all
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_answer import Reading
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import Connections
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_pacing import Pacing
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_settings import (
    FERRY_SPEC,
    Ferry,
    read_settings,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import (
    Pki,
    Registry,
    Reply,
    closed_port,
)

NAMES = [f"a{number}" for number in range(1, 41)]


@pytest.fixture
def registry(pki: Pki) -> t.Iterator[Registry]:
    """Run a registry while the test runs."""
    running = Registry(pki)
    yield running
    running.close()


@pytest.fixture
def ferry(registry: Registry, pki: Pki) -> Ferry:
    """Give the settings that lead to the registry: four connections, no retries."""
    params = {name: option.get("default") for name, option in FERRY_SPEC.items()}
    params |= {"ferry_url": registry.url, "ferry_cert": str(pki.client), "ferry_ca": str(pki.ca)}
    problems: list[str] = []
    found = read_settings({**params, "ferry_concurrency": 4, "ferry_retries": 0}, problems)
    assert problems == []
    assert found is not None
    return found


def ask(ferry: Ferry, names: t.Sequence[str] = NAMES, run: Run | None = None, **more: t.Any) -> list[Asked]:
    return ask_all(names, ferry, run or Run.begin(Timeouts()), **more)


def test_ask_all_asks_each_account_once_in_few_connections(registry: Registry, ferry: Ferry) -> None:
    progress: list[tuple[int, int, int]] = []
    found = ask(ferry, bearer="eyJ", progress=lambda *counts: progress.append(counts))
    assert [(item.account, item.reading) for item in found] == [
        (name, Reading(50000 + number)) for number, name in enumerate(NAMES, start=1)
    ]
    assert sorted(registry.asked) == sorted(NAMES)
    assert set(registry.authorisations) == {"Bearer eyJ"}
    assert 1 <= registry.connections <= 4
    assert progress[-1] == (40, 40, 0)
    assert all(item.started > 0 and item.seconds >= 0 for item in found)


def test_ask_all_failure_of_one_is_its_own(registry: Registry, ferry: Ferry) -> None:
    registry.replies = {"a3": [Reply(b"", 404)], "a5": [Reply(b"", 500)]}
    failed = {item.account: item.kind for item in ask(ferry) if item.reading is None}
    assert failed == {"a3": "account_unknown", "a5": "registry_unavailable"}


@pytest.mark.parametrize("status", [401, 403])
def test_ask_all_denied_nobody_else_is_asked(registry: Registry, ferry: Ferry, status: int) -> None:
    registry.replies["*"] = [Reply(b"", status)]
    assert {item.kind for item in ask(ferry)} == {"registry_denied"}
    assert len(registry.asked) <= 4


def test_ask_all_certificate_of_somebody_else(registry: Registry, ferry: Ferry, pki: Pki) -> None:
    ferry.context.load_cert_chain(pki.stranger)
    assert {item.kind for item in ask(ferry)} == {"tls_failed"}
    assert registry.asked == []
    assert registry.connections <= 4


def test_ask_all_registry_that_is_down(registry: Registry, ferry: Ferry) -> None:
    found = ask(replace(ferry, port=closed_port()))
    assert {item.kind for item in found} == {"registry_unavailable"}
    assert any(item.message.startswith("It was not asked, because of another's answer: ") for item in found)


def test_ask_all_after_the_deadline_asks_nobody(registry: Registry, ferry: Ferry) -> None:
    assert {item.kind for item in ask(ferry, run=Run("x", 0.0, 1.0))} == {"deadline"}
    assert registry.connections == 0


@pytest.mark.parametrize("waits_for", ["an answer", "its turn"])
def test_ask_all_after_an_interruption_asks_nobody_and_ends_the_waits_between_questions(
    registry: Registry, ferry: Ferry, monkeypatch: pytest.MonkeyPatch, waits_for: str
) -> None:
    is_held = threading.Event()
    gate = threading.Event()
    if waits_for == "an answer":
        registry.gate = gate
    else:
        registry.replies["*"] = [Reply(b"", 503, (("Retry-After", "80000"),))]
        monkeypatch.setattr(_ferry_pacing, "LONGEST_HOLD_S", 90000.0)
    # It would keep this process from starting programs ever again.
    monkeypatch.setattr(_fanout, "end_all_programs", lambda: None)
    original_wait, original_end = Pacing._wait_for_turn, Connections.end

    def wait_for_turn(self: Pacing, earliest: float) -> None:
        if self._not_before:
            is_held.set()
        original_wait(self, earliest)

    def end(self: Connections) -> None:
        original_end(self)
        # An answer is waited for to its end, which comes only now.
        gate.set()

    monkeypatch.setattr(Pacing, "_wait_for_turn", wait_for_turn)
    monkeypatch.setattr(Connections, "end", end)

    def interrupted(*_arguments: t.Any, **_named: t.Any) -> t.NoReturn:
        # In the place where a signal finds the main thread: waiting for the threads that ask.
        while not (is_held.is_set() or (waits_for == "an answer" and registry.asked)):
            is_held.wait(0.005)
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr(_fanout, "next_of", interrupted)
    run = Run.begin(Timeouts(run=90000.0, ferry=60.0))
    with pytest.raises(Interrupted):
        ask(replace(ferry, retries=3), run=run)
    # Waited for to its end, each turn would have taken a day.
    assert gate.is_set()
    assert 1 <= len(registry.asked) <= 4
    assert registry.connections <= 4
