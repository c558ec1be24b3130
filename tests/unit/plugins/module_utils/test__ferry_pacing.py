# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often and when the registry is asked, with a clock that only waiting moves."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    DeadlineReached,
    RegistryAnswer,
    RegistryDenied,
    RegistryUnavailable,
    TlsFailed,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import Answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_pacing import (
    HOPELESS,
    Pacing,
    RealClock,
    pause_before,
    retry_after,
)

GOOD = Answer(200, b"{}")
SILENT = RegistryUnavailable("The registry cannot be reached.")


class FakeClock:
    """Go forward by waiting only."""

    def __init__(self) -> None:
        self.time = 100.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, ended: threading.Event) -> None:
        self.waits.append(round(seconds, 3))
        if not ended.is_set():
            self.time += seconds


class Script:
    """Answer one thing after the other, the last one again and again; remember when."""

    def __init__(self, clock: FakeClock, *steps: Answer | TokensError) -> None:
        self.clock = clock
        self.steps = list(steps)
        self.times: list[float] = []

    def __call__(self) -> Answer:
        self.times.append(self.clock.time - 100.0)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, TokensError):
            raise step
        return step


class Setting:
    """A pacing with a fake clock, and a run that ends `left` seconds after its beginning."""

    def __init__(self, retries: int = 3, left: float = 900.0) -> None:
        self.clock = FakeClock()
        self.pacing = Pacing(
            retries=retries, remaining=lambda: max(0.0, 100.0 + left - self.clock.time), clock=self.clock, chance=float
        )

    def ask(self, *steps: Answer | TokensError) -> tuple[Answer | TokensError, list[float]]:
        """Give what came of a script, and when it was asked."""
        script = Script(self.clock, *steps)
        try:
            return self.pacing.answer_to(script), script.times
        except TokensError as err:
            return err, script.times


@pytest.mark.parametrize("failure", [SILENT, *(Answer(status) for status in (429, 500, 502, 503, 504))])
def test_answer_to_what_can_pass_is_repeated_with_doubling_pauses(failure: Answer | TokensError) -> None:
    assert Setting().ask(failure, failure, failure, GOOD) == (GOOD, [0.0, 0.5, 1.5, 3.5])


@pytest.mark.parametrize("answer", [Answer(status) for status in (200, 302, 400, 404, 418)])
def test_answer_to_anything_else_is_an_answer(answer: Answer) -> None:
    assert Setting().ask(answer) == (answer, [0.0])


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_answer_to_gives_up_after_the_retries(retries: int) -> None:
    found, times = Setting(retries).ask(Answer(503))
    assert isinstance(found, RegistryUnavailable)
    assert found.msg == "The registry answered with HTTP 503."
    assert len(times) == retries + 1


def test_answer_to_other_errors_are_not_repeated() -> None:
    error = RegistryAnswer("Too large.")
    assert Setting().ask(error) == (error, [0.0])


HOLDS: tuple[tuple[str, list[float]], ...] = (("7", [0.0, 7.0]), ("0", [0.0, 0.5]), ("soon", [0.0, 0.5]))


@pytest.mark.parametrize(("text", "times"), HOLDS)
def test_answer_to_retry_after_is_honoured(text: str, times: list[float]) -> None:
    assert Setting().ask(Answer(429, b"", text), GOOD) == (GOOD, times)


def test_answer_to_retry_after_holds_back_everybody() -> None:
    setting = Setting(retries=0)
    assert setting.ask(GOOD)[0] == GOOD
    assert isinstance(setting.ask(Answer(503, b"", "20"))[0], RegistryUnavailable)
    assert setting.ask(GOOD) == (GOOD, [20.0])


@pytest.mark.parametrize(("left", "asked_for"), [(900.0, "61"), (30.0, "31")])
def test_answer_to_retry_after_beyond_what_can_be_waited_for_fails_at_once_and_for_all(
    left: float, asked_for: str
) -> None:
    setting = Setting(left=left)
    found, times = setting.ask(Answer(503, b"", asked_for))
    assert isinstance(found, RegistryUnavailable)
    assert f"asks to be left alone for {asked_for} s, longer than this run can wait" in found.msg
    assert times == [0.0]
    assert setting.clock.waits == []
    assert setting.ask(GOOD)[1] == []


