# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell stand-ins how to misbehave: a control file that faults write and that a stand-in looks at for each request."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from world.fault_words import Pair

# What checks the words of a fault and completes them.
Check = t.Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Misbehaviour:
    """A fault that is active; the same one made again has another `mark`, and counts from the start."""

    name: str
    words: list[str]
    mark: str


def signature(path: Path) -> tuple[int, int, int] | None:
    """Give what changes when a file does; None when there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def pair(file: Path, name: str, check: Check) -> Pair:
    """Give what enters a fault into the control file, and what takes it out.

    What is made again after it was mended counts its requests anew.
    """

    def make(words: list[str]) -> None:
        _write(file, [*_read(file), Misbehaviour(name, check(words), secrets.token_hex(8))])

    def mend(words: list[str]) -> None:
        ended = (name, check(words))
        _write(file, [fault for fault in _read(file) if (fault.name, fault.words) != ended])

    return make, mend


class Misbehaviours:
    """The faults that are active, as a server sees them; for many threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._active: list[Misbehaviour] = []
        self._spent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def active(self, *names: str) -> list[Misbehaviour]:
        """Give those of the names, or all."""
        look = signature(self._file)
        with self._lock:
            if look != self._seen:
                self._active, self._seen = _read(self._file), look
            return [fault for fault in self._active if not names or fault.name in names]

    def delay(self, *names: str) -> float:
        """Give how many seconds an answer takes, by faults whose first word says so."""
        return max((float(fault.words[0]) for fault in self.active(*names)), default=0.0)

    def spend(self, fault: Misbehaviour, count: str = "") -> bool:
        """Say whether the fault still has a request to spoil, and take it; without a count it always has."""
        with self._lock:
            if count and self._spent[fault.mark] >= int(count):
                return False
            self._spent[fault.mark] += 1
            return True


def _read(file: Path) -> list[Misbehaviour]:
    with contextlib.suppress(FileNotFoundError):
        return [Misbehaviour(**entry) for entry in json.loads(file.read_text())]
    return []


def _write(file: Path, faults: t.Sequence[Misbehaviour]) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(
        json.dumps([{"name": entry.name, "words": entry.words, "mark": entry.mark} for entry in faults])
    )
    temporary.replace(file)
