# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Turn the Go templates of the two templated keys into templates of ours, with placeholders like {account}.

What is understood: fields, constant texts, comments, and the signs that trim white space. Functions, pipelines and
conditions have no counterpart, and are told by quoting them.

Source: https://pkg.go.dev/text/template
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes

PRINCIPAL_FIELDS = {"Account": "account"}
ROLE_FILE_FIELDS = {
    "Account": "account",
    "DesiredUID": "uid",
    "Experiment": "experiment",
    "Role": "role",
    "Name": "service",
    "UserPrincipal": "principal",
}

_ACTION = re.compile(
    r"\{\{(?P<left>-\s)?(?P<inner>(?:`[^`]*`|\"(?:[^\"\\]|\\.)*\"|(?!\}\})[\s\S])*?)(?P<right>\s-)?\}\}"
)
_FIELD = re.compile(r"\s*\(?\s*\.([A-Za-z_][A-Za-z0-9_]*)\s*\)?\s*\Z")
_COMMENT = re.compile(r"/\*[\s\S]*?\*/\Z")
_CONSTANT = re.compile(r"\s*(?:`([^`]*)`|\"([^\"\\]*)\")\s*\Z")


def translate(key: str, template: str, fields: t.Mapping[str, str], notes: Notes) -> str | None:
    """Give our template; None, with a problem that quotes what cannot be translated, when there is none."""
    parts: list[str] = []
    position, trims = 0, False
    for match in _ACTION.finditer(template):
        before = template[position : match.start()]
        before = before.lstrip() if trims else before
        before = before.rstrip() if match["left"] else before
        value = _value(match, fields)
        if value is None or not _is_literal(before):
            _refuse(key, match[0] if value is None else before, fields, notes)
            return None
        parts += [before, value]
        position, trims = match.end(), bool(match["right"])
    rest = template[position:].lstrip() if trims else template[position:]
    if not _is_literal(rest):
        _refuse(key, rest, fields, notes)
        return None
    return "".join([*parts, rest])


def _value(match: re.Match[str], fields: t.Mapping[str, str]) -> str | None:
    inner = match["inner"]
    if field := _FIELD.match(inner):
        return f"{{{fields[field[1]]}}}" if field[1] in fields and inner.count("(") == inner.count(")") else None
    if _COMMENT.match(inner):
        return ""
    constant = _CONSTANT.match(inner)
    if constant is None:
        return None
    text = constant[1] if constant[1] is not None else constant[2]
    return text if _is_literal(text) else None


def _is_literal(text: str) -> bool:
    # A brace would be taken for a placeholder of ours.
    return "{" not in text and "}" not in text


def _refuse(key: str, quoted: str, fields: t.Mapping[str, str], notes: Notes) -> None:
    shown = quoted if len(quoted) <= 80 else quoted[:77] + "..."
    known = ", ".join(f"{{{{.{name}}}}}" for name in fields)
    notes.problems.append(f"{key} holds {shown!r}, which cannot be translated; {known} can be.")
