#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_token_store
short_description: Bring every service's vault token up to date on its credds
version_added: 0.1.0
description:
  - Runs HTCondor's C(condor_vault_storer) for each service and credd, many at once. Each run has a working copy, a
    bearer token file and a runtime directory of its own, so that no two of them share anything.
  - The vault token is kept between runs, one for each service and credd. It is exchanged only for a token that the
    vault server accepts, and never lost because a run failed.
  - A service goes on to its nodes when at least one credd took its token. Every credd that did not is a failure of
    the run all the same.
  - With O(push) a service's token goes to its nodes as soon as all its credds were tried, while other services are
    still being stored. M(fife.managed_tokens.push_vault_token) of the same run takes over what came of that, and does
    what is left; nothing depends on it.
  - In check mode nothing is run. The kept tokens are looked up on the vault server to say which of them would be
    renewed.
author:
  - fife.managed_tokens contributors (@fife)
options:
  min_token_lifetime:
    description: A token with less life than this is renewed; a number with C(s), C(m), C(h) or C(d), less than V(7d).
    type: str
    default: 3d
  concurrency:
    description: How many storer runs go on at once.
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
  reuse:
    description:
      - A token that a run has stored on a credd less than this ago is not stored there again, if the kept one is still
        good; a number with C(s), C(m), C(h) or C(d). V(0s) stores in every run.
      - For sliced jobs and for those that are launched again on failed hosts. It needs the state database.
    type: str
    default: 0s
  push:
    description: Serve the services' nodes meanwhile. The options of M(fife.managed_tokens.push_vault_token), which has
      to come after it in the same play.
    type: dict
    suboptions:
      enabled:
        description: Whether to do so.
        type: bool
        default: true
      unanswered:
        description: Nodes that did not answer a probe.
        type: list
        elements: str
        default: []
      concurrency:
        description: How many connections are served at once.
        type: int
        default: 40
      per_node:
        description: How many connections there are to one node at once.
        type: int
        default: 8
      retries:
        description: How often a push is tried again after a failure that can pass.
        type: int
        default: 2
      retry_delay:
        description: Seconds before the first retry; doubled for each further one, 30 at the most.
        type: float
        default: 2.0
      known_hosts:
        description: Files with the nodes' host keys or host CAs.
        type: list
        elements: path
        default: []
      kex_algorithms:
        description: Key exchange algorithms to offer, in this order.
        type: list
        elements: str
        default: []
requirements:
  - requests (Python)
  - asyncssh and gssapi (Python), with O(push)
  - condor_vault_storer (HTCondor)
  - htgettoken
extends_documentation_fragment:
  - fife.managed_tokens.stage.vault_trust
  - fife.managed_tokens.stage
  - fife.managed_tokens.stage.attributes
  - fife.managed_tokens.stage.database
"""

EXAMPLES = r"""
- name: Bring the tokens up to date on all credds
  fife.managed_tokens.vault_token_store:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
    min_token_lifetime: 3d
  run_once: true
  delegate_to: localhost
  register: stored

- name: See which tokens would be renewed
  fife.managed_tokens.vault_token_store:
    services: "{{ tickets.services }}"
    run: "{{ tickets.run }}"
  run_once: true
  check_mode: true
"""

RETURN = r"""
services:
  description: The services, with the path of the token to push in C(token) and when it expires in
    C(expires) (seconds since the epoch, V(0.0) when that is not known), or with a C(problem).
  returned: success
  type: list
  elements: dict
run:
  description: The run.
  returned: success
  type: dict
outcomes:
  description: One outcome for each service and credd, with the token's remaining C(life) in seconds where the vault
    server told it.
  returned: success
  type: list
  elements: dict
kind:
  description: The kind of error, for programs.
  returned: failure
  type: str
  sample: stage_order
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_store import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
