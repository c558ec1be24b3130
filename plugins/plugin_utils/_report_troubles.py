# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say what is wrong after a run, with how often and since when, and what was told of and is over. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils import _outcome as stages
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import OFFBOARDING
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHANGED, FAILED, OK, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import SETUP_STAGES
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    RUN,
    SERVICE_EMAIL,
    SETUP,
    SLACK,
    Key,
    Notice,
)

CHANNELS = (EMAIL, SLACK, SERVICE_EMAIL)
_RANK = {RUN: 0, SETUP: 1, PUSH: 2}


@dataclass(frozen=True, slots=True)
class Counters:
    """Failures in a row that nobody has been told of, this run's included, by service and by (service, node).

    `since` says when what fails now began to, by (stage, service, credd or node), in seconds since the epoch.
    """

    setup: t.Mapping[str, int] = field(default_factory=dict)
    push: t.Mapping[tuple[str, str], int] = field(default_factory=dict)
    since: t.Mapping[tuple[str, str, str], float] = field(default_factory=dict)

    def of(self, key: Key) -> int:
        """Give the counter of a key, 0 when it has none."""
        return self.setup.get(key.service, 0) if key.sort == SETUP else self.push.get((key.service, key.node), 0)


@dataclass(frozen=True, slots=True)
class Telling:
    """That a channel has told of a trouble: of which kind, and when first (`since`, seconds since the epoch)."""

    since: float = 0.0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What each channel has told of and not yet taken back."""

    channels: t.Mapping[str, t.Mapping[Key, Telling]] = field(default_factory=dict)

    def by(self, channel: str) -> t.Mapping[Key, Telling]:
        """Give what this channel has told of."""
        return self.channels.get(channel, {})

    def knows(self, channel: str, key: Key, begun: float) -> bool:
        """Tell whether the channel has told of the trouble that began then: a telling from before is of an earlier
        one, whose end could not be told."""
        telling = self.by(channel).get(key)
        return telling is not None and 0 < begun <= telling.since


def _key_of(outcome: Outcome, program: str) -> Key:
    service = outcome.config_service
    # What is let go has no counters any more: its troubles are the run's, and told at once.
    if not service or program == OFFBOARDING or outcome.stage in (stages.STATE, stages.REGISTRY):
        return Key(RUN, program)
    if outcome.stage in SETUP_STAGES:
        return Key(SETUP, service)
    return Key(PUSH, service, outcome.node)


def _order(item: Notice) -> tuple[bool, int, str, str]:
    return item.is_recovery, _RANK[item.key.sort], item.key.service, item.key.node


def troubles_of(collected: Collected, counters: Counters | None) -> list[Notice]:
    """Give what failed, in order: each refusal, each outcome of setting up, each pair once."""
    program = Key(RUN, collected.program)
    found = [
        Notice(program, "", refusal.kind, refusal.message, since=collected.ended) for refusal in collected.refusals
    ]
    # What has not been written down has not been counted either.
    uncounted = int(collected.check_mode or not collected.was_recorded)
    pairs: set[Key] = set()
    for outcome in collected.failures:
        key = _key_of(outcome, collected.program)
        if key in pairs:
            continue
        count, since = 0, 0.0
        if key.sort == PUSH:
            pairs.add(key)
        if counters is not None:
            place = (outcome.stage, outcome.config_service, outcome.credd or outcome.node or outcome.account)
            since = counters.since.get(place, 0.0) or outcome.started
            count = counters.of(key) + uncounted if key.sort != RUN else 0
        experiment = collected.experiment_of(key.service) if key.sort != RUN else ""
        found.append(Notice(key, experiment, outcome.kind, outcome.message, count, since))
    return sorted(found, key=_order)


def ends_of(collected: Collected, told: Told) -> list[Notice]:
    """Give the end of each trouble that somebody was told of and that is over."""
    tellings: dict[Key, list[Telling]] = {}
    for channel in CHANNELS:
        for key, telling in told.by(channel).items():
            tellings.setdefault(key, []).append(telling)
    if not tellings:
        return []
    well: set[Key] = set()
    bad: set[Key] = set()
    for outcome in collected.outcomes:
        key = _key_of(outcome, collected.program)
        if outcome.status == FAILED:
            bad.add(key)
        # A good ticket alone does not prove that the token can be stored.
        elif outcome.status in (OK, CHANGED) and outcome.stage in (stages.STORE, stages.PUSH):
            well.add(key)
    ends = [
        Notice(
            key,
            collected.experiment_of(key.service),
            known[0].kind,
            since=min(telling.since for telling in known),
            is_recovery=True,
        )
        for key, known in tellings.items()
        if key in well - bad
    ]
    return sorted(ends, key=_order)
