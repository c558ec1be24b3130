# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask again what can pass, at the pace that the registry wants, and nobody any more once asking is hopeless.

The one layer of retries. All threads share one moment before which nobody asks, and one breaker.
"""

from __future__ import annotations

import email.utils
import random
import threading
import time
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    DeadlineReached,
    RegistryDenied,
    RegistryUnavailable,
    TlsFailed,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import Answer

CAN_PASS = (429, 500, 502, 503, 504)
DENIED = (401, 403)
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
LONGEST_HOLD_S = 60.0
HOPELESS = 5


class Clock(t.Protocol):
    """The time, and how it is waited for."""

    def now(self) -> float:
        """Give seconds of a clock that only goes forward."""

    def wait(self, seconds: float, ended: threading.Event) -> None:
        """Wait, at most until `ended` is set."""


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Give monotonic seconds."""
        return time.monotonic()

    def wait(self, seconds: float, ended: threading.Event) -> None:
        """Wait, at most until `ended` is set."""
        ended.wait(seconds)


def retry_after(text: str, now: float) -> float | None:
    """Give the seconds that a Retry-After header asks for, None when it says nothing; `now` is seconds since the epoch.

    Source: RFC 9110, section 10.2.3: a number of seconds or a date.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def pause_before(attempt: int, chance: float) -> float:
    """Give the seconds to wait before repeating for the `attempt`th time (from 1); `chance` (0-1) spreads them."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 10) * (1.0 + chance / 4.0))


class Pacing:
    """Lead the questions of all threads to the registry; `remaining` gives the seconds that the run has left."""

    def __init__(
        self,
        *,
        retries: int,
        remaining: t.Callable[[], float],
        clock: Clock | None = None,
        chance: t.Callable[[], float] = random.random,
    ) -> None:
        self._retries = retries
        self._remaining = remaining
        self._clock: Clock = clock or RealClock()
        self._chance = chance
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._answered = 0
        self._in_vain = 0
        self._reason: TokensError | None = None

    def end(self) -> None:
        """End every wait: the run is being stopped."""
        self._break(RegistryUnavailable("The run is being stopped."))

    def answer_to(self, ask: t.Callable[[], Answer]) -> Answer:
        """Give the first answer that is one: neither an overloaded nor a broken registry's.

        Raises: RegistryUnavailable after the last try, RegistryDenied and TlsFailed (nobody else asks after those),
        DeadlineReached, whatever else `ask` raises.
        """
        answered_before = self._answered
        earliest = 0.0
        for attempt in range(1, self._retries + 2):
            self._wait_for_turn(earliest)
            asked_for = None
            is_reached = False
            try:
                answer = ask()
            except TlsFailed as err:
                raise self._break(err) from None
            except RegistryUnavailable as err:
                failure = err
            else:
                if answer.status in DENIED:
                    raise self._break(RegistryDenied(f"The registry does not let us ask (HTTP {answer.status})."))
                if answer.status not in CAN_PASS:
                    self._answered += 1
                    self._in_vain = 0
                    return answer
                is_reached = True
                failure = RegistryUnavailable(f"The registry answered with HTTP {answer.status}.")
                asked_for = self._hold(answer)
            pause = max(pause_before(attempt, self._chance()), asked_for or 0.0)
            if attempt > self._retries or pause >= self._remaining():
                break
            earliest = self._clock.now() + pause
        # When nobody got an answer meanwhile, the others need not find out one by one. An error that the registry
        # itself tells may be about one account; several in a row are not.
        self._in_vain += 1
        if self._answered == answered_before and (not is_reached or self._in_vain >= HOPELESS):
            self._break(failure)
        raise failure

    def _hold(self, answer: Answer) -> float | None:
        """Hold everybody back as long as the registry asks for; give these seconds.

        Raises: RegistryUnavailable when that is too long to wait for.
        """
        seconds = retry_after(answer.retry_after, time.time())
        if seconds is None:
            return None
        most = min(LONGEST_HOLD_S, self._remaining())
        if seconds > most:
            raise self._break(
                RegistryUnavailable(
                    f"The registry answered with HTTP {answer.status} and asks to be left alone for {seconds:.0f} s, "
                    f"longer than this run can wait ({most:.0f} s)."
                )
            )
        with self._lock:
            self._not_before = max(self._not_before, self._clock.now() + seconds)
        return seconds

    def _wait_for_turn(self, earliest: float) -> None:
        while True:
            if self._reason is not None:
                raise type(self._reason)(f"It was not asked, because of another's answer: {self._reason.msg}")
            left = self._remaining()
            if left <= 0:
                raise DeadlineReached("The run's time was over before the registry could be asked.")
            pause = max(earliest, self._not_before) - self._clock.now()
            if pause <= 0:
                return
            self._clock.wait(min(pause, left), self._ended)

    def _break(self, reason: TokensError) -> TokensError:
        with self._lock:
            self._reason = self._reason or reason
        self._ended.set()
        return reason
