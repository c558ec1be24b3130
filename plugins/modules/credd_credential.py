#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: credd_credential
short_description: Remove services' credentials from HTCondor's credds
version_added: 0.1.0
description:
  - Asks each credd of each service whether it holds the service's credential, has it removed, and asks again.
  - HTCondor's C(condor_store_cred) is used, with the service's own ticket; where the pool's clients show bearer tokens,
    with one of these too.
  - A credential that is not there is well. A credd that cannot be asked is an outcome of its own.
  - Credentials are put there by M(fife.managed_tokens.vault_token_store).
author:
  - fife.managed_tokens contributors (@fife)
options:
  state:
    description: The credentials have to be gone.
    type: str
    choices: [absent]
    required: true
  concurrency:
    description: How many credds are asked at once.
    type: int
    default: 16
  htgettoken_options:
    description: More options for htgettoken, where a bearer token is needed.
    type: str
    default: ''
extends_documentation_fragment:
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
attributes:
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Remove the credentials
  fife.managed_tokens.credd_credential:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
    state: absent
  run_once: true
  delegate_to: localhost
  register: credds

- name: See which credds hold one
  fife.managed_tokens.credd_credential:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
    state: absent
  run_once: true
  delegate_to: localhost
  check_mode: true
"""

RETURN = r"""
outcomes:
  description: One outcome of the stage C(credd_removal) for each (service, credd), C(skipped) for those whose service
    failed earlier.
  returned: success
  type: list
  elements: dict
services:
  description: The services.
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
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_credd_credential import (
    ARGUMENT_SPEC,
    run_stage,
)


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
