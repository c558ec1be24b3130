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
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import SETUP, Key

MOST_LINES = 20
LINE_LIMIT = 200
INDENT = "  "
MOST_OF_KIND = 2


def quiet(collected: Collected, told: t.Sequence[str], effect: str = "", page: str = "") -> list[str]:
    """Give nothing when all is well, else at most 20 lines of at most 200 characters.

    `told` says who was told, `effect` whether anything fails for users, `page` where the status page is.
    """
    if collected.is_well:
        return []
    found = failures_by_kind(collected, LINE_LIMIT - len(INDENT))
    lines = [_first(collected), *([shortened(effect, LINE_LIMIT)] if effect else [])]
    if collected.did_nothing and collected.refusals:
        # The first line has it.
        found[collected.refusals[0].kind or "failed"].pop(0)
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
    foot = _foot(collected, page)
    most = MOST_LINES - len(foot)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"... and {len(lines) - most + 1} more lines"]
    return [*lines, *foot]


def _foot(collected: Collected, page: str) -> list[str]:
    keys = [Key(SETUP, outcome.config_service) for outcome in collected.failures if outcome.config_service]
    where = f"{collected.origin.in_words}{f', status page {page}' if page else ''}"
    return [shortened(f"({where})", LINE_LIMIT), f"look further: {shortened(collected.origin.command(keys), 180)}"]


def _first(collected: Collected) -> str:
    if collected.did_nothing:
        why = f"the run was refused: {collected.refusals[0].message}" if collected.refusals else "and no error said why"
        return shortened(f"managed tokens: nothing was done, {why}", LINE_LIMIT)
    counts = collected.summary()
    parts = []
    if counts["services"]:
        parts.append(f"{counts['services_failed']} of {counts['services']} services not well")
    if counts["pairs"]:
        parts.append(f"{counts['pairs_failed']} of {counts['pairs']} tokens on nodes not in place")
    accounts = [outcome for outcome in collected.outcomes if outcome.account]
    if accounts:
        bad = sum(outcome.is_failure for outcome in accounts)
        parts.append(f"{bad} of {len(accounts)} accounts without a good answer")
    what = ", ".join(parts) or "something failed"
    return shortened(f"managed tokens: {what} (run {collected.run or 'not begun'})", LINE_LIMIT)
