# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(run_verdict) on the registered results of the stages."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_verdict import RUN_VERDICT_SPEC, run_verdict
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._batches import with_outcomes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line


class ActionModule(OnceDoor):
    """The in-process door."""

    SPEC = RUN_VERDICT_SPEC
    STAGE = staticmethod(run_verdict)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the verdict, and show its sentence also when all is well: Ansible itself would only say "ok"."""
        result = super().run(tmp, task_vars)
        # Ansible shows all of a failed result: not twice.
        for line in result.pop("lines", ()) if result.get("failed") else result.get("lines", ()):
            show_line(str(line))
        if not result.get("failed") and result.get("msg"):
            show_line(str(result["msg"]))
        return result

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Collect the outcomes of every stage that ran.

        Raises: StageOrder when none did.
        """
        return with_outcomes(options, task_vars)
