#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_info
short_description: Turn configured experiments into the services of a run
version_added: 0.1.0
description:
  - Reads the dictionary of experiments, checks all of it, and gives every service of the run with its identity,
    keytab, UID, credds and nodes.
  - All that is wrong with the configuration is reported in one message, before anything is touched.
  - Asks HTCondor's collector for the credds, once for each collector and constraint.
  - Takes the UIDs of accounts whose roles have none from the state database, writes the run down there, and leaves to
    other runs that are going on what they serve.
  - In a play on the nodes, the inventory's groups, hosts and addresses are filled in when they are not given.
author:
  - fife.managed_tokens contributors (@fife)
options:
  group:
    description: The group that all nodes have to be in.
    type: str
    default: experiments
  notify:
    description: Whether people are told of failures.
    type: bool
    default: true
  uid_max_age:
    description: A UID from the database that nobody has confirmed for longer is warned of; a number with s, m, h or d.
    type: str
    default: 7d
  take_over:
    description: Serve also what other runs hold, and end their holds. For when they are known to be dead.
    type: bool
    default: false
  program:
    description: Which program's run begins. That of an onboarding may take C(login) seconds longer for each service.
    type: str
    choices: [token-push, onboarding]
    default: token-push
extends_documentation_fragment:
  - fife.managed_tokens.stage.beginning
  - fife.managed_tokens.stage.configuration
  - fife.managed_tokens.stage.identity
  - fife.managed_tokens.stage.choice
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
seealso:
  - module: fife.managed_tokens.kinit_service
"""

EXAMPLES = r"""
- name: Read the services of this run
  fife.managed_tokens.service_info:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}/managed-tokens/push.example.org@EXAMPLE.ORG"
    collectors: [collector.example.org]
    vault_server: vault.example.org
  run_once: true
  delegate_to: localhost
  register: services

- name: See whether the configuration is right, and nothing else
  fife.managed_tokens.service_info:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}@EXAMPLE.ORG"
  run_once: true
  check_mode: true
"""

RETURN = r"""
services:
  description: The services of the run. Later stages add to them.
  returned: success
  type: list
  elements: dict
run:
  description: What the stages of one run share, its C(id), C(deadline) and C(timeouts) among it.
  returned: success
  type: dict
contacts:
  description: For each service its C(experiment), that one's C(emails), and whether they are told of failures
    (C(notify)). For the report.
  returned: success
  type: dict
outcomes:
  description: One outcome for each service, C(failed) for those that cannot go on.
  returned: success
  type: list
  elements: dict
  sample:
    - {stage: setup, status: ok, service: dune_production, config_service: dune_production, started: 1795452649.1,
      seconds: 0.01}
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: bad_input
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_info import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
