# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read durations as operators write them: 90s, 10m, 12h, 3d."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*([0-9]{1,9})\s*([smhd])\s*")


def seconds_of(text: str) -> int | None:
    """Give the seconds that `text` stands for, None when it is no duration."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def is_shorter(life: float, minimum: float) -> bool:
    """Tell whether a life in seconds is shorter than the `minimum` that was asked for.

    What had just enough when the storer looked may have a little less when we look, which is no shortage.
    """
    return 0 < life < 0.95 * minimum


def in_words(seconds: float) -> str:
    """Say a duration in the largest unit that fits: 40 s, 4 min, 5 h, 12 d."""
    for limit, unit, size in ((100, "s", 1), (6000, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"
