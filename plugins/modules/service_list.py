# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_list
short_description: List the configured services
version_added: 0.1.0
description:
  - Gives every configured service with its UID, principal, keytab, credds and nodes, and the lines of a table, which
    the action shows.
  - Checks the configuration as M(fife.managed_tokens.service_info) does. Asks nobody but the state database, needs no
    HTCondor, and changes nothing.
author:
  - fife.managed_tokens contributors (@fife)
options:
  notify:
    description: Whether people are told of failures.
    type: bool
    default: true
  width:
    description: How many columns the table may take.
    type: int
    default: 76
extends_documentation_fragment:
  - fife.managed_tokens.stage.configuration
  - fife.managed_tokens.stage.identity
  - fife.managed_tokens.stage.choice
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
seealso:
  - module: fife.managed_tokens.service_info
"""

EXAMPLES = r"""
- name: List the services
  fife.managed_tokens.service_list:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}/managed-tokens/push.example.org@EXAMPLE.ORG"
  run_once: true
  delegate_to: localhost

- name: The same in check mode
  fife.managed_tokens.service_list:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}@EXAMPLE.ORG"
  run_once: true
  check_mode: true
"""

RETURN = r"""
services:
  description: The services. A C(uid) of 0 is not known; C(credds) says where the token is stored.
  returned: success
  type: list
  elements: dict
  sample:
    - {service: dune_production, uid: 50100, principal: dunepro@EXAMPLE.ORG, keytab: /keytabs/dunepro.keytab,
      credds: credd1.example.org, nodes: [dunegpvm01.example.org]}
lines:
  description: The lines of the table.
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
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_service_list import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
