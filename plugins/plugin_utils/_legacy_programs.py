# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the options for ping and for rsync.

Source: ping(8) of iputils, rsync(1)
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes

_PING_WITH_VALUE = frozenset("cehFIilmMNpQsStTwW")
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?\Z")
# rsync's options that ask for what every file gets here: mode 0400, nothing else of the source's.
_COPIER_FULFILLED = frozenset(
    {"--perms", "-p", "--chmod=u=r,go=", "--chmod=0400", "--chmod=400", "--chmod=F0400", "--chmod=F400", "--chmod=u=r"}
    | {"-q", "--quiet", "-v", "--verbose", "--checksum", "-c", "--no-motd", "--times", "-t"}
)


@dataclass(frozen=True, slots=True)
class PingOptions:
    """The words for ping, and how long a node that lives takes to answer with them (seconds, at least)."""

    words: tuple[str, ...] = ()
    needs: float = 0.0

    def without_count(self) -> PingOptions:
        """Give the same options for one packet."""
        kept: list[str] = []
        is_value = False
        for word in self.words:
            is_dropped = is_value or word[:2] in ("-c", "-i")
            is_value = word in ("-c", "-i") and not is_value
            if not is_dropped:
                kept.append(word)
        return PingOptions(tuple(kept))


def read_ping_options(key: str, text: str, notes: Notes) -> PingOptions:
    """Give the options in `text`. Words that belong to no option would be taken for hosts, and are noted."""
    words = _split(key, text, notes)
    kept: list[str] = []
    values: dict[str, str] = {}
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if len(word) < 2 or not word.startswith("-") or word == "--":
            notes.has_no_effect(f"{key} {word!r} (no option of ping)")
            continue
        letter, attached = word[1], word[2:]
        if letter in _PING_WITH_VALUE and not attached:
            if position == len(words):
                notes.problems.append(f"{key} ends with {word}, which needs a value.")
                break
            attached = words[position]
            position += 1
            kept += [word, attached]
        else:
            kept.append(word)
        values[letter] = attached
    count, pause = (float(values[name]) if _NUMBER.match(values.get(name, "")) else 1.0 for name in ("c", "i"))
    return PingOptions(tuple(kept), max(0.0, count - 1) * pause)


def read_copier_options(key: str, text: str, notes: Notes) -> None:
    """Note what of rsync's options has no counterpart: the files go over the ssh connection itself, with mode 0400."""
    for word in _split(key, text, notes):
        if word not in _COPIER_FULFILLED:
            notes.has_no_effect(f"{key} {word.partition('=')[0]}")


def _split(key: str, text: str, notes: Notes) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as err:
        notes.problems.append(f"{key} cannot be split into words: {str(err).lower()}.")
        return []
