# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Carry what all stages of one run share: its identity, its deadline, its timeouts and its private directory."""

from __future__ import annotations

import time
import typing as t
import uuid
from dataclasses import asdict, dataclass, field, fields

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput

LONGEST_S = 1e6


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds, each greater than 0.

    `run` bounds everything; `kerberos` one ticket; `store` one storer run; `ping` one probe; `connect` until a node's
    ssh server has let us in; `push` everything on one connection, its set-up included; `vault` one look-up of a
    token's remaining life; `ferry` one answer of the registry; `login` one person's login with a browser.
    """

    run: float = 900.0
    kerberos: float = 20.0
    store: float = 60.0
    ping: float = 3.0
    connect: float = 10.0
    push: float = 30.0
    vault: float = 5.0
    ferry: float = 10.0
    login: float = 600.0

    @classmethod
    def from_dict(cls, plain: t.Mapping[str, t.Any] | None) -> Timeouts:
        """Read the option; missing keys keep their defaults.

        Raises: BadInput naming every value that is not positive and every pair that contradicts itself.
        """
        known = {item.name for item in fields(cls)}
        given = {key: value for key, value in (plain or {}).items() if value is not None}
        problems = [
            f"managed_tokens_timeouts has an unknown key {key!r}; known are {', '.join(sorted(known))}."
            for key in sorted(given, key=str)
            if key not in known
        ]
        values: dict[str, float] = {}
        for key, value in given.items():
            try:
                values[key] = float(value)
            except (TypeError, ValueError, OverflowError):
                problems.append(f"managed_tokens_timeouts.{key} is {value!r}; it has to be a number of seconds.")
                continue
            if not values[key] > 0:
                problems.append(f"managed_tokens_timeouts.{key} is {value}; it has to be more than 0 seconds.")
            elif values[key] > LONGEST_S:
                problems.append(
                    f"managed_tokens_timeouts.{key} is {value}; it has to be at most {LONGEST_S:.0f} seconds."
                )
        if problems:
            raise BadInput(*problems)
        timeouts = cls(**values)
        problems = timeouts.contradictions()
        if problems:
            raise BadInput(*problems)
        return timeouts

    def contradictions(self) -> list[str]:
        """Name every pair of limits in which the inner one could never be reached."""
        pairs = [("connect", "push"), ("ping", "connect"), ("kerberos", "run"), ("store", "run"), ("push", "run")]
        return [
            f"managed_tokens_timeouts.{inner} ({getattr(self, inner):g} s) has to be shorter than "
            f"managed_tokens_timeouts.{outer} ({getattr(self, outer):g} s)."
            for inner, outer in pairs
            if getattr(self, inner) >= getattr(self, outer)
        ]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: `id` is unique, `deadline` seconds since the epoch, `directory` the private directory ("" until one is
    made)."""

    id: str
    started: float
    deadline: float
    directory: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)

    @classmethod
    def begin(cls, timeouts: Timeouts) -> Run:
        """Start a run now."""
        now = time.time()
        return cls(id=uuid.uuid4().hex[:12], started=now, deadline=now + timeouts.run, timeouts=timeouts)

    @classmethod
    def from_dict(cls, plain: t.Mapping[str, t.Any] | None) -> Run:
        """Read the plain form; without one a run of default timeouts begins now.

        Raises: BadInput when it is not the C(run) value that C(service_info) returned.
        """
        if not plain:
            return cls.begin(Timeouts())
        try:
            return cls(
                id=str(plain["id"]),
                started=float(plain["started"]),
                deadline=float(plain["deadline"]),
                directory=str(plain.get("directory", "")),
                timeouts=Timeouts.from_dict(plain.get("timeouts")),
            )
        except (KeyError, TypeError, ValueError) as err:
            raise BadInput(f"The run option is not what service_info returned: {err!r}.") from err

    def to_dict(self) -> dict[str, t.Any]:
        return asdict(self)

    def remaining(self, now: float | None = None) -> float:
        """Give the seconds left until the run's deadline, never less than 0."""
        return max(0.0, self.deadline - (time.time() if now is None else now))
