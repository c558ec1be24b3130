# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Collect what has to be said about a configuration of the Go service: what is wrong, and what does not count here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

DOCUMENT = "docs/coming-from-managed-tokens.md"


@dataclass(slots=True)
class Notes:
    """`problems` stop everything. `unknown` and `not_applicable` become one warning each, `remarks` are for whoever
    wants to know (-v)."""

    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    not_applicable: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def has_no_effect(self, text: str) -> None:
        """Note once what is not applicable here."""
        if text not in self.not_applicable:
            self.not_applicable.append(text)

    @property
    def warnings(self) -> list[str]:
        """What a person should see, one sentence each."""
        found = list(dict.fromkeys(self.cautions))
        if self.unknown:
            found.append(f"Unknown keys, which do not count: {'; '.join(self.unknown)}.")
        if self.not_applicable:
            found.append(f"Not applicable here, see {DOCUMENT}: {'; '.join(self.not_applicable)}.")
        return found


def named(key: str, value: t.Any, wanted: str, *, is_secret: bool = False) -> str:
    """Say what a value is and has to be, without showing a long one, or one that may be a secret."""
    if is_secret:
        return f"{key} has to be {wanted}; what it is, is not shown."
    shown = repr(value) if isinstance(value, (str, bool)) else f"a {type(value).__name__}"
    if len(shown) > 120:
        shown = shown[:116] + "...'"
    return f"{key} is {shown}; it has to be {wanted}."
