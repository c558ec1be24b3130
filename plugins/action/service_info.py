# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(service_info) inside Ansible's own process, with what the inventory says."""

from __future__ import annotations

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._inventory_door import InventoryDoor


class ActionModule(InventoryDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)
    TITLE = "Services"
