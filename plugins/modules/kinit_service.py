#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kinit_service
short_description: Take a Kerberos ticket for each service
version_added: 0.1.0
description:
  - Takes a ticket from each service's keytab into a credential cache of its own, in a private directory of the run.
  - Uses the GSSAPI library; no C(kinit) is started and no environment variable is set.
  - The directory is removed by O(state=absent), and by a guardian process when the run ends in any other way.
  - The caches are private to the run and never count as a change. They are made in check mode too, and removed the
    same way.
author:
  - fife.managed_tokens contributors (@fife)
options:
  services:
    description: The services to work on. Needed for O(state=present).
    required: false
    default: []
  state:
    description: Whether the tickets have to be there, or everything private to the run has to be gone.
    type: str
    choices: [present, absent]
    default: present
  concurrency:
    description: How many tickets are asked for at once.
    type: int
    default: 8
requirements:
  - gssapi (Python)
extends_documentation_fragment:
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Take the tickets
  fife.managed_tokens.kinit_service:
    services: "{{ services.services }}"
    run: "{{ services.run }}"
  run_once: true
  delegate_to: localhost
  register: tickets

- name: Remove the tickets
  fife.managed_tokens.kinit_service:
    run: "{{ tickets.run }}"
    state: absent
  run_once: true
  delegate_to: localhost

- name: Prove that the keytabs are good
  fife.managed_tokens.kinit_service:
    services: "{{ services.services }}"
  run_once: true
  check_mode: true
"""

RETURN = r"""
services:
  description: The services, with the name of their credential cache in C(ccache), or with a C(problem).
  returned: success
  type: list
  elements: dict
run:
  description: The run, with its private C(directory).
  returned: success
  type: dict
outcomes:
  description: One outcome for each service that was tried.
  returned: success
  type: list
  elements: dict
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: missing
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_kinit import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
