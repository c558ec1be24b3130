# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(experiment_stanza) inside Ansible's own process, with what the inventory says, and show the lines."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_experiment_stanza import (
    ARGUMENT_SPEC,
    run_stage,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _inventory_look as inventory
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line


class ActionModule(OnceDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)
    TITLE = "Stanza"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the stanza, and show it: Ansible itself would only say "ok"."""
        result = super().run(tmp, task_vars)
        for line in result.get("lines") or ():
            show_line(str(line))
        return result

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add what the inventory says, as for the first stage."""
        return inventory.with_inventory(options, task_vars, KNOWN_SETTINGS, self._template)

    def _template(self, value: t.Any, variables: dict[str, t.Any]) -> t.Any:
        return self._templar.copy_with_new_env(available_variables=variables).template(value)
