# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the JSON of a configuration of the Go service, also what jsonnet has rendered: as C(_legacy_yaml) gives it."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_yaml import DEEPEST, MOST_VALUES


def read_json(text: str) -> t.Any:
    """Give the document in `text`: None, bool, str, list or dict with str keys. Numbers stay the text that they are.

    Raises: BadInput naming the line.
    """
    try:
        found = json.loads(
            text, object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as err:
        raise BadInput(f"line {err.lineno}: this is no JSON: {err.msg}.") from err
    except RecursionError as err:
        raise BadInput(f"it is nested more than {DEEPEST} deep.") from err
    _bounded(found)
    return found


def _unique(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadInput(f"the key {one_line(key, 60)!r} stands twice in one place.")
        found[key] = value
    return found


def _refuse_constant(name: str) -> t.NoReturn:
    raise BadInput(f"this is no JSON: {name} is no number of it.")


def _bounded(value: t.Any) -> None:
    count = 0
    level = [value]
    for depth in range(DEEPEST + 1):
        below: list[t.Any] = []
        for item in level:
            below += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        count += len(level)
        if count > MOST_VALUES:
            raise BadInput(f"it holds more than {MOST_VALUES} values.")
        if not below:
            return
        if depth == DEEPEST:
            raise BadInput(f"it is nested more than {DEEPEST} deep.")
        level = below
