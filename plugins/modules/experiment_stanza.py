#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: experiment_stanza
short_description: Print what a new service has to look like in the inventory
version_added: 0.1.0
description:
  - Checks the names together with all that is configured already, and prints the two parts of the inventory, and what
    the service needs elsewhere. It writes and asks nothing.
author:
  - fife.managed_tokens contributors (@fife)
options:
  name:
    description: The experiment.
    type: str
    required: true
  role:
    description: The role; the service is then called experiment_role.
    type: str
    default: production
  account:
    description: The UNIX account that the token is for.
    type: str
    required: true
  nodes:
    description: The interactive nodes.
    type: list
    elements: str
    required: true
  emails:
    description: Who is told of failures on the nodes.
    type: list
    elements: str
    default: []
  uid:
    description: The account's UID, where no registry knows it.
    type: int
  notify:
    description: Whether people are told of failures.
    type: bool
    default: true
extends_documentation_fragment:
  - fife.managed_tokens.stage.configuration
  - fife.managed_tokens.stage.identity
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Print the stanza of a new experiment
  fife.managed_tokens.experiment_stanza:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}/managed-tokens/push.example.org@EXAMPLE.ORG"
    name: icarus
    account: icaruspro
    nodes: [icarusgpvm01.example.org]
    emails: [icarus-computing@example.org]
  run_once: true
  delegate_to: localhost

- name: The same in check mode
  fife.managed_tokens.experiment_stanza:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}@EXAMPLE.ORG"
    name: icarus
    account: icaruspro
    nodes: [icarusgpvm01.example.org]
  run_once: true
  check_mode: true
"""

RETURN = r"""
inventory_hosts:
  description: The group of the experiment, as YAML.
  returned: success
  type: str
inventory_experiments:
  description: The entry in C(managed_tokens_experiments), as YAML.
  returned: success
  type: str
lines:
  description: Both, and what the service needs elsewhere.
  returned: success
  type: list
  elements: str
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: bad_input
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_experiment_stanza import (
    ARGUMENT_SPEC,
    run_stage,
)


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
