#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: push_vault_token
short_description: Put the services' vault tokens on their nodes
version_added: 0.1.0
description:
  - Serves each (service, node) pair over one ssh connection, as the service's account with the service's own ticket.
  - Writes C(/tmp/vt_u<UID>), C(/tmp/vt_u<UID>-<service>) and the default role file, each only if it differs. A reader
    sees the old or the new file, whole, at every instant, and nobody but the account can read it at any instant.
  - A destination that is a link, no plain file, or somebody else's is neither followed nor replaced.
  - What M(fife.managed_tokens.vault_token_store) of the same run has pushed already is taken over, not done again.
  - Where M(fife.managed_tokens.vault_token_store) has not chosen a token, vault is asked about the kept ones. The one
    that lives longest is pushed, and none that is refused.
  - Host keys have to be known. Nothing is needed on the nodes but an ssh server with file transfer (sftp).
author:
  - fife.managed_tokens contributors (@fife)
options:
  state:
    description:
      - Whether the files have to be there or gone.
      - With V(absent) the outcomes are of the stage C(node_removal), and a file that another service writes too stays.
    type: str
    choices: [present, absent]
    default: present
  unanswered:
    description: Nodes that did not answer a probe. The push to them is tried once, without retries.
    type: list
    elements: str
    default: []
  concurrency:
    description: How many connections are served at once.
    type: int
    default: 40
  per_node:
    description: How many connections there are to one node at once. Keep it below the C(MaxStartups) of the nodes'
      sshd.
    type: int
    default: 8
  retries:
    description: How often a push is tried again after a failure that can pass, such as a broken connection.
    type: int
    default: 2
  retry_delay:
    description: Seconds before the first retry; doubled for each further one, 30 at the most.
    type: float
    default: 2.0
  known_hosts:
    description: Files with the nodes' host keys or host CAs. C(/etc/ssh/ssh_known_hosts) and C(~/.ssh/known_hosts) by
      default.
    type: list
    elements: path
    default: []
  kex_algorithms:
    description: Key exchange algorithms to offer, in this order. The library's own list by default.
    type: list
    elements: str
    default: []
  node_results:
    description:
      - Which nodes are to have a result of their own in a play that follows, V(all) or the V(failed) ones after one
        that is well. RV(shown_nodes) says which these are.
      - Without it, all when there are at most 20, and the failed ones otherwise.
    type: str
    choices: [all, failed]
requirements:
  - asyncssh (Python)
  - gssapi (Python)
  - requests (Python), without the store stage
extends_documentation_fragment:
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.vault_trust
attributes:
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Put the tokens on all nodes
  fife.managed_tokens.push_vault_token:
    services: "{{ stored.services }}"
    run: "{{ stored.run }}"
    unanswered: "{{ pings.unanswered }}"
  run_once: true
  delegate_to: localhost
  register: pushed

- name: Remove the tokens from all nodes
  fife.managed_tokens.push_vault_token:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
    state: absent
  run_once: true
  delegate_to: localhost

- name: See what would be written
  fife.managed_tokens.push_vault_token:
    services: "{{ stored.services }}"
    run: "{{ stored.run }}"
  run_once: true
  check_mode: true
  diff: true
"""

RETURN = r"""
outcomes:
  description: One outcome for each planned (service, node) pair, C(skipped) for those whose service failed earlier;
    with the remaining C(life) in seconds of a token that is in place, where that is known.
  returned: success
  type: list
  elements: dict
nodes:
  description: For each node the positions of its outcomes in RV(outcomes).
  returned: success
  type: dict
shown_nodes:
  description: The nodes that are to have a result of their own. See O(node_results).
  returned: when it is not all of them
  type: list
  elements: str
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
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_push import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
