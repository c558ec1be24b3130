#!/usr/bin/python

# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ferry_uids
short_description: Refresh the UIDs of all accounts from the FERRY registry
version_added: 0.1.0
description:
  - Asks the registry once for each account of the configured services, many at once over few kept-alive connections,
    and stores the UIDs in the state database, in one transaction.
  - An account whose answer is no good keeps the UID that is stored, and fails the task; all good answers are stored
    all the same.
  - No two accounts ever get the same UID. What claims one that another configured account keeps is refused.
  - Retries what can pass, at the pace that the registry asks for. A registry that denies access or does not answer is
    left alone by all that have not asked yet.
author:
  - fife.managed_tokens contributors (@fife)
options:
  experiments:
    description: The experiments, by name, as for M(fife.managed_tokens.service_info). Only the accounts count here, and
      C(uid) where a role has one, to be compared.
    type: dict
    required: true
  timeouts:
    description:
      - Limits in seconds, as for M(fife.managed_tokens.service_info). C(ferry) bounds one answer of the registry (10),
        C(run) everything (900), C(kerberos) the ticket (20) and C(store) the run of C(htgettoken) (60) for
        O(ferry_auth=token).
    type: dict
  ferry_url:
    description: The registry, as C(https://host:port).
    type: str
    required: true
  ferry_request:
    description: What to ask for; C({account}) is replaced, and encoded for a URL.
    type: str
    default: /getUserInfo?username={account}
  ferry_auth:
    description: Whether the registry is asked with a client certificate, or with a bearer token from C(htgettoken).
    type: str
    choices: [certificate, token]
    default: certificate
  ferry_cert:
    description: PEM file of the client certificate. Required for O(ferry_auth=certificate).
    type: path
  ferry_key:
    description: PEM file of its key, without a passphrase. Not needed when O(ferry_cert) holds the key too.
    type: path
  ferry_ca:
    description: File or directory of CA certificates (C(*.pem) and C(*.crt)) to verify the registry with; no others are
      trusted then. The system's own by default.
    type: path
  ferry_service:
    description:
      - The service, named C(experiment_role), whose ticket and role get the bearer token. Required for
        O(ferry_auth=token).
      - If it is configured, its principal, keytab and vault server are used.
    type: str
  ferry_principal:
    description: Kerberos principal for the bearer token, if not that of O(ferry_service).
    type: str
  ferry_keytab:
    description: Keytab for the bearer token, if not that of O(ferry_service).
    type: path
  ferry_vault_server:
    description: Vault server for the bearer token, if not that of O(ferry_service).
    type: str
  ferry_uid:
    description: JMESPath expression that finds the UID in an answer.
    type: str
    default: ferry_output.uid
  ferry_error:
    description: JMESPath expression that finds the registry's error text in an answer; a list of texts will do, and
      null, false, an empty text or an empty list is no error.
    type: str
    default: "ferry_error || (ferry_status == 'failure' && 'failure, without a reason')"
  ferry_active:
    description: JMESPath expression that finds whether the account is active. An explicit false is a warning.
    type: str
    default: ferry_output.status
  ferry_concurrency:
    description: How many connections there are to the registry, and accounts asked for at once; at least 1.
    type: int
    default: 16
  ferry_retries:
    description: How often a question is repeated after a failure that can pass; 0 for never.
    type: int
    default: 3
requirements:
  - requests (Python)
  - jmespath (Python)
  - SQLAlchemy (Python)
  - gssapi (Python) and htgettoken, for O(ferry_auth=token)
extends_documentation_fragment:
  - fife.managed_tokens.stage.vault_trust
  - fife.managed_tokens.stage.identity
  - fife.managed_tokens.stage.choice
  - fife.managed_tokens.stage.database
  - fife.managed_tokens.stage.attributes
attributes:
  diff_mode:
    support: full
seealso:
  - module: fife.managed_tokens.service_info
"""

EXAMPLES = r"""
- name: Refresh the UIDs with a client certificate
  fife.managed_tokens.ferry_uids:
    experiments: "{{ managed_tokens_experiments }}"
    ferry_url: https://ferry.example.org:8445
    ferry_cert: /etc/managed-tokens/ferry.pem
    ferry_ca: /etc/grid-security/certificates
  run_once: true
  delegate_to: localhost

- name: See what would change, with the token of a service
  fife.managed_tokens.ferry_uids:
    experiments: "{{ managed_tokens_experiments }}"
    principal: "{account}/managed-tokens/push.example.org@EXAMPLE.ORG"
    vault_server: vault.example.org
    ferry_url: https://ferry.example.org:8445
    ferry_auth: token
    ferry_service: fermilab_registry
    ferry_principal: registry/managed-tokens/push.example.org@EXAMPLE.ORG
    ferry_keytab: /opt/managed-tokens/keytabs/registry.keytab
  run_once: true
  check_mode: true
  diff: true
"""

RETURN = r"""
uids:
  description: All accounts with their UIDs, as stored afterwards; in check mode, as they would be.
  returned: when the registry was asked
  type: dict
  sample: {dunepro: 50100, novapro: 50110}
outcomes:
  description: One outcome for each account. C(ok) is confirmed, C(changed) new or changed, C(failed) keeps what is
    stored and has a C(kind) and a C(message).
  returned: when the registry was asked
  type: list
  elements: dict
  sample:
    - {stage: registry, status: ok, account: dunepro, started: 1795452649.1, seconds: 0.02}
msg:
  description: One sentence with the counts, and with the first failed accounts.
  returned: always
  type: str
  sample: "UIDs of 12 accounts: 11 confirmed, 1 new, 0 changed."
kind:
  description: The kind of the first error, for programs.
  returned: failure
  type: str
  sample: registry_unavailable
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_ferry import ARGUMENT_SPEC, run_stage


def main() -> None:
    """Run as a module."""
    answer(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run_stage)


if __name__ == "__main__":
    main()
