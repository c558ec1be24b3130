#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kept_token
short_description: Remove the vault tokens that are kept of services
version_added: 0.1.0
description:
  - Removes from each service's directory of kept tokens every token of the service, for whatever credd.
  - Tokens are kept there by M(fife.managed_tokens.vault_token_store).
author:
  - fife.managed_tokens contributors (@fife)
options:
  services:
    description: The services whose tokens are to go, as the stage before returned them.
    type: list
    elements: dict
    required: true
  others:
    description: The services that stay, as M(fife.managed_tokens.offboarding_info) returned them. Their tokens are not
      touched, however alike the names are.
    type: list
    elements: dict
    default: []
  state:
    description: The tokens have to be gone.
    type: str
    choices: [absent]
    required: true
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
attributes:
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Remove the kept tokens
  fife.managed_tokens.kept_token:
    services: "{{ leaving.services }}"
    others: "{{ leaving.others }}"
    state: absent
  run_once: true
  delegate_to: localhost
  register: kept

- name: See which there are
  fife.managed_tokens.kept_token:
    services: "{{ leaving.services }}"
    others: "{{ leaving.others }}"
    state: absent
  run_once: true
  delegate_to: localhost
  check_mode: true
  diff: true
"""

RETURN = r"""
outcomes:
  description: One outcome of the stage C(kept_removal) for each service.
  returned: success
  type: list
  elements: dict
removed:
  description: The files that were removed, or would be.
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
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_kept_token import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
