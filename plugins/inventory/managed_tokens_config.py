# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: managed_tokens_config
short_description: Use a configuration of the Go service managed-tokens as the inventory
version_added: 0.1.0
description:
  - Reads C(managedTokens.yml), C(.yaml) or C(.json) as it is. Experiments become groups below the group C(experiments),
    destination nodes become hosts, and every key becomes the variable of this collection that means the same. The
    table of keys is in C(docs/coming-from-managed-tokens.md).
  - Takes files that are named C(managedTokens), and files with C(experiments) that have C(roles). A file with the one
    key C(plugin), and O(path), leads to such a file wherever it is, and needs nothing to be enabled.
  - Nothing in the file is ever a template for Ansible. A file that cannot be used ends the program, with status 1 and
    one sentence for each thing that is wrong, so that no other plugin takes it for something else.
  - Keys that nobody knows, and those that have no counterpart here, are named in a warning each.
author:
  - fife.managed_tokens contributors (@fife)
options:
  plugin:
    description: The name of this plugin, in a file that leads to a configuration. The Go service ignores the key.
    type: str
    choices: [fife.managed_tokens.managed_tokens_config]
  path:
    description: The configuration to read instead; a relative path starts at the directory of the file.
    type: path
  environment_label:
    description: What kind of installation this is. Wins over C(devEnvironmentLabel), as in the Go service.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_DEV_ENVIRONMENT_LABEL}]
"""

EXAMPLES = r"""
# old.yml, beside nothing else: ansible-playbook -i old.yml fife.managed_tokens.token_push --check
plugin: fife.managed_tokens.managed_tokens_config
path: /etc/managed-tokens/managedTokens.yml
"""

import typing as t

from ansible import context
from ansible.plugins.inventory import BaseInventoryPlugin

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_experiments import GROUP
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_export import for_export
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_file import (
    is_configuration,
    read_configuration,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_inventory import translate


class InventoryModule(BaseInventoryPlugin):
    """The door to the translation."""

    NAME = "fife.managed_tokens.managed_tokens_config"
    # What the file holds is text, whatever it looks like.
    trusted_by_default = False

    def verify_file(self, path: str) -> bool:
        """Tell whether the file is for this plugin, by name and content."""
        return is_configuration(path) and bool(super().verify_file(path))  # type: ignore[no-untyped-call] # of ansible-core

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory; a file that cannot be used ends the program.

        Raises: SystemExit, as any other error would only make Ansible offer the file to its next plugin, which would
        take it for an inventory with fewer experiments, or none.
        """
        super().parse(inventory, loader, path, cache)
        self.set_options()  # type: ignore[no-untyped-call] # of ansible-core
        try:
            source, tree = read_configuration(path)
            label = self.get_option("environment_label")  # type: ignore[no-untyped-call] # of ansible-core
            found = translate(tree, str(label or ""))
        except (BadFile, BadInput) as err:
            for problem in getattr(err, "problems", (err.msg,)):
                self.display.error(f"{path}: {problem}", wrap_text=False)
            raise SystemExit(1) from err
        for warning in found.warnings:
            self.display.warning(f"{source}: {warning}")
        for remark in found.remarks:
            self.display.v(f"{source}: {remark}")
        # Only ansible-inventory has this option; what it prints is read as a file full of templates.
        variables = for_export(found.variables) if "export" in context.CLIARGS else found.variables
        inventory.add_group(GROUP)
        for group, nodes in found.groups.items():
            name = inventory.add_group(group)
            inventory.add_child(GROUP, name)
            for node in nodes:
                inventory.add_host(node, group=name)
        for variable, value in variables.items():
            inventory.set_variable("all", variable, value)
