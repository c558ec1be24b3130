# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Lay out the configured services as a table for a terminal."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import dataclass

INDENT = 13


@dataclass(frozen=True, slots=True)
class Row:
    """One service; `uid` is 0 when nobody knows it, `credds` says where the token is stored."""

    service: str
    uid: int
    principal: str
    keytab: str
    credds: str
    nodes: tuple[str, ...]


def table(rows: t.Sequence[Row], width: int) -> list[str]:
    """Give the lines of the table, none longer than `width` but for single words that are; `width` at least 40."""
    name_width = max((len(row.service) for row in rows), default=0)
    lines: list[str] = []
    for row in rows:
        lines.append(f"{row.service:<{name_width}}  UID {row.uid or 'unknown'}")
        for label, value in (
            ("principal", row.principal),
            ("keytab", row.keytab),
            ("credds", row.credds),
            ("nodes", ", ".join(row.nodes)),
        ):
            pieces = textwrap.wrap(value, max(25, width - INDENT), break_long_words=False, break_on_hyphens=False)
            lines += [
                f"  {label if number == 0 else '':<{INDENT - 2}}{piece}".rstrip()
                for number, piece in enumerate(pieces or ["none"])
            ]
    return lines
