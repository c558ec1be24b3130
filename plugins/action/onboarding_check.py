# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(onboarding_check) inside Ansible's own process, and show the table."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_onboarding_check import (
    ARGUMENT_SPEC,
    run_stage,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line


class ActionModule(OnceDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)
    TITLE = "What the services need"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give what was found, and show it: Ansible itself would only say "ok"."""
        result = super().run(tmp, task_vars)
        for line in result.get("lines") or ():
            show_line(str(line))
        return result
