# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What htgettoken says of a login is understood in whatever pieces it comes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._login_dialogue import Dialogue, Event, What
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.login_words import ADDRESS, ASKED, VAULT

ASKING = [Event(What.ADDRESS, ADDRESS), Event(What.CODE, "D134-7ABC"), Event(What.WAITING)]
FORBIDDEN = "HTTPError: Forbidden: 1 error occurred:"
REASON = "\t* permission denied\n\n"
ENDS: tuple[tuple[str, list[Event]], ...] = (
    ("Saving refresh token ... done\n", [Event(What.APPROVED), Event(What.SAVED)]),
    (f"Saving refresh token to {VAULT}\n  at path secret/x\n", [Event(What.APPROVED)]),
    (
        f"Saving refresh token ... failed\nhtgettoken: Refresh token storage to {VAULT} failed: {FORBIDDEN}\n{REASON}",
        [Event(What.APPROVED), Event(What.NOT_SAVED, FORBIDDEN)],
    ),
    (f"\nhtgettoken: error in response from {VAULT}: access_denied\n", [Event(What.REFUSED, "access_denied")]),
    (f"\nhtgettoken: error in response from {VAULT}: expired_token\n", [Event(What.EXPIRED)]),
    ("htgettoken: Polling for response took longer than 2 minutes\n", [Event(What.EXPIRED)]),
    ("condor_vault_storer: htgettoken failed\n", []),
)


def events_of(*pieces: bytes) -> tuple[list[Event], Dialogue]:
    dialogue = Dialogue()
    found = [event for piece in pieces for event in dialogue.feed(piece)]
    return found + dialogue.end(), dialogue


@pytest.mark.parametrize(("end", "expected"), ENDS)
def test_feed_whole_dialogue_is_understood(end: str, expected: list[Event]) -> None:
    assert events_of((ASKED + end).encode())[0] == ASKING + expected


@given(st.sampled_from(ENDS), st.lists(st.integers(0, 900), max_size=30))
def test_feed_pieces_do_not_matter(end: tuple[str, list[Event]], cuts: list[int]) -> None:
    said = (ASKED + end[0]).encode()
    places = [0, *sorted(min(cut, len(said)) for cut in cuts), len(said)]
    pieces = [said[first:last] for first, last in itertools.pairwise(places)]
    assert events_of(*pieces)[0] == ASKING + end[1]


@given(st.lists(st.binary(max_size=60) | st.sampled_from([line.encode() + b"\n" for line in ASKED.split("\n")])))
def test_feed_any_bytes_give_texts_fit_to_be_shown(pieces: list[bytes]) -> None:
    for event in events_of(*pieces)[0]:
        assert event.text.isprintable()
        assert event.what not in (What.ADDRESS, What.CODE) or (event.text and " " not in event.text)


def test_feed_approval_is_heard_before_its_line_has_ended() -> None:
    dialogue = Dialogue()
    dialogue.feed(ASKED.encode())
    assert dialogue.feed(b"Saving refresh token ...") == [Event(What.APPROVED)]
    assert dialogue.feed(b" done\n") == [Event(What.SAVED)]


def test_text_reasons_of_vault_in_lines_of_their_own_belong_to_it() -> None:
    dialogue = events_of(ENDS[2][0].encode(), b"condor_vault_storer: htgettoken failed\n")[1]
    assert dialogue.text(What.NOT_SAVED) == f"{FORBIDDEN} * permission denied"


@pytest.mark.parametrize("odd", ["javascript:alert(1)", "https://a b", "", "https://\x1b[31m", "https://" + "a" * 5000])
def test_feed_what_is_no_address_is_never_shown_as_one(odd: str) -> None:
    found, dialogue = events_of(
        f"Complete the authentication at:\n    {odd}\nWaiting for response in web browser\n".encode()
    )
    assert not dialogue.has(What.ADDRESS)
    assert Event(What.WAITING) in found


def test_feed_words_that_hold_a_token_are_redacted() -> None:
    (event,) = events_of(f"error in response from {VAULT}: {CANARY}\n".encode())[0]
    assert CANARY not in event.text


def test_feed_line_without_end_takes_no_memory() -> None:
    dialogue = Dialogue()
    for _piece in range(100):
        dialogue.feed(b"x" * 10_000)
    assert len(dialogue._line) <= 8192
