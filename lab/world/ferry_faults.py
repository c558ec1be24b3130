# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the stand-in for FERRY misbehave, by a control file that it reads."""

from __future__ import annotations

import re

from world import misbehaviour
from world.fault_targets import account
from world.fault_words import Pair, count, seconds
from world.ferry_state import FAULTS_FILE
from world.misbehaviour import Check
from world.namespaces import WorldError

OVERLOADED_REQUESTS = "5"


def _check_slow(words: list[str]) -> list[str]:
    seconds("ferry-slow", words[0])
    return words


def _check_500(words: list[str]) -> list[str]:
    for word in words:
        count("ferry-500", word, "requests")
    return words


def _check_429(words: list[str]) -> list[str]:
    if not words[0].isdecimal() or not words[0].isascii():
        raise WorldError(f"ferry-429 needs a whole number of seconds, not {words[0]!r}.")
    requests = [*words, OVERLOADED_REQUESTS][1]
    count("ferry-429", requests, "requests")
    return [words[0], requests]


def _check_account(words: list[str]) -> list[str]:
    # Generated accounts come and go with their number.
    if words and not re.fullmatch(r"bulk\d{4,}", words[0]):
        account(words[0])
    return words


CHECKS: dict[str, Check] = {
    "ferry-slow": _check_slow,
    "ferry-500": _check_500,
    "ferry-429": _check_429,
    "ferry-garbage": _check_account,
    "ferry-unknown": _check_account,
    "ferry-uid": _check_account,
    "ferry-inactive": _check_account,
}


def pair(name: str) -> Pair:
    """Give what tells the server of a fault, and what takes that back."""
    return misbehaviour.pair(FAULTS_FILE, name, CHECKS[name])
