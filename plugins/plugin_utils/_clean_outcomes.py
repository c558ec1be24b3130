# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Make outcomes fit to be written down by anybody: each text on one line without control characters or tokens, each
number finite, each status a known one."""

from __future__ import annotations

import math
import typing as t
from datetime import UTC, datetime
from functools import lru_cache

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, STATUSES, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

NAME_LIMIT = 255
MESSAGE_LIMIT = 1000
# What RFC 3339 can say, and what nobody waits for.
LAST_SECOND = 253402300799.0
LONGEST_S = 1e9


# Traces, log, Loki and the file for other programs want the same texts.
@lru_cache(maxsize=16384)
def text(value: str, limit: int = NAME_LIMIT) -> str:
    """Give `value` on one line, cut to `limit` characters, and valid in every encoding."""
    return one_line(str(value), limit).encode("utf-8", "replace").decode("utf-8")


def number(value: float, most: float = LONGEST_S) -> float:
    """Give `value` between 0 and `most`; 0.0 for what is no number."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(found, most) if math.isfinite(found) and found > 0 else 0.0


def clean(outcome: Outcome) -> Outcome:
    """Give the outcome fit to be written."""
    return Outcome(
        stage=text(outcome.stage),
        status=outcome.status if outcome.status in STATUSES else FAILED,
        service=text(outcome.service),
        config_service=text(outcome.config_service),
        node=text(outcome.node),
        credd=text(outcome.credd),
        account=text(outcome.account),
        started=number(outcome.started, LAST_SECOND),
        seconds=number(outcome.seconds),
        kind=text(outcome.kind),
        message=text(outcome.message, MESSAGE_LIMIT),
        life=number(outcome.life),
    )


def clean_all(outcomes: t.Iterable[Outcome]) -> list[Outcome]:
    """Give all of them fit to be written."""
    return [clean(outcome) for outcome in outcomes]


def stamp(seconds: float) -> str:
    """Give a time in seconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    when = datetime.fromtimestamp(number(seconds, LAST_SECOND), UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
