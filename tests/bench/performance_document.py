# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge what a bench has measured into docs/performance.md: sections between marks are the bench's, the rest stays."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
HEAD = """\
<!--
Copyright (c) 2026 fife.managed_tokens contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Performance

What stands between `bench` marks was measured and written by `make bench`, never by hand; a bench that is run again
replaces its own section. The numbers are medians of several runs, with the least and the greatest value; a column
with a slash has ratios.
"""
_SECTION = re.compile(r"<!-- bench: (?P<key>[^\n]+?) -->\n.*?<!-- /bench: (?P=key) -->\n", re.DOTALL)


def section(key: str, title: str, body: t.Sequence[str]) -> str:
    """Give the text of a section with its marks."""
    text = "\n".join(body).strip("\n")
    return f"<!-- bench: {key} -->\n### {title}\n\n{text}\n<!-- /bench: {key} -->\n"


def merged(document: str, key: str, text: str) -> str:
    """Give the document with the section `key` replaced by `text`.

    A new one is put after the last section of its family (those whose key begins with the same word), or at the end.
    """
    document = document or HEAD
    family = key.partition(" ")[0]
    last: re.Match[str] | None = None
    for match in _SECTION.finditer(document):
        if match["key"] == key:
            return document[: match.start()] + text + document[match.end() :]
        if match["key"].partition(" ")[0] == family:
            last = match
    if last is not None:
        return document[: last.end()] + "\n" + text + document[last.end() :]
    return document.rstrip("\n") + f"\n\n## {family.replace('-', ' ').capitalize()}\n\n" + text


def write_section(key: str, title: str, body: t.Sequence[str], path: Path = DOCUMENT) -> None:
    """Merge a section into the file, which is made when it does not exist."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    temporary = path.with_suffix(".new")
    temporary.write_text(merged(before, key, section(key, title, body)), encoding="utf-8")
    temporary.replace(path)
