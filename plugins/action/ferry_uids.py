# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(ferry_uids) inside Ansible's own process, and say what came of it."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_ferry import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _inventory_look as inventory
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._outside_settings import check_outside
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line


class ActionModule(OnceDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)
    TITLE = "UIDs"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the result, and show its sentence also when all is well: Ansible itself would only say "ok"."""
        result = super().run(tmp, task_vars)
        if not result.get("failed") and result.get("msg"):
            show_line(str(result["msg"]))
        return result

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Refuse settings that would not count, or not count for all hosts of the play.

        Raises: BadInput.
        """
        check_outside()
        inventory.check_known_settings(task_vars, KNOWN_SETTINGS)
        hosts = list(task_vars.get("ansible_play_hosts_all") or ())
        inventory.check_run_settings(inventory.look_at(task_vars, hosts), hosts)
        return options
