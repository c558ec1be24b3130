# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document about kinds of errors says what the table says, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "error-kinds.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """Give the cells of each row of the document's table, without its head."""
    lines = [line for line in TEXT.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_document_holds_every_kind_with_its_sentence_advice_and_actor_and_nothing_else() -> None:
    assert rows() == [[f"`{kind}`", item.sentence, item.advice, item.who] for kind, item in sorted(KINDS.items())]


def test_the_text_around_the_table_names_existing_kinds_only() -> None:
    after = TEXT.partition("\n## ")[2]
    named = set(re.findall(r"`([a-z_]+)`", after))
    assert named
    assert named <= KINDS.keys()
