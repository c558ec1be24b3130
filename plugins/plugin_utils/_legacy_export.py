# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Write text with signs of Jinja in it so that it is the same text again where the export is read as an inventory.

What stands in an inventory file is a template there. What a configuration of the Go service holds is none.
"""

from __future__ import annotations

import typing as t

_SIGNS = ("{{", "{%", "{#")
_HEADER = "#jinja2:"
_RAW, _END = "{% raw %}", "{% endraw %}"


def for_export(value: t.Any) -> t.Any:
    """Give the same value, each text that would be a template replaced by a template that stands for that text."""
    if isinstance(value, dict):
        return {key: for_export(item) for key, item in value.items()}
    if isinstance(value, list):
        return [for_export(item) for item in value]
    if isinstance(value, str) and (value.startswith(_HEADER) or any(sign in value for sign in _SIGNS)):
        return f"{_RAW}{value.replace('endraw', f'endr{_END}{_RAW}aw')}{_END}"
    return value
