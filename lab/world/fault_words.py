# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Understand the words of a fault, and say what a fault is made of."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from world.namespaces import WorldError

# What breaks or mends something; it is given the fault's words.
Change = t.Callable[[list[str]], None]
# What makes a fault, and what mends it.
Pair = tuple[Change, Change]


@dataclass(frozen=True)
class Fault:
    """One kind of fault: what it does in one line, how many words it needs, how it is made and mended."""

    text: str
    words: str
    make: Change
    mend: Change

    def check(self, name: str, given: list[str]) -> None:
        needed = [word for word in self.words.split() if not word.startswith("[")]
        if not len(needed) <= len(given) <= len(self.words.split()):
            raise WorldError(f"The fault {name} is used as: fault {name} {self.words}".rstrip())


def seconds(fault: str, word: str) -> float:
    """Give a number of seconds, of 0 or more.

    Raises: WorldError when the word is none.
    """
    if not word.isascii() or not word.replace(".", "", 1).isdigit():
        raise WorldError(f"{fault} needs a number of seconds, not {word!r}.")
    return float(word)


def count(fault: str, word: str, things: str) -> int:
    """Give a number of `things` from 1 on.

    Raises: WorldError when the word is none.
    """
    if not word.isascii() or not word.isdigit() or not int(word):
        raise WorldError(f"{fault} needs a number of {things} from 1 on, not {word!r}.")
    return int(word)
