# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line on top says who is concerned, how much, how long; and it fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, SETUP, Key, Message, Notice
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_headline import headline
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import (
    NODE,
    end,
    for_dune,
    hostile_notices,
    hostile_text,
    many,
    message,
    run_trouble,
    setup_trouble,
    trouble,
)

MARK = "tokens"
OTHER = Key(PUSH, "dune_raw", NODE)
SERVICE_END = end(key=Key(SETUP, "dune_production"))
LONG = "n" * 60 + ".lab.example"

HEADLINES: tuple[tuple[Message, str], ...] = (
    (for_dune(trouble()), f"dune: {NODE} did not get its token (3 runs in a row)"),
    (for_dune(trouble(), trouble(key=OTHER)), f"dune: {NODE} did not get its tokens (3 runs in a row)"),
    (for_dune(*many(2)), "dune: 2 nodes did not get their token (3 runs in a row)"),
    (for_dune(*many(2000, count=1)), "dune: 2,000 nodes did not get their token"),
    (for_dune(trouble(), trouble("n2", count=7)), "dune: 2 nodes did not get their token (up to 7 runs in a row)"),
    (for_dune(*many(2), end()), "dune: 2 nodes did not get their token (3 runs in a row); 1 well again"),
    (for_dune(end()), "dune: dunegpvm09.lab.example is well again"),
    (for_dune(end("a"), end("b")), "dune: 2 nodes are well again"),
    (for_dune(trouble(LONG)), "dune: 1 node did not get its token (3 runs in a row)"),
    (message(setup_trouble()), "dune_production failed (3 runs in a row)"),
    # A service that failed on two credds is one service.
    (message(setup_trouble(), setup_trouble()), "dune_production failed (3 runs in a row)"),
    (message(setup_trouble("a"), setup_trouble("b"), *many(3)), "2 services failed, 3 nodes did not get their token"),
    (message(run_trouble()), "token-push failed"),
    (message(run_trouble(), setup_trouble()), "token-push failed, dune_production failed (up to 3 runs in a row)"),
    (message(SERVICE_END, end()), "dune_production and dunegpvm09.lab.example are well again"),
    (message(SERVICE_END, end("a"), end("b")), "dune_production and 2 nodes are well again"),
    (message(), "nothing to tell"),
    (message(is_trial=True), "TEST MESSAGE, nobody has to do anything"),
)


@pytest.mark.parametrize(("told", "line"), HEADLINES)
def test_headline_says_it_all(told: Message, line: str) -> None:
    found = headline(told, ReportSettings(), mark=MARK)
    assert found.startswith(f"[{MARK}] {line}")
    assert len(found) < 100


@pytest.mark.parametrize(
    ("environment", "mark", "beginning"),
    [
        ("production", MARK, "[tokens] dune: "),
        ("test", MARK, "[tokens, test] dune: "),
        ("test", "", "[test] dune: "),
        ("production", "", "dune: "),
        ("", MARK, "[tokens] dune: "),
        ("Prüfung", MARK, "[tokens, Prufung] dune: "),
    ],
)
def test_headline_names_what_is_not_production(environment: str, mark: str, beginning: str) -> None:
    line = headline(for_dune(trouble()), ReportSettings(environment=environment), mark=mark)
    assert line.startswith(beginning + NODE)


def test_headline_gives_up_the_least_important_first() -> None:
    notices = [run_trouble(), setup_trouble(), setup_trouble("b"), *many(2), trouble(key=OTHER), end()]
    line = headline(message(*notices), ReportSettings(), mark="managed tokens")
    assert line == "[managed tokens] token-push failed, 2 services failed, 3 nodes did not get their tokens"


@given(notices=hostile_notices(), experiment=st.just("") | hostile_text(), environment=hostile_text())
def test_headline_of_any_texts_is_short_and_plain(notices: list[Notice], experiment: str, environment: str) -> None:
    told = message(*notices, experiment=experiment)
    for limit in (80, 99, 130):
        line = headline(told, ReportSettings(environment=environment), mark="managed tokens", limit=limit)
        assert 0 < len(line) <= limit
        assert line.isascii()
        assert line.isprintable()
        assert "=?" not in line
