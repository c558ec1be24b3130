#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Report a run from a task
version_added: 0.1.0
description:
  - Does what the callback C(fife.managed_tokens.report) does, for sites that cannot enable callbacks. Its settings are
    those of the callback, from variables, environment and C(ansible.cfg).
  - With V(callback) it only sees to it that the callback is enabled, and warns when it is not.
  - It works on the controller only, in Ansible's own process.
author:
  - fife.managed_tokens contributors (@fife)
options:
  by:
    description: Who reports the run, the callback, this task, or nobody.
    type: str
    choices: [callback, task, none]
    default: callback
  batches:
    description: Names of the variables in which the results of the stages were registered.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Report the run
  fife.managed_tokens.report:
    by: task
    batches: [services, tickets, stored, pings, pushed, recorded]
  run_once: true
  delegate_to: localhost

- name: See what would be reported
  fife.managed_tokens.report:
    by: task
    batches: [services, tickets, stored, pings, pushed]
  run_once: true
  check_mode: true
"""

RETURN = r"""
reported:
  description: Whether this task has reported the run.
  returned: success
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Say that only the action can do it."""
    module = AnsibleModule(
        argument_spec={
            "by": {"type": "str", "choices": ["callback", "task", "none"], "default": "callback"},
            "batches": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="The report works on the controller only: run the task there, through its action.")


if __name__ == "__main__":
    main()
