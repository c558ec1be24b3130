#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_verdict
short_description: Fail the play if any service of the run failed
version_added: 0.1.0
description:
  - Judges all outcomes of a run, after everything was tried, and fails for what no node's own result has told already.
  - Gives one sentence that counts what is well, and for each failure what to do about it.
author:
  - fife.managed_tokens contributors (@fife)
options:
  outcomes:
    description: The outcomes of all stages. The action takes them from O(batches).
    type: list
    elements: dict
  batches:
    description: Names of the variables in which the results of the stages were registered.
    type: list
    elements: str
    default: []
  nodes_are_told:
    description: Whether M(fife.managed_tokens.node_result) has failed the nodes already.
    type: bool
    default: true
  node:
    description: The nodes that services were taken off, of an offboarding that was for these nodes alone.
    type: list
    elements: str
    default: []
  program:
    description: Which program's run it was. An onboarding or offboarding is listed service by service. Anything that is
      left of a service fails the one, a service that is not onboarded the other.
    type: str
    choices: [token-push, offboarding, onboarding]
    default: token-push
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Give the verdict
  fife.managed_tokens.run_verdict:
    batches: [services, tickets, stored, pings, pushed]
  run_once: true
  delegate_to: localhost

- name: The same as a dry run
  fife.managed_tokens.run_verdict:
    batches: [services, tickets, stored, pings, pushed]
  run_once: true
  check_mode: true
"""

RETURN = r"""
msg:
  description: How the run went.
  returned: always
  type: str
  sample: 5 of 5 services well, 13 of 13 (service, node) pairs in place, 0 of them renewed.
lines:
  description: What is gone of each service, and what is not; or what has become of its onboarding.
  returned: success, with O(program=offboarding) or O(program=onboarding)
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_verdict import RUN_VERDICT_SPEC, run_verdict


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=RUN_VERDICT_SPEC, supports_check_mode=True), run_verdict)


if __name__ == "__main__":
    main()
