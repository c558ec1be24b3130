#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settings_check
short_description: Check the settings of a role before its first stage
version_added: 0.1.0
description:
  - Compares the variables of the play with the argument specs of a role, as M(ansible.builtin.validate_argument_spec)
    does. Each setting that is missing, of another type, or a template that cannot be resolved is told in one sentence.
  - It works on the controller only, in Ansible's own process.
author:
  - fife.managed_tokens contributors (@fife)
options:
  specs:
    description: The options of the role, as its C(meta/argument_specs.yml) has them.
    type: dict
    required: true
  on_nodes:
    description: Whether the hosts of the play are the nodes. Then nothing is checked in a play that has none.
    type: bool
    default: false
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Check the settings
  fife.managed_tokens.settings_check:
    specs:
      managed_tokens_experiments: {type: dict, required: true}
  run_once: true
  delegate_to: localhost

- name: Check the settings of a play on the nodes
  fife.managed_tokens.settings_check:
    specs: "{{ (lookup('ansible.builtin.file', 'specs.yml') | from_yaml).argument_specs.main.options }}"
    on_nodes: true
  run_once: true
  check_mode: true
"""

RETURN = r"""
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Say that only the action can do it."""
    module = AnsibleModule(
        argument_spec={
            "specs": {"type": "dict", "required": True},
            "on_nodes": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="Settings are checked on the controller only: run the task there, through its action.")


if __name__ == "__main__":
    main()
