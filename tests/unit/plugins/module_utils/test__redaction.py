# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of programs are fit to be shown: no token, no control characters, not too long."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import (
    LIMIT,
    REDACTED,
    harmless,
    last_words,
    one_line,
    redact,
    shortened,
    showable,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY

SECRET = "CanaryCanaryCanaryCanaryCanary"
SECRETS = (
    CANARY,
    f"hvb.{SECRET}",
    f"s.{SECRET}",
    f"b.{SECRET}",
    f"eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET}",
    f"Authorization: Negotiate {SECRET}==",
    f"Authorization: Bearer {SECRET}",
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around", ["{}", "token={}", "x{}", "'{}'", "_{}", "a b {} c", "\x1b[31m{}\x1b[0m", "a\x1b[m{}"]
)
def test_one_line_token_is_never_shown(secret: str, around: str) -> None:
    text = around.format(secret)
    for shown in (one_line(text), last_words(text), shortened(text)):
        assert "Canary" not in shown
        assert REDACTED in shown


@pytest.mark.parametrize("broken_by", ["\x1b[1m", "\x00", "\u200b", "\x1b[0m\x07", "\x1b"])
def test_one_line_token_broken_by_the_invisible_is_never_shown(broken_by: str) -> None:
    assert "Canary" not in one_line(broken_by.join((CANARY[:7], CANARY[7:20], CANARY[20:])))


@pytest.mark.parametrize(
    "before", ["Negotiate abcdefgh", "b.aaaaaaaaaaaaaaaaaaaa", "eyJhbGciOi", "hvs.hvs.", "Bearer x"]
)
def test_one_line_token_glued_to_another_secret_is_never_shown(before: str) -> None:
    assert "Canary" not in one_line(before + CANARY)


def test_redact_leaves_ordinary_words_alone() -> None:
    text = "HTTPError: Forbidden: permission denied at https://vault.lab.example:8200/v1/secret/oauth/creds/dune"
    assert redact(text) == text


HARMLESS: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("n1:  two spaces stay. So does \u00e9.", "n1:  two spaces stay. So does \u00e9."),
    ("a\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2J\x1b[Hb", "ab"),
    ("a\nb\tc\u2028d", "a b c d"),
    (f"a {CANARY} b", f"a {REDACTED} b"),
    (f"a \x1b[8m{CANARY}", f"a {REDACTED}"),
    (f"s.{SECRET}", REDACTED),
)


@pytest.mark.parametrize(("text", "shown"), HARMLESS)
def test_harmless_leaves_what_is_not_bad_as_it_is(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("secret", SECRETS)
def test_harmless_shows_no_token(secret: str) -> None:
    assert "Canary" not in harmless(f"a {secret} b")


SHOWABLE: tuple[tuple[str, str], ...] = (
    ("a   b\n  c", "a   b\n  c"),
    ("a\x1b[2J\n\x1b[8mb\tc\r", "a\nb c "),
    (f"x{CANARY}", f"x{REDACTED}"),
    # A part of an address that somebody has to open.
    ("https://i.example/a?state=eyJhbGciOiJSUzI1NiJ9", "https://i.example/a?state=eyJhbGciOiJSUzI1NiJ9"),
)


@pytest.mark.parametrize(("text", "shown"), SHOWABLE)
def test_showable_leaves_what_is_not_bad_as_it_is(text: str, shown: str) -> None:
    assert showable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "managed_tokens_experiments.dune.roles.analysis.thekeythatnobodyknows",
        "experiments.dune.roles.analysis.50100501005010050100",
        "webjob.accountsforthenextgeneration",
        "nodes.DUNEGPVMINTERACTIVENODES01",
    ],
)
def test_redact_leaves_names_with_dots_alone(text: str) -> None:
    assert redact(text) == text


@given(
    before=st.text(max_size=5),
    separator=st.characters().filter(lambda char: not (char.isascii() and char.isalnum())),
    first=st.sampled_from(("s.", "b.", "hvs.", "hvb.", "hvr.")),
    rest=st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=20, max_size=30),
)
def test_redact_token_behind_anything_but_a_letter_or_digit_is_never_shown(
    before: str, separator: str, first: str, rest: str
) -> None:
    assert rest not in redact(f"{before}{separator}{first}{rest}")


@pytest.mark.parametrize("separator", [*"=:'\" [](){}/,;|<>@_", "\\n", "%3D"])
def test_redact_token_behind_what_usually_stands_before_it_is_never_shown(separator: str) -> None:
    assert redact(f"token{separator}s.abcdefghijklmnopqrst0123") == f"token{separator}{REDACTED}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "ab"),
        ("a\r\n\n b\t c", "a b c"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("a\x1b", "a"),
        ("a\u2028b\x85c", "a b c"),
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("  ", ""),
    ],
)
def test_one_line_control_characters_are_gone(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(st.text(max_size=600), st.integers(20, 300))
def test_shortened_keeps_both_ends(text: str, limit: int) -> None:
    whole, shown = one_line(text, 24_000), shortened(text, limit)
    assert len(shown) <= limit
    assert shown == whole or (shown[0], shown[-1]) == (whole[0], whole[-1])


def test_shortened_cuts_no_secret_into_something_that_is_none_any_more() -> None:
    for length in range(40):
        assert "Canary" not in shortened(f"{'x' * length} {CANARY} {'y' * 40}", 60)


def test_one_line_end_is_kept_not_the_start() -> None:
    shown = one_line("start " + "x" * 1000 + " end")
    assert len(shown) <= LIMIT
    assert shown.startswith("... ")
    assert shown.endswith(" end")


@pytest.mark.parametrize("noise", [" ", "\n", "\x1b[0m", "\t\r"])
def test_last_words_megabyte_cut_inside_a_token_does_not_show_its_rest(noise: str) -> None:
    """What is cut off first takes the telling beginning of a token with it, so its rest must go too."""
    for visible in range(1, 60, 7):
        whole = "x " * 500_000 + CANARY
        output = whole + noise * ((40 * LIMIT - visible) // len(noise))
        for shown in (last_words(output), one_line(output)):
            assert CANARY[-visible:] not in shown or visible < 4


def test_last_words_are_the_last_lines_that_say_something() -> None:
    assert last_words("a\n\nb\n  c \n\nd\n\n") == "b / c / d"
    assert last_words("\n \n") == ""


@given(st.text(), st.text(), st.integers(8, 500))
def test_one_line_of_anything_holds_no_token_no_control_character_and_the_limit(
    before: str, after: str, limit: int
) -> None:
    for shown in (one_line(f"{before}{CANARY}{after}", limit), last_words(f"{before}{CANARY}{after}", limit=limit)):
        assert CANARY not in shown
        assert SECRET[:12] not in shown
        assert len(shown) <= limit
        assert not any(unicodedata.category(char) == "Cc" for char in shown)
