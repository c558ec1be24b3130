#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_info
short_description: Tell whether everything is well
version_added: 0.1.0
description:
  - Reads from the state database how every configured service stands on its credds and nodes, and how the last runs
    went; gives a verdict, the lines of a view for a terminal, which the action shows, and all that they are made of.
  - Asks nobody but the state database, and changes nothing.
  - Red is what failed when it was tried last, a last run that failed or was interrupted, a database that cannot be
    read, and a place that has got its token last longer than O(max_age) ago. Yellow is what has never been tried, a
    UID that nobody has confirmed for longer than O(uid_max_age), a token that was given less life than
    O(min_token_lifetime), and a database that knows of no service. Green is nothing but the rest.
author:
  - fife.managed_tokens contributors (@fife)
options:
  service:
    description: Look at these services only, by their names in the configuration. O(page) shows all the same.
    type: list
    elements: str
    default: []
  max_age:
    description:
      - How long ago the last success may be; a number with s, m, h or d. Longer than the time between two runs.
    type: str
    default: 3h
  uid_max_age:
    description: A UID from the database that nobody has confirmed for longer is a warning; a number with s, m, h or d.
    type: str
    default: 7d
  min_token_lifetime:
    description:
      - A token that lives shorter when it is stored is a warning; a number with s, m, h or d, less than 7 days. What
        M(fife.managed_tokens.vault_token_store) is told.
    type: str
    default: 3d
  fail:
    description: Whether the task fails when the verdict is anything but green.
    type: bool
    default: false
  page:
    description:
      - HTML file for browsers that the action writes, on the machine that runs ansible-playbook. Empty for none. Not
        written in check mode.
    type: str
    default: ''
  template_dir:
    description: Directory whose C(status.html.j2), if there is one, makes the page in the place of the built-in one.
    type: str
    default: ''
  environment:
    description: What kind of installation this is; others than V(production) are named on the page.
    type: str
    default: production
  width:
    description: How many columns the lines may take; at least 76.
    type: int
    default: 76
requirements:
  - SQLAlchemy (Python)
extends_documentation_fragment:
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
seealso:
  - module: fife.managed_tokens.service_list
"""

EXAMPLES = r"""
- name: Tell whether everything is well
  fife.managed_tokens.status_info:
    database: /var/lib/managed-tokens/managed-tokens.db
  run_once: true
  delegate_to: localhost
  register: tokens

- name: Fail when it is not, for a monitoring system
  fife.managed_tokens.status_info:
    max_age: 2h
    fail: true
  run_once: true
  delegate_to: localhost

- name: Show nothing but the view, and write no page
  fife.managed_tokens.status_info:
    page: /var/www/html/tokens.html
  run_once: true
  delegate_to: localhost
  check_mode: true
"""

RETURN = r"""
status:
  description:
    - How everything stands. C(colour) is C(green), C(yellow) or C(red); C(problems) and C(warnings) have C(where),
      C(what), C(since), C(kind), C(advice) and C(who).
    - C(services) have C(credds) and C(nodes), each with C(status) (C(ok), C(failed), C(never tried)), C(attempted),
      C(succeeded), C(failing_since), C(failures), C(kind) and C(message). C(runs) are the last ten.
    - Times are RFC 3339 in UTC, or null for never and for not known.
  returned: success
  type: dict
  sample:
    colour: green
    title: all well
    reasons: ["5 services, 15 (service, node) pairs: every token was brought up to date within the last 3 h."]
    taken: "2026-11-25T09:31:00Z"
    last_well: "2026-11-25T09:17:41Z"
    problems: []
    warnings: []
    services: []
    runs: []
summary:
  description: The lines of the view.
  returned: success
  type: list
  elements: str
  sample: ["GREEN: all well"]
msg:
  description: The verdict in one line.
  returned: always
  type: str
  sample: "red: 1 problem: dune_production on dunegpvm02.example.org."
kind:
  description: The kind of error, for programs, when a setting cannot be used.
  returned: failure
  type: str
  sample: bad_input
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_status import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
