# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play runs in which things fail, succeed or are not attempted, and channels accept messages or not.

What ought to be told is computed here by rules of one key and one channel, independent of the collection's code.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    SERVICE_EMAIL,
    SETUP,
    SLACK,
    Delivery,
    Key,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision, channels_of, decide
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import Counters, Telling, Told
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome

BAD, WELL, NONE = "bad", "well", "not attempted"
DUNE, CALIB, NOVA = "dune_production", "dune_calibration", "nova_production"
CONTACTS = {
    DUNE: Contact("dune", ("a@lab.example", "b@lab.example")),
    CALIB: Contact("dune", ("a@lab.example", "b@lab.example"), notify=False),
    NOVA: Contact("nova"),
}
KEYS = (Key(SETUP, DUNE), Key(SETUP, NOVA), Key(PUSH, DUNE, "n1"), Key(PUSH, CALIB, "n1"), Key(PUSH, NOVA, "n2"))
ALL_CHANNELS = frozenset((EMAIL, SLACK, SERVICE_EMAIL))
SETTINGS = ReportSettings(
    admin_emails=("admin@lab.example",), slack_webhook="https://hooks.lab.example/x", smtp_host="mail.lab.example"
)

Sent = set[tuple[str, Key, bool]]


@dataclass(frozen=True)
class Scene:
    """One run: what comes of each key, and which channels accept what they are given."""

    events: t.Mapping[Key, str]
    accepting: t.Collection[str] = ALL_CHANNELS


class Memory(t.Protocol):
    """What runs remember for later ones."""

    def count(self, outcomes: t.Sequence[Outcome], run: str) -> None: ...
    def look(self) -> tuple[Counters | None, Told]: ...
    def settle(self, deliveries: t.Sequence[Delivery], decision: Decision, run: str, now: float) -> None: ...


class Notebook:
    """A memory of plain dictionaries."""

    def __init__(self) -> None:
        self.counters: Counter[Key] = Counter()
        self.since: dict[tuple[str, str, str], float] = {}
        self.told: dict[str, dict[Key, Telling]] = {}

    def count(self, outcomes: t.Sequence[Outcome], run: str) -> None:
        judged: dict[Key, bool] = {}
        for item in outcomes:
            if item.stage not in ("store", "push") or item.status == "skipped":
                continue
            key = Key(PUSH, item.config_service, item.node) if item.node else Key(SETUP, item.config_service)
            judged[key] = judged.get(key, False) or item.is_failure
            place = (item.stage, item.config_service, item.node or item.credd)
            if item.is_failure:
                self.since.setdefault(place, item.started)
            else:
                self.since.pop(place, None)
        for key, is_bad in judged.items():
            self.counters[key] = self.counters[key] + 1 if is_bad else 0

    def look(self) -> tuple[Counters, Told]:
        setup = {key.service: count for key, count in self.counters.items() if key.sort == SETUP}
        push = {(key.service, key.node): count for key, count in self.counters.items() if key.sort == PUSH}
        return Counters(setup, push, self.since), Told(self.told)

    def settle(self, deliveries: t.Sequence[Delivery], decision: Decision, run: str, now: float) -> None:
        notices = decision.notices()
        cleared: set[Key] = set()
        for delivery in deliveries:
            of_channel = self.told.setdefault(delivery.channel, {})
            for key in delivery.keys if delivery.is_accepted else ():
                if notices[key].is_recovery:
                    del of_channel[key]
                else:
                    of_channel[key] = Telling(now, notices[key].kind)
                    cleared.add(key)
        for key in cleared & decision.cleared.keys():
            self.counters[key] -= decision.cleared[key]


def collected(*outcomes: Outcome, **changes: t.Any) -> Collected:
    """Give a run that has been recorded."""
    return Collected(
        **{"run": "r1", "was_recorded": True, "ended": 1000.0, "outcomes": [*outcomes], "contacts": CONTACTS, **changes}
    )


def outcomes_of(scene: Scene, started: float) -> list[Outcome]:
    """Give the outcomes of a scene; a service whose tokens are on one of two credds only is not well."""
    found: list[Outcome] = []
    for key, event in scene.events.items():
        names = {"service": key.service, "config_service": key.service, "started": started}
        found.append(outcome("tickets", "ok", **names))
        status = {BAD: "failed", WELL: "changed", NONE: "skipped"}[event]
        if key.sort == PUSH:
            found.append(outcome("push", status, node=key.node, **names))
        elif event != NONE:
            found += [outcome("store", status, credd="c1", **names), outcome("store", "ok", credd="c2", **names)]
    return found


def play(memory: Memory, scenes: t.Sequence[Scene], settings: ReportSettings) -> t.Iterator[tuple[Decision, Sent]]:
    """Play one run after the other; give for each what was decided and what was given to which channel."""
    for number, scene in enumerate(scenes, start=1):
        started, run = 1000.0 * number, f"r{number}"
        outcomes = outcomes_of(scene, started)
        memory.count(outcomes, run)
        counters, told = memory.look()
        decision = decide(collected(*outcomes, run=run), counters, told, settings)
        sent: Sent = set()
        deliveries = []
        for message in decision.messages:
            for channel in channels_of(message, settings):
                sent |= {(channel, notice.key, notice.is_recovery) for notice in message.notices}
                problem = "" if channel in scene.accepting else "nobody answers"
                keys = tuple(notice.key for notice in message.notices)
                deliveries.append(Delivery(channel, message.experiment, keys, started + 5.0, 1.0, problem))
        memory.settle(deliveries, decision, run, started + 10.0)
        yield decision, sent


def expected(scenes: t.Sequence[Scene], threshold: int) -> t.Iterator[Sent]:
    """Give for each run what has to be given to which channel."""
    rules = {key: _Rule(key, max(1, threshold)) for key in KEYS}
    for scene in scenes:
        yield {
            (channel, key, event == WELL)
            for key, event in scene.events.items()
            for channel in rules[key].step(event, scene.accepting)
        }


@dataclass
class _Rule:
    """What is told of one key: at the threshold, again after as many more, and what a channel missed in between."""

    key: Key
    threshold: int
    count: int = 0
    know: set[str] = field(default_factory=set)
    to_be_relieved: set[str] = field(default_factory=set)

    def step(self, event: str, accepting: t.Collection[str]) -> set[str]:
        if event == NONE:
            return set()
        if event == WELL:
            self.count, self.know, told = 0, set(), set(self.to_be_relieved)
            self.to_be_relieved -= {*accepting}
            return told
        everybody = {EMAIL, SLACK} | ({SERVICE_EMAIL} if self.key.sort == PUSH and self.key.service == DUNE else set())
        self.count += 1
        is_due = self.count >= self.threshold
        told = everybody if is_due else everybody - self.know if self.know else set()
        accepted = told & {*accepting}
        self.know |= accepted
        self.to_be_relieved |= accepted
        if is_due and accepted:
            self.count = 0
        return told


def scenes_of_runs(most: int) -> st.SearchStrategy[list[Scene]]:
    """Give up to so many runs, in most of which things fail."""
    events = st.fixed_dictionaries({key: st.sampled_from((BAD, BAD, BAD, WELL, NONE)) for key in KEYS})
    accepting = st.just(ALL_CHANNELS) | st.frozensets(st.sampled_from(sorted(ALL_CHANNELS)))
    return st.lists(st.builds(Scene, events, accepting), max_size=most)
