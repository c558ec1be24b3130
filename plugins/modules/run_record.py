#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_record
short_description: Remember in the state database what came of a run
version_added: 0.1.0
description:
  - Writes down the last attempt and the last success of every service on every credd and node, counts failures in a
    row, ends the run's entry, and lets go of the services that it held. All of it is written, or nothing.
  - A database that does not take it fails nothing here. It is an outcome of its own, and
    M(fife.managed_tokens.run_verdict) fails for it.
author:
  - fife.managed_tokens contributors (@fife)
options:
  run:
    description: The run, as M(fife.managed_tokens.service_info) returned it. Without it nothing is done.
    type: dict
  outcomes:
    description: The outcomes of all stages. The action takes them from O(batches).
    type: list
    elements: dict
  program:
    description: Which program's run it was. An onboarding does not count among a service's failures in a row.
    type: str
    choices: [token-push, onboarding]
    default: token-push
  batches:
    description: Names of the variables in which the results of the stages were registered.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
"""

EXAMPLES = r"""
- name: Remember what came of the run
  fife.managed_tokens.run_record:
    run: "{{ services.run }}"
    batches: [services, tickets, stored, pings, pushed]
    database: /var/lib/managed-tokens/managed-tokens.db
  run_once: true
  delegate_to: localhost

- name: The same as a dry run, in which nothing is written
  fife.managed_tokens.run_record:
    run: "{{ services.run }}"
    batches: [services, tickets, stored, pings, pushed]
  run_once: true
  check_mode: true
"""

RETURN = r"""
outcomes:
  description: One outcome of the stage C(state), unless there is no database or this is check mode.
  returned: success
  type: list
  elements: dict
  sample:
    - {stage: state, status: ok, started: 1795452649.1, seconds: 0.02}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_record import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
