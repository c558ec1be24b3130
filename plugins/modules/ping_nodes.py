#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ping_nodes
short_description: Find out which nodes answer
version_added: 0.1.0
description:
  - Probes each node of the services once, all at once.
  - Silence is no failure. The push to a silent node is tried once, within what its ping has left of the connect
    timeout.
author:
  - fife.managed_tokens contributors (@fife)
options:
  probe:
    description:
      - V(icmp) sends an ICMP echo request, V(tcp) connects to the ssh port, V(none) asks nobody.
      - Where the system does not let the user send one (C(net.ipv4.ping_group_range)), and with O(options), V(icmp)
        runs C(ping), and where that is not installed it does as V(tcp).
    type: str
    choices: [icmp, tcp, none]
    default: icmp
  options:
    description: More options for C(ping), which is run then.
    type: list
    elements: str
    default: []
  concurrency:
    description: How many nodes are probed at once.
    type: int
    default: 64
extends_documentation_fragment:
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Find out which nodes answer
  fife.managed_tokens.ping_nodes:
    services: "{{ stored.services }}"
    run: "{{ stored.run }}"
  run_once: true
  delegate_to: localhost
  register: pings

- name: The same where ICMP is filtered, as a dry run
  fife.managed_tokens.ping_nodes:
    services: "{{ stored.services }}"
    probe: tcp
  run_once: true
  check_mode: true
"""

RETURN = r"""
answered:
  description: The nodes that answered.
  returned: success
  type: list
  elements: str
unanswered:
  description: The nodes that did not.
  returned: success
  type: list
  elements: str
outcomes:
  description: One outcome for each node that was probed.
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
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_ping import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
