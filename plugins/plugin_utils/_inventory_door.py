# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The door of stages that read the configuration with what the inventory says."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _inventory_look as inventory
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._outside_settings import check_outside


class InventoryDoor(OnceDoor):
    """The door of a stage that reads the configuration."""

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add groups, hosts and addresses of the inventory, and refuse settings that would not count or not count for
        all.

        Raises: BadInput.
        """
        check_outside()
        if isinstance(options.get("experiments"), (list, tuple)):
            # Ansible's own sentence would be about its classes.
            raise BadInput("managed_tokens_experiments is a list; it has to be a dictionary of experiments.")
        return inventory.with_inventory(options, task_vars, KNOWN_SETTINGS, self._template)

    def _template(self, value: t.Any, variables: dict[str, t.Any]) -> t.Any:
        return self._templar.copy_with_new_env(available_variables=variables).template(value)
