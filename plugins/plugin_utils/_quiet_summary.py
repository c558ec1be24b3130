# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say in few lines what went wrong with a run, by who has to act: for cron's mail and the dead man's switch. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import shortened
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._failures_by_kind import failures_by_kind

MOST_LINES = 20
LINE_LIMIT = 200
INDENT = "  "
MOST_OF_KIND = 2


def quiet(collected: Collected, told: t.Sequence[str]) -> list[str]:
    """Give nothing when all is well, else at most 20 lines of at most 200 characters; `told` says who was told."""
    if collected.is_well:
        return []
    found = failures_by_kind(collected, LINE_LIMIT - len(INDENT))
    lines = [_first(collected)]
    groups: dict[str, list[str]] = {}
    for kind, texts in found.items():
        more = len(texts) - MOST_OF_KIND
        groups.setdefault(explain(kind).who, []).extend(
            [
                *texts[:MOST_OF_KIND],
                *([f"and {more} more of this kind"] if more > 0 else []),
                shortened(f"-> {explain(kind).advice}", LINE_LIMIT - len(INDENT)),
            ]
        )
    for who, texts in sorted(groups.items()):
        lines += [f"{who}:", *(f"{INDENT}{text}" for text in texts)]
    lines += [shortened(f"({text})", LINE_LIMIT) for text in told]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"... and {len(lines) - MOST_LINES + 1} more lines"]
    return lines


def _first(collected: Collected) -> str:
    counts = collected.summary()
    what = (
        f"{counts['services_failed']} of {counts['services']} services not well, "
        f"{counts['pairs_failed']} of {counts['pairs']} pairs not in place (run {collected.run or 'not begun'})"
    )
    return shortened(f"managed tokens: {what}", LINE_LIMIT)
