# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the settings of a role against its argument specs, before any stage begins."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import DEFAULT_GROUP, NO_NODES
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OwnProcessDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._settings_check import problems_of

SETTINGS_CHECK_SPEC: dict[str, t.Any] = {
    "specs": {"type": "dict", "required": True},
    "on_nodes": {"type": "bool", "default": False},
}


class ActionModule(OwnProcessDoor):
    """It works in Ansible's own process only: where the variables are as they are written."""

    SPEC = SETTINGS_CHECK_SPEC

    def run_stage(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Refuse settings of a wrong type, and those that cannot be resolved.

        Raises: BadInput.
        """
        if not (params["on_nodes"] and self._has_no_nodes()):
            problems = problems_of(params["specs"], self._variables, self._templar.template)
            if problems:
                raise BadInput(*problems)
        return {"changed": False}

    def _has_no_nodes(self) -> bool:
        # Without nodes there are no settings either, and the next stage says in one sentence what is missing.
        group = self._templar.template(self._variables.get("managed_tokens_group", DEFAULT_GROUP))
        groups: t.Mapping[t.Any, t.Any] = self._variables.get("groups") or {}
        return list(self._variables.get("ansible_play_hosts_all") or ()) == [NO_NODES] and not groups.get(group)
