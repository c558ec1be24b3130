#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: login_audience
short_description: See that a login can be asked for and shown to somebody
version_added: 0.1.0
description:
  - The first task of an onboarding. It fails when nothing says whom to onboard, or when nobody would see where to log
    in; nothing has been touched then.
  - A login is shown when the output goes to a terminal (a job of AWX or ansible-runner has one), when it is sent by
    mail or to Slack, or when somebody says that the output is watched. The stdout callback C(quiet) of this collection
    shows nothing, nor does a task that is delegated to another machine.
  - It works on the controller only, in Ansible's own process.
author:
  - fife.managed_tokens contributors (@fife)
options:
  experiment:
    description: The experiments that are onboarded.
    type: list
    elements: str
    default: []
  service:
    description: The services that are onboarded.
    type: list
    elements: str
    default: []
  mail:
    description: E-mail addresses to which the address and the code of each login are to be sent.
    type: list
    elements: str
    default: []
  slack:
    description: Whether they are to be posted to Slack.
    type: bool
    default: false
  slack_webhook:
    description: Webhook of the channel for O(slack), if not that of the report. A secret.
    type: str
    default: ""
  watched:
    description: Somebody watches the output, although it goes to no terminal.
    type: bool
    default: false
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: See that somebody will see where to log in
  fife.managed_tokens.login_audience:
    service: [dune_production]
    mail: [somebody@example.org]
  run_once: true
  delegate_to: localhost

- name: The same as a dry run, in which nobody is going to be asked
  fife.managed_tokens.login_audience:
    service: [dune_production]
  run_once: true
  check_mode: true
"""

RETURN = r"""
sent_to:
  description: To whom the address of a login will be sent.
  returned: success
  type: list
  elements: str
  sample: [somebody@example.org]
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: login_not_shown
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Say that only the action can do it."""
    module = AnsibleModule(
        argument_spec={
            "experiment": {"type": "list", "elements": "str", "default": []},
            "service": {"type": "list", "elements": "str", "default": []},
            "mail": {"type": "list", "elements": "str", "default": []},
            "slack": {"type": "bool", "default": False},
            "slack_webhook": {"type": "str", "default": "", "no_log": True},
            "watched": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="It works on the controller only: run the task there, through its action.")


if __name__ == "__main__":
    main()
