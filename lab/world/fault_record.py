# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remember which faults are active, inside the world."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

ACTIVE = Path("/srv/lab/faults.json")


def active() -> list[tuple[str, list[str]]]:
    return [(name, list(words)) for name, words in json.loads(ACTIVE.read_text())] if ACTIVE.exists() else []


def write_active(entries: t.Sequence[tuple[str, list[str]]]) -> None:
    temporary = ACTIVE.with_suffix(".new")
    temporary.write_text(json.dumps(entries))
    temporary.replace(ACTIVE)
