# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Describe what people are told: one trouble, or the end of one, and the messages made of them."""

from __future__ import annotations

from dataclasses import dataclass

SETUP = "setup"
PUSH = "push"
RUN = "run"

EMAIL = "email"
SLACK = "slack_message"
SERVICE_EMAIL = "service_email"


@dataclass(frozen=True, slots=True)
class Key:
    """What is counted and told of: a service's set-up (`node` is ""), a service on a node, or the run itself
    (`service` is the program's name)."""

    sort: str
    service: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class InPlace:
    """What is known of the tokens in the places (credds and nodes) that a trouble is about.

    `until` is when the first of them expires, in seconds since the epoch, 0.0 when that is known of none; of `unknown`
    places it is not known, and to `never` places no run is known to have brought one.
    """

    places: int = 0
    never: int = 0
    unknown: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One trouble to tell of, or with `is_recovery` the end of one.

    `count` is how many runs in a row have failed with it, this one included (0: not counted); `since` when it began, in
    seconds since the epoch (0.0: not known). `kind` and `message` are those of the outcome. `in_place` is what
    the trouble leaves in place, None when it concerns no token.
    """

    key: Key
    experiment: str
    kind: str = ""
    message: str = ""
    count: int = 0
    since: float = 0.0
    is_recovery: bool = False
    in_place: InPlace | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient group gets at once: the administrators (`experiment` is "") or one experiment's people.

    `channels` are the only ones that it is for; empty: all that its recipients have. One that `is_trial` tells of
    nothing: it is there to be seen arriving.
    """

    experiment: str
    emails: tuple[str, ...]
    notices: tuple[Notice, ...]
    suppressed: int = 0
    channels: tuple[str, ...] = ()
    is_trial: bool = False

    def is_for(self, channel: str) -> bool:
        """Tell whether the message may go over this channel."""
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True)
class Untold:
    """How many troubles nobody is told of in this run, and why: too few failures in a row so far, somebody knows and no
    reminder is due, or nobody is to be told of anything."""

    below_threshold: int = 0
    reminder_not_due: int = 0
    notify_off: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of sending one message over one channel; `problem` is one sentence without secrets, "" when it was
    accepted. `keys` are what it told of. `remark` is what deserves a warning although it was accepted."""

    channel: str
    target: str
    keys: tuple[Key, ...]
    started: float
    seconds: float
    problem: str = ""
    remark: str = ""

    @property
    def is_accepted(self) -> bool:
        return not self.problem
