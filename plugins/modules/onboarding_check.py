#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: onboarding_check
short_description: Say what services have of all that they need, before a person is asked to log in
version_added: 0.1.0
description:
  - Asks the vault server over TLS, and lets each service log in to its nodes and look at the directories of its files.
    Nothing is written anywhere. What M(fife.managed_tokens.service_info) and M(fife.managed_tokens.kinit_service)
    found out is told together with it, so that everything that is wrong is known at once.
  - A service whose vault server cannot be used is stopped, as nobody could log in for it. A node that does not let a
    service in stops nothing.
author:
  - fife.managed_tokens contributors (@fife)
options:
  concurrency:
    description: How many connections to nodes there are at once.
    type: int
    default: 40
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
requirements:
  - asyncssh (Python)
  - gssapi (Python)
  - requests (Python)
extends_documentation_fragment:
  - fife.managed_tokens.stage.vault_trust
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: See what the services need
  fife.managed_tokens.onboarding_check:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
  run_once: true
  delegate_to: localhost
  register: checked

- name: The same in check mode, in which it does the same
  fife.managed_tokens.onboarding_check:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
  run_once: true
  check_mode: true
"""

RETURN = r"""
services:
  description: The services; those that nobody could log in for have a C(problem).
  returned: success
  type: list
  elements: dict
outcomes:
  description: One outcome for each vault server and service, and for each service and node.
  returned: success
  type: list
  elements: dict
lines:
  description: A table of it.
  returned: success
  type: list
  elements: str
run:
  description: The run.
  returned: success
  type: dict
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: stage_order
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_onboarding_check import (
    ARGUMENT_SPEC,
    run_stage,
)


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
