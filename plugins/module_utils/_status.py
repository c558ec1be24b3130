# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say what is known of every service, node, credd and run: the values behind "is everything well?".

All texts are on one line, without control characters or tokens; all times are seconds since the epoch (UTC), 0.0 for
never or not known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

NAME_LIMIT = 120
MESSAGE_LIMIT = 400
# What datetime can say.
LAST_SECOND = 253402300799.0


@dataclass(frozen=True, slots=True)
class Target:
    """The last attempt of a stage for a service, at a credd or node, or ("") at none.

    `failures` counts runs in a row as the report does, which begins anew when people have been told; `told` is when
    they were. `is_left_out` means that a later run stored the service, and not here.
    """

    name: str
    stage: str
    attempted: float = 0.0
    succeeded: float = 0.0
    is_failure: bool = False
    failing_since: float = 0.0
    failures: int = 0
    told: float = 0.0
    kind: str = ""
    message: str = ""
    expires: float = 0.0
    is_left_out: bool = False
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One configured service: `setup` are its set-up and ticket stages, `credds` where its token is stored, `nodes`
    where it is pushed.

    `strays` are nodes that it is no longer configured for, with files that it has left there.
    `account` and `uid` are "" and 0 when the database does not know them; `uid_age` in seconds is None when nobody
    knows it. A `held_by` names the run that serves it now.
    """

    name: str
    experiment: str
    real_name: str = ""
    account: str = ""
    uid: int = 0
    uid_age: float | None = None
    setup: tuple[Target, ...] = ()
    credds: tuple[Target, ...] = ()
    nodes: tuple[Target, ...] = ()
    strays: tuple[Target, ...] = ()
    held_by: str = ""

    @property
    def targets(self) -> tuple[Target, ...]:
        """All places that have to have its token."""
        return (*self.credds, *self.nodes)

    @property
    def failing(self) -> tuple[Target, ...]:
        """What failed when it was tried last.

        A set-up that failed before the token was last stored is over: only a later run can have done that.
        """
        stored = max((target.succeeded for target in self.credds), default=0.0)
        return tuple(
            target
            for target in (*self.setup, *self.targets)
            if target.is_failure and not (target in self.setup and target.attempted < stored)
        )

    @property
    def oldest(self) -> float:
        """When its place that has waited longest got the token; 0.0 when one never did."""
        return min((target.succeeded for target in self.targets if not target.is_left_out), default=0.0)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run of a program: `result` is one of the words below, `words` one sentence."""

    id: str
    program: str
    started: float
    ended: float
    result: str
    words: str = ""
    services: int = 0
    services_failed: int = 0


WELL, FAILED, NOTHING, ELSEWHERE = "well", "failed", "nothing done", "left to another run"
GOING, INTERRUPTED = "still going", "interrupted"
BAD_RESULTS = (FAILED, NOTHING, INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Leftover:
    """What is still to do of something else than the configured services: the rest of one that was let go, or an
    account that the registry was asked for in vain; `what` names it."""

    what: str
    kind: str
    message: str
    since: float


@dataclass(frozen=True, slots=True)
class Status:
    """What was known at `taken`.

    `trouble` says why the database could not be read, "" when it could. `untold` are (kind, message) of a run that
    the database cannot know of, `recent` the last runs, the newest first. `last` are the newest finished runs by
    program, and `last_well` is when a run that put tokens in place was well last.
    """

    taken: float
    label: str = ""
    services: tuple[ServiceStatus, ...] = ()
    recent: tuple[RunStatus, ...] = ()
    last: tuple[RunStatus, ...] = ()
    last_well: float = 0.0
    leftovers: tuple[Leftover, ...] = ()
    trouble: str = ""
    untold: tuple[tuple[str, str], ...] = ()


def clean(value: object, limit: int = NAME_LIMIT) -> str:
    """Give a text on one line that every encoding can write."""
    return one_line(str(value), limit).encode("utf-8", "replace").decode("utf-8")


def moment(value: float | None) -> float:
    """Give a time that can be shown; 0.0 for what is none."""
    try:
        found = float(value or 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(found, LAST_SECOND) if math.isfinite(found) and found > 0 else 0.0
