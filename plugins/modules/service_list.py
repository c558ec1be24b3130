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
  experiments:
    description:
      - The experiments, by name. Each has C(roles), and may have C(emails) and C(token_experiment).
      - Each role needs an C(account), and may have C(uid), C(nodes), C(keytab), C(principal), C(credds),
        C(collectors), C(schedd_constraint), C(vault_server), C(token_getter), C(default_role_file), C(token_dir) and
        C(notify), which win over the options of the same names; and C(ssh_port), which wins over the inventory's
        C(ansible_port).
    type: dict
    required: true
  experiment:
    description: Work on the services of these experiments only (together with those of O(service)).
    type: list
    elements: str
    default: []
  service:
    description: Work on these services only, named C(experiment_role) as configured.
    type: list
    elements: str
    default: []
  groups:
    description: The inventory's groups with their hosts. Filled in by the action.
    type: dict
  hosts:
    description: The hosts of the play. A service whose nodes are all elsewhere takes no part in the run. Filled in by
      the action.
    type: list
    elements: str
  addresses:
    description: For each host a dictionary with C(address) and C(port), where they differ from its name and 22.
      Filled in by the action.
    type: dict
  keytab_path:
    description: Directory of the keytabs, which are named C(<account>.keytab).
    type: path
    default: /opt/managed-tokens/keytabs
  principal:
    description: Kerberos principal of a service. C({account}), C({experiment}) and C({role}) are replaced.
    type: str
  credds:
    description: The credds that have to hold the tokens. Without it, the collectors are asked for their schedds.
    type: list
    elements: str
  collectors:
    description: HTCondor collectors to ask, in this order; the first that answers is used. Without it, the local
      default pool.
    type: list
    elements: str
  schedd_constraint:
    description: ClassAd expression that the schedds have to match.
    type: str
  vault_server:
    description: The vault server. Without it, the one in HTCondor's C(SEC_CREDENTIAL_GETTOKEN_OPTS).
    type: str
  token_getter:
    description: V(condor) stores the tokens on the credds, V(htgettoken) only obtains them.
    type: str
    choices: [condor, htgettoken]
    default: condor
  default_role_file:
    description:
      - Path on the nodes of the file that holds the role's name; empty for none.
      - C({experiment}), C({role}), C({account}), C({uid}), C({service}) and C({principal}) are replaced.
    type: str
    default: /tmp/default_role_{experiment}_{uid}
  token_dir:
    description: Directory on the token host in which the vault tokens are kept between runs.
    type: path
    default: /var/lib/managed-tokens/service-credd-vault-tokens
  notify:
    description: Whether people are told of failures.
    type: bool
    default: true
  width:
    description: How many columns the table may take.
    type: int
    default: 76
extends_documentation_fragment:
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
