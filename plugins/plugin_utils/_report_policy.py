# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Decide who is told what of a run: troubles at the threshold and again after as many failures, their ends once.

A channel that did not accept a message is told again in the next run; the others do not hear the same twice for it.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import ONBOARDING
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    RUN,
    SERVICE_EMAIL,
    SLACK,
    Key,
    Message,
    Notice,
    Untold,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import (
    CHANNELS,
    Counters,
    Told,
    ends_of,
    troubles_of,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The messages, the administrators' first; there is one for each group unless their channels need different ones.

    `untold` counts the troubles that are in no message. `cleared` is by how much an accepted message lowers which
    counter.
    """

    messages: tuple[Message, ...] = ()
    untold: Untold = Untold()
    cleared: t.Mapping[Key, int] = field(default_factory=dict)

    def notices(self) -> dict[Key, Notice]:
        """Give a notice for each key that is told of; no key has both a trouble and its end."""
        found: dict[Key, Notice] = {}
        for message in self.messages:
            for item in message.notices:
                found.setdefault(item.key, item)
        return found


def decide(collected: Collected, counters: Counters | None, told: Told, settings: ReportSettings) -> Decision:
    """Decide who is told what.

    Without counters everything that failed is told at once. A threshold below 1 counts as 1.
    """
    # Whoever runs an onboarding sees what came of it; it is nobody's alarm.
    if collected.program == ONBOARDING:
        return Decision()
    troubles = troubles_of(collected, counters)
    if not settings.notify:
        return Decision(untold=Untold(notify_off=len({item.key for item in troubles})))
    begun: dict[Key, float] = {}
    for item in troubles:
        begun[item.key] = min(begun.get(item.key, item.since), item.since)
    threshold = max(1, settings.threshold)
    due = {item.key for item in troubles if not _is_counted(item, counters) or item.count >= threshold}
    experiments = _experiments(collected)
    available = _channels(settings, has_experiments=bool(experiments))
    missing = {channel: _missing(channel, begun, told) - due for channel in available}

    def notices_for(channel: str, scope: t.Iterable[Notice]) -> tuple[Notice, ...]:
        now = due | missing.get(channel, set())
        over = told.by(channel) if channel in available else {}
        return tuple(item for item in scope if item.key in (over if item.is_recovery else now))

    scope = [*troubles, *ends_of(collected, told)]
    own: dict[str, list[Notice]] = {}
    for item in scope:
        if item.key.sort == PUSH and item.experiment in experiments and _is_told(collected, item.key.service):
            own.setdefault(item.experiment, []).append(item)
    messages = _for_administrators(settings, {channel: notices_for(channel, scope) for channel in (EMAIL, SLACK)})
    messages += [
        Message(name, experiments[name], notices)
        for name, items in sorted(own.items())
        if (notices := notices_for(SERVICE_EMAIL, items))
    ]
    # Counted once they are all known: what some channel is told now is held back from nobody.
    waiting = begun.keys() - due - {item.key for message in messages for item in message.notices}
    held = {key for key in waiting if not any(told.knows(channel, key, begun[key]) for channel in CHANNELS)}
    of_experiment = Counter(name for name, items in own.items() for _key in {item.key for item in items} & held)
    return Decision(
        tuple(
            replace(message, suppressed=of_experiment[message.experiment] if message.experiment else len(held))
            for message in messages
        ),
        Untold(below_threshold=len(held), reminder_not_due=len(waiting) - len(held)),
        {item.key: item.count for item in troubles if item.key in due and _is_counted(item, counters)},
    )


def channels_of(message: Message, settings: ReportSettings) -> tuple[str, ...]:
    """Give the channels that the message goes over: those it is for, as far as they are set up."""
    if message.experiment:
        possible = [SERVICE_EMAIL] if settings.smtp_host and message.emails else []
    else:
        set_up = _channels(settings, is_trial=message.is_trial)
        possible = [channel for channel in set_up if channel != EMAIL or message.emails]
    return tuple(channel for channel in possible if message.is_for(channel))


def _channels(settings: ReportSettings, *, has_experiments: bool = False, is_trial: bool = False) -> list[str]:
    is_set_up = {
        EMAIL: bool(settings.smtp_host and settings.emails_for(is_trial=is_trial)),
        SLACK: bool(settings.webhook_for(is_trial=is_trial)),
        SERVICE_EMAIL: bool(settings.smtp_host and has_experiments),
    }
    return [channel for channel in CHANNELS if is_set_up[channel]]


def _missing(channel: str, begun: t.Mapping[Key, float], told: Told) -> set[Key]:
    """Give what other channels have told of while this one did not accept its message."""
    return {
        key
        for key, since in begun.items()
        if not told.knows(channel, key, since) and any(told.knows(other, key, since) for other in CHANNELS)
    }


def _is_counted(item: Notice, counters: Counters | None) -> bool:
    return counters is not None and item.key.sort != RUN


def _for_administrators(settings: ReportSettings, notices: t.Mapping[str, tuple[Notice, ...]]) -> list[Message]:
    emails = settings.emails_for()
    channels = _channels(settings)
    of_email, of_slack = notices[EMAIL], notices[SLACK]
    if len(channels) < 2 or of_email == of_slack:
        both = notices[channels[0]] if channels else of_email
        return [Message("", emails, both)] if both else []
    # One of the two did not accept a message before, and what it told of is not what the other did.
    apart = [Message("", emails, of_email, channels=(EMAIL,)), Message("", (), of_slack, channels=(SLACK,))]
    return [message for message in apart if message.notices]


def _experiments(collected: Collected) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for contact in collected.contacts.values():
        if contact.emails:
            found.setdefault(contact.experiment, {}).update(dict.fromkeys(contact.emails))
    return {name: tuple(emails) for name, emails in found.items()}


def _is_told(collected: Collected, service: str) -> bool:
    contact = collected.contacts.get(service)
    return contact is not None and contact.notify
