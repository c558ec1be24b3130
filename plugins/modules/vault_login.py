#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_login
short_description: Have people log in for services whose refresh token vault does not have
version_added: 0.1.0
description:
  - First stores what can be stored without a person, as M(fife.managed_tokens.vault_token_store) does. A service that
    has all it needs is left alone.
  - For each of the others HTCondor's storer runs on a terminal of its own. The address to open, the code and the
    waiting are shown while it goes on, in a terminal and in the output of ansible-runner and AWX; where that is wanted
    they are sent as well. One service after another, since one person does one login at a time.
  - C(htgettoken) waits two minutes for the person, and is started anew, with a new address, until the time of the login
    (C(login) in C(managed_tokens_timeouts)) is over.
  - One login serves all credds of a service. Afterwards its token is stored on each of them.
  - In check mode nobody is asked, and nothing is stored.
  - It works in Ansible's own process only, as nothing can be shown while a module runs on another machine.
author:
  - fife.managed_tokens contributors (@fife)
options:
  min_token_lifetime:
    description: A token with less life than this is renewed; a number with C(s), C(m), C(h) or C(d), less than V(7d).
    type: str
    default: 3d
  concurrency:
    description: How many storer runs without a person go on at once.
    type: int
    default: 16
  htgettoken_options:
    description: More options for C(htgettoken), as in its C(HTGETTOKENOPTS).
    type: str
    default: ""
  verbose:
    description: Run the storer with C(-v).
    type: bool
    default: false
  force:
    description: Have somebody log in for every service, also for those that have all they need.
    type: bool
    default: false
  mail:
    description: E-mail addresses to which the address and the code of each login are sent. The mail server is that of
      the report.
    type: list
    elements: str
    default: []
  slack:
    description: Post the address and the code of each login to Slack.
    type: bool
    default: false
  slack_webhook:
    description: Webhook of the channel for O(slack), if not that of the report. A secret.
    type: str
    default: ""
requirements:
  - requests (Python)
  - condor_vault_storer (HTCondor)
  - htgettoken
extends_documentation_fragment:
  - fife.managed_tokens.stage.vault_trust
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
"""

EXAMPLES = r"""
- name: Have people log in where that is needed
  fife.managed_tokens.vault_login:
    services: "{{ checked.services }}"
    run: "{{ checked.run }}"
    mail: [somebody@example.org]
  run_once: true
  delegate_to: localhost
  register: logins

- name: See who would have to log in
  fife.managed_tokens.vault_login:
    services: "{{ checked.services }}"
    run: "{{ checked.run }}"
  run_once: true
  check_mode: true
"""

RETURN = r"""
services:
  description: The services, with the path of the token to push in C(token), or with a C(problem).
  returned: success
  type: list
  elements: dict
outcomes:
  description: One outcome for each login, and one for each service and credd.
  returned: success
  type: list
  elements: dict
run:
  description: The run.
  returned: success
  type: dict
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: login_not_shown
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_login import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