BREAKING: tuple[tuple[Answer | TokensError, type[TokensError]], ...] = (
    (Answer(401), RegistryDenied),
    (Answer(403), RegistryDenied),
    (TlsFailed("Not verified."), TlsFailed),
    (SILENT, RegistryUnavailable),
)


@pytest.mark.parametrize(("step", "kind"), BREAKING)
def test_answer_to_what_is_about_us_ends_the_questions_of_all(
    step: Answer | TokensError, kind: type[TokensError]
) -> None:
    setting = Setting(retries=0)
    setting.ask(GOOD)
    first, times = setting.ask(step)
    assert isinstance(first, kind)
    assert times == [0.0]
    other, times = setting.ask(GOOD)
    assert isinstance(other, kind)
    assert other.msg == f"It was not asked, because of another's answer: {first.msg}"
    assert times == []


def test_answer_to_server_error_of_one_account_does_not_end_the_others() -> None:
    setting = Setting(retries=0)
    for _time in range(HOPELESS - 1):
        assert isinstance(setting.ask(Answer(500))[0], RegistryUnavailable)
    assert setting.ask(GOOD)[0] == GOOD
    for _time in range(HOPELESS):
        assert len(setting.ask(Answer(500))[1]) == 1
    assert setting.ask(GOOD)[1] == []


def test_answer_to_silence_for_one_while_another_is_answered_does_not_end_the_others() -> None:
    setting = Setting(retries=1)

    def answered_meanwhile() -> t.NoReturn:
        setting.pacing.answer_to(lambda: GOOD)
        raise SILENT

    with pytest.raises(RegistryUnavailable):
        setting.pacing.answer_to(answered_meanwhile)
    assert setting.ask(GOOD)[0] == GOOD


def test_answer_to_after_the_deadline_asks_nobody() -> None:
    found, times = Setting(left=0.0).ask(GOOD)
    assert isinstance(found, DeadlineReached)
    assert times == []


def test_answer_to_pause_beyond_the_deadline_is_not_waited_for() -> None:
    setting = Setting(retries=9, left=1.2)
    found, times = setting.ask(SILENT)
    assert found is SILENT
    assert times == [0.0, 0.5]


def test_answer_to_deadline_during_a_hold_ends_the_wait() -> None:
    setting = Setting(retries=0, left=30.0)
    setting.ask(Answer(429, b"", "20"))
    setting.clock.time += 15.0
    setting.pacing._not_before += 30.0
    found, times = setting.ask(GOOD)
    assert isinstance(found, DeadlineReached)
    assert setting.clock.waits == [15.0]
    assert times == []


@pytest.mark.parametrize("how", ["end", "denied"])
def test_real_clock_end_and_breaker_end_a_wait_of_another_thread(how: str) -> None:
    pacing = Pacing(retries=3, remaining=lambda: 900.0)
    held = threading.Event()
    found: list[TokensError] = []

    def hold() -> Answer:
        held.set()
        return Answer(503, b"", "55")

    def work() -> None:
        try:
            pacing.answer_to(hold)
        except TokensError as err:
            found.append(err)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert held.wait(30)
    if how == "end":
        pacing.end()
    else:
        pacing._break(RegistryDenied("No."))
    thread.join(30)
    assert not thread.is_alive()
    assert len(found) == 1


def test_real_clock_goes_forward() -> None:
    assert RealClock().now() <= time.monotonic()


RETRY_AFTERS: tuple[tuple[str, float | None], ...] = (
    ("120", 120.0),
    (" 0 ", 0.0),
    ("Wed, 25 Nov 2026 12:00:30 GMT", 30.0),
    ("Wed, 25 Nov 2026 11:00:00 GMT", 0.0),
    ("", None),
    ("-5", None),
    ("1.5", None),
    ("soon", None),
    ("²", None),
    ("99 Foo 9999", None),
)


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTERS)
def test_retry_after_of_seconds_and_dates(text: str, seconds: float | None) -> None:
    assert retry_after(text, 1795608000.0) == seconds


@given(st.text(max_size=30))
def test_retry_after_of_any_text_is_not_negative(text: str) -> None:
    assert (retry_after(text, 0.0) or 0.0) >= 0.0


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_pause_before_is_within_its_bounds(attempt: int, chance: float) -> None:
    assert 0.5 <= pause_before(attempt, chance) <= 10.0
