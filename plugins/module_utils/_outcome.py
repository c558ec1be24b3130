# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Record one fact of a run: the only currency between the stages and the report."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import harmless

OK = "ok"
CHANGED = "changed"
FAILED = "failed"
SKIPPED = "skipped"
STATUSES = (OK, CHANGED, FAILED, SKIPPED)

SETUP = "setup"
TICKETS = "tickets"
STORE = "store"
PING = "ping"
PUSH = "push"
STATE = "state"
REGISTRY = "registry"
# Of taking a service in: what it needs, and a person's login.
CHECK = "check"
LOGIN = "login"
# Of letting a service go: its files on the nodes, its credentials on the credds, its kept tokens, what is remembered.
NODE_REMOVAL = "node_removal"
CREDD_REMOVAL = "credd_removal"
KEPT_REMOVAL = "kept_removal"
STATE_REMOVAL = "state_removal"
REMOVALS = (NODE_REMOVAL, CREDD_REMOVAL, KEPT_REMOVAL, STATE_REMOVAL)
STAGES = (SETUP, TICKETS, STORE, PING, PUSH, STATE, REGISTRY, CHECK, LOGIN, *REMOVALS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recorded fact.

    `started` is seconds since the epoch (UTC), `seconds` the duration by a monotonic clock. `kind` and `message` are
    empty unless something failed, was skipped or deserves a remark. `service` is the real name, `config_service` the
    name in the configuration; pings have neither. `account` is the one that the registry was asked for. `life` is the
    remaining life of the token that was stored or pushed in seconds, 0 when it is not known.
    """

    stage: str
    status: str
    service: str = ""
    config_service: str = ""
    node: str = ""
    credd: str = ""
    account: str = ""
    started: float = 0.0
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    life: float = 0.0

    @property
    def is_failure(self) -> bool:
        return self.status == FAILED

    def to_dict(self) -> dict[str, t.Any]:
        """Give the plain form that results carry; empty fields are left out."""
        plain = {key: value for key, value in asdict(self).items() if value not in ("", 0.0)}
        if self.life:
            plain["life"] = round(self.life)
        plain["started"] = round(self.started, 3)
        plain["seconds"] = round(self.seconds, 4)
        return plain

    @classmethod
    def from_dict(cls, plain: t.Mapping[str, t.Any]) -> Outcome:
        """Read the plain form; keys of a later release are ignored."""
        known = {key: plain[key] for key in cls.__slots__ if key in plain}
        return cls(**known)


def is_only_a_look(outcomes: t.Iterable[Outcome]) -> bool:
    """Tell whether nodes were pinged and nothing was attempted that could keep anything fresh: no run to report, to
    count or to remember."""
    found = list(outcomes)
    stages = {outcome.stage for outcome in found}
    went_wrong = any(outcome.is_failure and outcome.stage != PING for outcome in found)
    return PING in stages and stages <= {SETUP, PING, STATE} and not went_wrong


class Stopwatch:
    """Take wall-clock start and monotonic duration of one piece of work."""

    __slots__ = ("_mark", "started")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Count from now on: what came before was waiting for a turn."""
        self.started = time.time()
        self._mark = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._mark


class Named(t.Protocol):
    """What an outcome takes from a service."""

    @property
    def name(self) -> str: ...
    @property
    def config_name(self) -> str: ...


def record(stage: str, status: str, service: Named, watch: Stopwatch, **more: t.Any) -> Outcome:
    """Record what came of one stage for a service, with the time that `watch` has taken; `more` are further fields.

    Whatever a message quotes, it goes to terminals, mails and files: no token and no control character gets further.
    """
    if more.get("message"):
        more["message"] = harmless(more["message"])
    return Outcome(
        stage, status, service.name, service.config_name, started=watch.started, seconds=watch.seconds, **more
    )
