# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The door of stages that tell people something in lines."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line


class LinesDoor(OnceDoor):
    """The door of a stage whose result has `lines` for people: Ansible itself would only say "ok"."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the stage's result, and show its lines."""
        result = super().run(tmp, task_vars)
        for line in result.get("lines") or ():
            show_line(str(line))
        return result
