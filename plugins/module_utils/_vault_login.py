# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Have a person log in for one service, with a browser anywhere, while the storer waits on a terminal of its own.

htgettoken waits two minutes for the person; it is started anew until the login's own time is over.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    LoginByStranger,
    LoginDenied,
    LoginTimedOut,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._login_dialogue import Dialogue, Event, What
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHANGED, LOGIN, Outcome, Stopwatch
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun, run_storer
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_failure import cause_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._token_store import store
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import LookUp

# Source: htgettoken 2.2, "Polling for response took longer than 2 minutes".
ADDRESS_LIFE_S = 120.0
COUNTDOWN_EVERY_S = 30.0
# With less than this left no new address is asked for: nobody could open it in time.
SHORTEST_ATTEMPT_S = 10.0
# What vault says of somebody without the role. Source: Vault's JWT/OIDC method; the last is its policies' refusal.
_NOT_YOU = ("permission denied", "bound claim", "not authorized")


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where somebody is to log in for a service: `address` and `code` ("" for none) count for `life` seconds, the whole
    login takes at most `left` more; `number` of `total` logins of this run."""

    service: str
    experiment: str
    address: str
    code: str
    life: float
    left: float
    number: int = 1
    total: int = 1
    is_renewed: bool = False


class Audience(t.Protocol):
    """Whoever sees the login, while it goes on."""

    def show(self, text: str) -> None:
        """Show a line at once."""

    def invite(self, invitation: Invitation) -> None:
        """Show, and send where that is wanted, where to log in."""

    def waited(self) -> None:
        """Be told every half second that nothing has happened."""


class RunOnPty(t.Protocol):
    """What C(run_on_pty) looks like, so that tests can put something else in its place."""

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        env: t.Mapping[str, str],
        until: t.Callable[[], float],
        said: t.Callable[[bytes], None],
        waited: t.Callable[[], None],
    ) -> Finished: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: `login` for the person, `store` for what the storer does after the approval."""

    login: float
    store: float


class Login:
    """One service's login: its attempts, what they said, and what that means."""

    def __init__(
        self,
        storer: StorerRun,
        audience: Audience,
        limits: Limits,
        place: tuple[int, int] = (1, 1),
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._storer = replace(storer, is_login=True)
        self._audience = audience
        self._limits = limits
        self._place = place
        self._clock = clock
        self._end = clock() + limits.login
        self._next_countdown = 0.0
        self._dialogue = Dialogue()
        self._attempts = 0
        self._silent_waits = 0
        self._invited = ""

    @property
    def service(self) -> Service:
        return self._storer.service

    def run(self, run: RunOnPty, lives: LookUp) -> Outcome:
        """Lead the login to its end; give its outcome, with the token kept if one was obtained.

        What the kept token was is untouched unless a better one has come.
        """
        watch = Stopwatch()

        def on_terminal(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
            return self._until_answered(run, argv, env)

        stored = store(
            self._storer,
            # Without an earlier token: with one, a forced login would not come about.
            run_storer=lambda storer, _prior: run_storer(storer, None, run=on_terminal, timeout=self._limits.login),
            lives=lives,
            timeout=self._limits.login,
            meaning=lambda done, what, _timeout: self.meaning(done, what),
        )
        found = replace(stored.outcome, stage=LOGIN, credd="", life=0.0, started=watch.started, seconds=watch.seconds)
        if found.is_failure and self._dialogue.has(What.SAVED):
            # The person has done their part; what a credd lacks is told when the token is stored.
            found = replace(found, status=CHANGED, kind="", message="")
        return found if found.is_failure else replace(found, status=CHANGED)

    def _until_answered(self, run: RunOnPty, argv: t.Sequence[str], env: t.Mapping[str, str]) -> Finished:
        while True:
            self._dialogue = Dialogue()
            self._attempts += 1
            self._silent_waits = 0
            self._next_countdown = self._clock() + COUNTDOWN_EVERY_S
            done = run(argv, env=env, until=self._until, said=self._said, waited=self._waited)
            for event in self._dialogue.end():
                self._take(event)
            is_over = self._end - self._clock() < SHORTEST_ATTEMPT_S
            if not self._dialogue.has(What.EXPIRED) or is_over:
                return done
            self._audience.show(
                f"{self.service.config_name}: nobody has answered yet, and the address above no longer counts; "
                "a new one comes."
            )

    def _until(self) -> float:
        # Whoever has approved shall not be cut off by the time that was meant for the person.
        return self._end + (self._limits.store if self._dialogue.has(What.APPROVED) else 0.0)

    def _said(self, piece: bytes) -> None:
        for event in self._dialogue.feed(piece):
            self._take(event)

    def _take(self, event: Event) -> None:
        if event.what is What.WAITING:
            self._invite()
        elif event.what is What.APPROVED:
            self._audience.show(f"{self.service.config_name}: the login is approved.")

    def _invite(self) -> None:
        address = self._dialogue.text(What.ADDRESS)
        if not address or address == self._invited:
            return
        self._invited = address
        left = max(0.0, self._end - self._clock())
        self._audience.invite(
            Invitation(
                self.service.config_name,
                self.service.experiment,
                address,
                self._dialogue.text(What.CODE),
                min(ADDRESS_LIFE_S, left),
                left,
                *self._place,
                is_renewed=self._attempts > 1,
            )
        )

    def _waited(self) -> None:
        self._silent_waits += self._dialogue.has(What.ADDRESS)
        if self._silent_waits > 1:
            # A version that does not say that it waits; its code would have come by now.
            self._invite()
        now = self._clock()
        if self._dialogue.has(What.ADDRESS) and not self._dialogue.has(What.APPROVED) and now >= self._next_countdown:
            self._next_countdown = now + COUNTDOWN_EVERY_S
            self._audience.show(
                f"Waiting for the approval of {self.service.config_name}: {clock_words(self._end - now)} left"
            )
        self._audience.waited()

    def meaning(self, done: Finished, what: str) -> TokensError:
        """Give the error behind a login that did not end well."""
        told = self._dialogue
        name = what.partition(" ")[0]
        if told.has(What.SAVED):
            return cause_of(done, what, self._limits.store)
        if told.has(What.NOT_SAVED):
            words = told.text(What.NOT_SAVED)
            if is_refusal(words):
                return LoginByStranger(f"{name}: vault does not let whoever logged in store the refresh token: {words}")
            return cause_of(done, what, self._limits.login)
        if told.has(What.REFUSED):
            words = told.text(What.REFUSED)
            if is_refusal(words):
                return LoginByStranger(f"{name}: vault does not let in whoever logged in: {words}")
            return LoginDenied(f"{name}: the login was refused: {words}")
        if told.has(What.APPROVED):
            return cause_of(done, what, self._limits.login + self._limits.store)
        if told.has(What.EXPIRED) or (done.timed_out and told.has(What.ADDRESS)):
            return LoginTimedOut(f"{name}: nobody approved the login within {clock_words(self._limits.login)}.")
        return cause_of(done, what, self._limits.login)


def is_refusal(words: str) -> bool:
    """Tell whether these words refuse a person, and do not only fail."""
    return any(mark in words.lower() for mark in _NOT_YOU)


def clock_words(seconds: float) -> str:
    """Say a time to wait as people do: 9 min 30 s, 45 s, 10 min."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    parts = [f"{minutes} min"] if minutes else []
    parts += [f"{rest} s"] if rest or not minutes else []
    return " ".join(parts)
