#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: offboarding_info
short_description: Find out what services that are to go have where
version_added: 0.1.0
description:
  - Gives every service that is to be removed, with its nodes and credds. These are those of the configuration, and
    those that the state database remembers.
  - A service may have left the configuration. Then O(departed) says how it is reached, and without that it is named.
  - What another service that stays writes on the same node is left to that one.
  - Nothing is ever removed without being named. O(service), O(experiment) or O(node) has to be given.
  - Outside of check mode the run is written down in the state database. A service that another run serves just now is
    not touched.
author:
  - fife.managed_tokens contributors (@fife)
options:
  experiments:
    description:
      - The experiments, by name. Each has C(roles), and may have C(emails) and C(token_experiment).
      - Each role needs an C(account), and may have C(uid), C(nodes), C(keytab), C(principal), C(credds),
        C(collectors), C(schedd_constraint), C(vault_server), C(token_getter), C(default_role_file), C(token_dir) and
        C(notify), which win over the options
          of the same names.
    type: dict
    required: true
  experiment:
    description: Remove all services of these experiments (together with those of O(service)).
    type: list
    elements: str
    default: []
  service:
    description: Remove these services, named C(experiment_role) as configured.
    type: list
    elements: str
    default: []
  node:
    description:
      - Take services off these nodes only; credds, kept tokens and UIDs stay as they are. These are the services that
        the state database remembers there and that are no longer configured for the node; O(service) names some of
        them, or others to look for, and O(experiment) narrows them.
      - A service of O(service) that is still configured for one of the nodes is refused.
    type: list
    elements: str
    default: []
  hosts:
    description: The hosts of the play. Filled in by the action.
    type: list
    elements: str
  take_over:
    description: Remove also what other runs hold, and end their holds. For when they are known to be dead.
    type: bool
    default: false
  departed:
    description: Services that have left O(experiments), in the same form. Without C(nodes) a role has those of the
      experiment's group, or else those that the state database remembers.
    type: dict
    default: {}
extends_documentation_fragment:
  - fife.managed_tokens.stage.beginning
  - fife.managed_tokens.stage.configuration
  - fife.managed_tokens.stage.identity
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
seealso:
  - module: fife.managed_tokens.kinit_service
"""

EXAMPLES = r"""
- name: Find out what dune_production has where
  fife.managed_tokens.offboarding_info:
    experiments: "{{ managed_tokens_experiments }}"
    service: [dune_production]
    principal: "{account}/managed-tokens/host.example.org@EXAMPLE.ORG"
  run_once: true
  delegate_to: localhost
  register: leaving

- name: Find out what is left on a node that has been taken out of the group dune
  fife.managed_tokens.offboarding_info:
    experiments: "{{ managed_tokens_experiments }}"
    node: [dunegpvm03.example.org]
    principal: "{account}/managed-tokens/host.example.org@EXAMPLE.ORG"
  run_once: true
  delegate_to: localhost
  register: leaving

- name: The same of a service that has left the configuration, as a dry run
  fife.managed_tokens.offboarding_info:
    experiments: "{{ managed_tokens_experiments }}"
    service: [nova_analysis]
    departed:
      nova: {roles: {analysis: {account: novaana}}}
    principal: "{account}/managed-tokens/host.example.org@EXAMPLE.ORG"
  run_once: true
  delegate_to: localhost
  check_mode: true
"""

RETURN = r"""
services:
  description: The services that are to go.
  returned: success
  type: list
  elements: dict
others:
  description: The configured services that stay.
  returned: success
  type: list
  elements: dict
run:
  description: The run, for the later stages.
  returned: success
  type: dict
outcomes:
  description: One outcome of the stage C(setup) for each service, and what could not be found out.
  returned: success
  type: list
  elements: dict
contacts:
  description: Whom each service belongs to.
  returned: success
  type: dict
msg:
  description: How many services go, and how many stay.
  returned: success
  type: str
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: bad_input
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_offboarding_info import (
    ARGUMENT_SPEC,
    run_stage,
)


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
