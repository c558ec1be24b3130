#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: offboarding_record
short_description: Forget services in the state database as far as they are gone
version_added: 0.1.0
description:
  - Removes the services from the state database, also from the tables that the Go service shares, and so from the
    metrics. With a service go its account's UID and its nodes, unless another configured service has them.
  - What could not be removed anywhere stays remembered, so that the next offboarding finishes it.
  - Ends the run's entry, and lets go of the services that it held. All of it is written, or nothing.
author:
  - fife.managed_tokens contributors (@fife)
options:
  services:
    description: The services that go, as M(fife.managed_tokens.offboarding_info) returned them.
    type: list
    elements: dict
    required: true
  others:
    description: The services that stay, as M(fife.managed_tokens.offboarding_info) returned them.
    type: list
    elements: dict
    default: []
  run:
    description: The run, as M(fife.managed_tokens.offboarding_info) returned it.
    type: dict
  outcomes:
    description: The outcomes of all stages. The action takes them from O(batches).
    type: list
    elements: dict
  batches:
    description: Names of the variables in which the results of the stages were registered.
    type: list
    elements: str
    default: []
  give_up:
    description: Forget also what could not be removed. For nodes and credds that are gone for good.
    type: bool
    default: false
  token_dir:
    description: Directory on the token host with the copy of the last known UIDs.
    type: path
    default: /var/lib/managed-tokens/service-credd-vault-tokens
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
"""

EXAMPLES = r"""
- name: Forget the services
  fife.managed_tokens.offboarding_record:
    services: "{{ leaving.services }}"
    others: "{{ leaving.others }}"
    run: "{{ leaving.run }}"
    batches: [leaving, tickets, nodes, credds, kept]
  run_once: true
  delegate_to: localhost

- name: The same as a dry run, in which nothing is written
  fife.managed_tokens.offboarding_record:
    services: "{{ leaving.services }}"
    others: "{{ leaving.others }}"
    run: "{{ leaving.run }}"
    batches: [leaving, tickets, nodes, credds, kept]
  run_once: true
  delegate_to: localhost
  check_mode: true
"""

RETURN = r"""
outcomes:
  description: One outcome of the stage C(state_removal) for each service, and one of the stage C(state) for the run.
    None when there is no database.
  returned: success
  type: list
  elements: dict
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: bad_input
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_offboarding_record import (
    ARGUMENT_SPEC,
    run_stage,
)


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
