# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(service_info) inside Ansible's own process, with what the inventory says."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._inventory_door import InventoryDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_tags import refuse_idle_tags

NODE_TO_LEAVE = "managed_tokens_node"
KEEPING_ROLE = "fife.managed_tokens.token_push"


class ActionModule(InventoryDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)
    TITLE = "Services"

    def check_play(self, task_vars: dict[str, t.Any]) -> None:
        """Refuse, in the play of the role that keeps tokens fresh, tags with which it would do nothing, and a setting
        that looks like a limit of it.

        Raises: BadInput, StageOrder.
        """
        super().check_play(task_vars)
        role = self._task._role
        if role is not None and role.get_name() == KEEPING_ROLE:
            run, skipped = (task_vars.get(f"ansible_{name}_tags") or () for name in ("run", "skip"))
            refuse_idle_tags(run, skipped, set(self._task.tags) - {"always"})
            if NODE_TO_LEAVE in task_vars:
                raise BadInput(
                    f"{NODE_TO_LEAVE} belongs to the playbook offboarding, which takes services off nodes; a run of "
                    "token_push is limited to nodes with --limit."
                )
