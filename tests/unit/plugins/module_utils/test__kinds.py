# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error has an entry in the one table of kinds, and every entry an error."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _kinds
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS, explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._ping import UNANSWERED
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts


def classes(base: type[TokensError]) -> t.Iterator[type[TokensError]]:
    """Give a class and all below it."""
    yield base
    for below in base.__subclasses__():
        yield from classes(below)


def test_every_error_has_a_kind_of_its_own_and_every_kind_an_error() -> None:
    kinds = [error.kind for error in classes(TokensError) if not error.__module__.startswith("tests")]
    assert len(kinds) == len(set(kinds))
    assert {*kinds, UNANSWERED} == KINDS.keys()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_entry_says_what_it_means_what_to_do_and_who(kind: str) -> None:
    entry = KINDS[kind]
    assert entry.sentence.endswith(".")
    assert entry.advice.endswith(".")
    people = (
        _kinds.OPERATOR,
        _kinds.EXPERIMENT,
        _kinds.NODES,
        _kinds.POOL,
        _kinds.VAULT,
        _kinds.KDC,
        _kinds.REGISTRY,
    )
    assert entry.who in people


def test_advice_names_only_timeouts_that_exist() -> None:
    known = set(Timeouts.__dataclass_fields__)
    for entry in KINDS.values():
        for word in entry.advice.replace(",", " ").split():
            if word.startswith("managed_tokens_timeouts."):
                assert word.rstrip(".").partition(".")[2] in known


def test_explain_unknown_kind_gets_the_general_entry() -> None:
    assert explain("unheard_of") is KINDS["failed"]
    assert explain("timed_out") is KINDS["timed_out"]


def test_bad_input_many_problems_are_numbered_in_one_sentence() -> None:
    assert BadInput("One thing.").msg == "One thing."
    assert BadInput("One.", "Two?").msg == "The configuration has 2 problems: (1) One; (2) Two?."
