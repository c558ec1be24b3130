# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read single values as the Go service reads them: texts, lists split at white space, numbers, Go's durations.

Values come as None, bool, text, list or dictionary. One that is of another kind than the key needs is a problem and
counts as absent.
"""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes, named

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,18}\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
_GO_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_GO_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_DURATION = re.compile(r"([+-]?)((?:[0-9]*\.?[0-9]*(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)\Z")
_PART = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
# As near to a whole number as the Go service takes for one.
_NEARLY = 1e-9


def text_of(key: str, value: t.Any, notes: Notes) -> str | None:
    """Give a text on one line, without white space around it."""
    return _line(key, value, notes, is_secret=False)


def secret_of(key: str, value: t.Any, notes: Notes) -> str | None:
    """Give a text as C(text_of) does; what is wrong with it is said without it."""
    return _line(key, value, notes, is_secret=True)


def _line(key: str, value: t.Any, notes: Notes, *, is_secret: bool) -> str | None:
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else None
    if text is None or not text.isprintable():
        notes.problems.append(named(key, value, "text on one line", is_secret=is_secret))
        return None
    return text


def names_of(key: str, value: t.Any, notes: Notes) -> list[str] | None:
    """Give a list of names, from a list or from one text with white space between them, each once."""
    if value is None:
        return None
    items = value.split() if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) and item.isprintable() for item in items):
        notes.problems.append(named(key, value, "a list of texts, or one text with spaces between them"))
        return None
    return list(dict.fromkeys(item.strip() for item in items if item.strip()))


def collectors_of(key: str, value: t.Any, notes: Notes) -> list[str] | None:
    """Give a list of hosts, from one text with commas between them."""
    text = text_of(key, value, notes)
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]


def truth_of(key: str, value: t.Any, notes: Notes) -> bool | None:
    """Give true or false. What Go itself would silently take for false (yes, on) is a problem."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip() in _GO_TRUE | _GO_FALSE:
        return value.strip() in _GO_TRUE
    notes.problems.append(named(key, value, "true or false"))
    return None


def whole_of(key: str, value: t.Any, notes: Notes, least: int = 0) -> int | None:
    """Give a whole number of at least `least`. One with decimals, as JSON may have it, loses them."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    number = int(text) if _WHOLE.match(text) else None
    if number is None and _DECIMAL.match(text) and math.isfinite(float(text)) and abs(float(text)) < 1e15:
        near = round(float(text))
        number = near if abs(float(text) - near) < _NEARLY else int(float(text))
    if number is None or number < least:
        notes.problems.append(named(key, value, f"a whole number of at least {least}"))
        return None
    return number


def seconds_of(key: str, value: t.Any, notes: Notes) -> float | None:
    """Give the seconds of a duration as Go writes it (1m30s). What Go does not understand is a warning, as there.

    Source: https://pkg.go.dev/time#ParseDuration
    """
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    seconds = duration(text)
    if seconds is None:
        notes.cautions.append(f"{named(key, value, 'a duration like 90s or 1m30s')} It does not count.")
        return None
    if seconds <= 0 or seconds > 1e6:
        notes.problems.append(named(key, value, "a duration of more than 0 s and at most 1000000 s"))
        return None
    return seconds


def duration(text: str) -> float | None:
    """Give the seconds that Go takes `text` for, None when it is no duration."""
    if text in ("0", "+0", "-0"):
        return 0.0
    match = _DURATION.match(text)
    if not match or len(text) > 100:
        return None
    parts = _PART.findall(match[2])
    if any(number in ("", ".") for number, _unit in parts):
        return None
    total = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return -total if match[1] == "-" else total
