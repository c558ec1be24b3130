#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_result
short_description: Give a node its own result of a run
version_added: 0.1.0
description:
  - Takes what M(fife.managed_tokens.push_vault_token) found for all nodes at once, and gives each host of the play
    its own line, ok, changed, FAILED or UNREACHABLE.
  - A node fails when any of its services could not be put on it, whatever the stage that failed. It is unreachable
    when it did not answer.
author:
  - fife.managed_tokens contributors (@fife)
options:
  node:
    description: The node. The action takes the host's own name.
    type: str
  outcomes:
    description: The outcomes of this node. The action takes them from O(batch).
    type: list
    elements: dict
  batch:
    description: Name of the variable in which the result of M(fife.managed_tokens.push_vault_token) was registered.
    type: str
  batches:
    description:
      - Names of the variables in which the stages' results were registered.
      - Where no host of the play is well, Ansible ends the play with these results. The first host's then says what the
        whole run came to, which M(fife.managed_tokens.run_verdict) cannot any more.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Show what came of this node
  fife.managed_tokens.node_result:
    batch: pushed

- name: The same as a dry run
  fife.managed_tokens.node_result:
    batch: pushed
  check_mode: true
"""

RETURN = r"""
msg:
  description: What came of the node's services.
  returned: always
  type: str
  sample: "Updated: dune_analysis, dune_production."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_verdict import (
    NODE_RESULT_SPEC,
    run_node_result,
)


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=NODE_RESULT_SPEC, supports_check_mode=True), run_node_result)


if __name__ == "__main__":
    main()
