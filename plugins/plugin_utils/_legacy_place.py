# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Look up values in the tree of a configuration, and find the keys in it that nobody knows."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._names import nearest
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_keys as keys
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_values as values
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes, named
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_templates import (
    PRINCIPAL_FIELDS,
    ROLE_FILE_FIELDS,
    translate,
)

Tree = t.Mapping[str, t.Any]


def value_at(tree: Tree, path: t.Sequence[str]) -> t.Any:
    """Give the value at a path of keys, None when there is none."""
    found: t.Any = tree
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def read_key(place: str, key: keys.Key, value: t.Any, notes: Notes) -> t.Any:
    """Give the value of a key by its kind, None when there is none; `place` is what stands before the key's name."""
    name = f"{place}{key.name}"
    if value is None:
        return None
    if key.kind == keys.NOTHING:
        notes.has_no_effect(key.name)
        return None
    if key.kind in (keys.PRINCIPAL, keys.ROLE_FILE):
        fields = PRINCIPAL_FIELDS if key.kind == keys.PRINCIPAL else ROLE_FILE_FIELDS
        text = values.text_of(name, value, notes)
        return None if text is None else translate(name, text, fields, notes)
    if key.kind == keys.ONE:
        text = values.text_of(name, value, notes)
        return None if text is None else [text] if text else []
    reader: t.Callable[[str, t.Any, Notes], t.Any] = {
        keys.TEXT: values.text_of,
        keys.SECRET: values.secret_of,
        keys.NAMES: values.names_of,
        keys.COLLECTORS: values.collectors_of,
        keys.SECONDS: values.seconds_of,
        keys.TRUTH: values.truth_of,
        keys.WHOLE: values.whole_of,
    }[key.kind]
    return reader(name, value, notes)


def note_unknown(place: str, tree: Tree, known: t.Iterable[keys.Key], notes: Notes) -> None:
    """Note every key below `tree` that is none of the known, with the nearest one that is; a value in the place of a
    dictionary is a problem."""
    names: dict[str, str] = {}
    deeper: dict[str, list[keys.Key]] = {}
    for key in known:
        first, dot, rest = key.name.partition(".")
        names[first.lower()] = first
        if dot:
            deeper.setdefault(first.lower(), []).append(keys.Key(rest, key.ours, key.kind, key.note))
    for name, value in tree.items():
        shown = one_line(f"{place}{name}", 120)
        if name not in names:
            near = nearest(name, names.values())
            notes.unknown.append(shown + (f" (did you mean {near}?)" if near else ""))
        elif name in deeper and isinstance(value, dict):
            note_unknown(f"{place}{names[name]}.", value, deeper[name], notes)
        elif name in deeper and value is not None:
            # It may be what belongs one level deeper.
            is_secret = any(key.kind == keys.SECRET for key in deeper[name])
            notes.problems.append(named(f"{place}{names[name]}", value, "a dictionary", is_secret=is_secret))
