# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Document what all stages of a run have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and attributes of the stages."""

    # A stage: works on services, once for all hosts of the play.
    DOCUMENTATION = r"""
options:
  services:
    description:
      - The services to work on, as the stage before returned them.
      - A service with a C(problem) is passed on untouched.
    type: list
    elements: dict
    required: true
  run:
    description:
      - What the stages of one run share, as M(fife.managed_tokens.service_info) returned it.
      - Without it a run with default timeouts begins with this task.
    type: dict
notes:
  - The task has to say C(run_once=true). It works on all services and nodes of the play at once, with a concurrency
    of its own, so C(forks) does not matter to it.
  - It does not fail for a single service or node. Their failures are in RV(ignore:outcomes), and
    M(fife.managed_tokens.node_result) and M(fife.managed_tokens.run_verdict) turn them into results at the end.
"""

    # What the stages that choose among the configured services have in common.
    CHOICE = r"""
options:
  experiment:
    description: Work on the services of these experiments only (together with those of O(service)).
    type: list
    elements: str
    default: []
  service:
    description: Work on these services only, named C(experiment_role) as configured.
    type: list
    elements: str
    default: []
"""

    # How a service logs in.
    IDENTITY = r"""
options:
  keytab_path:
    description: Directory of the keytabs, which are named C(<account>.keytab).
    type: path
    default: /opt/managed-tokens/keytabs
  principal:
    description: Kerberos principal of a service. C({account}), C({experiment}) and C({role}) are replaced.
    type: str
  vault_server:
    description:
      - The vault server, as C(host), C(host:port) or https URL without path, user or password.
      - Without it, the one in HTCondor's C(SEC_CREDENTIAL_GETTOKEN_OPTS).
    type: str
"""

    # What a stage is told that begins a run.
    BEGINNING = r"""
options:
  timeouts:
    description:
      - Limits in seconds. C(run) bounds the whole run (900), C(kerberos) a ticket (20), C(store) one storer run (60),
        C(ping) a probe (3), C(connect) the login to a node (10), C(push) all work on one connection (30), C(vault) a
        look-up of a token (5), C(ferry) an answer of the registry (10),
        C(login) a person's login in the onboarding (600).
    type: dict
  forget_after:
    description: After how long the database forgets services and nodes that have left the configuration; at least 1d.
    type: str
    default: 30d
  later:
    description:
      - Settings of the later stages, named like their variables without C(managed_tokens_), to be checked now. A bad
        one is then found before anything is touched.
    type: dict
"""

    # How a vault server is trusted.
    VAULT_TRUST = r"""
options:
  vault_ca:
    description: File or directory of CA certificates to verify the vault server with. The system's own by default.
    type: path
"""

    # What the configuration is read with.
    CONFIGURATION = r"""
options:
  experiments:
    description:
      - The experiments, by name. Each has C(roles), and may have C(emails) and C(token_experiment).
      - Each role needs an C(account), and may have C(uid), C(nodes), C(keytab), C(principal), C(credds),
        C(collectors), C(schedd_constraint), C(vault_server), C(token_getter), C(default_role_file), C(token_dir) and
        C(notify), which win over the options of the same names; and C(ssh_port), which wins over the inventory's
        C(ansible_port).
    type: dict
    required: true
  groups:
    description: The inventory's groups with their hosts. Filled in by the action.
    type: dict
  hosts:
    description: The hosts of the play. A service whose nodes are all elsewhere takes no part in the run. Filled in by
      the action.
    type: list
    elements: str
  addresses:
    description: For each host a dictionary with C(address) and C(port), where they differ from its name and 22.
      Filled in by the action.
    type: dict
  credds:
    description: The credds that have to hold the tokens. Without it, the collectors are asked for their schedds.
    type: list
    elements: str
  collectors:
    description: HTCondor collectors to ask, in this order; the first that answers is used. Without it, the local
      default pool.
    type: list
    elements: str
  schedd_constraint:
    description: ClassAd expression that the schedds have to match.
    type: str
  token_getter:
    description: V(condor) stores the tokens on the credds, V(htgettoken) only obtains them.
    type: str
    choices: [condor, htgettoken]
    default: condor
  default_role_file:
    description:
      - Path on the nodes of the file that holds the role's name; empty for none.
      - C({experiment}), C({role}), C({account}), C({uid}), C({service}) and C({principal}) are replaced.
    type: str
    default: /tmp/default_role_{experiment}_{uid}
  token_dir:
    description: Directory on the token host in which the vault tokens are kept between runs.
    type: path
    default: /var/lib/managed-tokens/service-credd-vault-tokens
"""

    # A stage that uses the state database.
    DATABASE = r"""
options:
  database:
    description:
      - "The state database: the path of an SQLite file (also C(sqlite:////path)), or a PostgreSQL database by URL, as
        in C(postgresql+psycopg://user@host/database). Empty for none."
      - PostgreSQL on another machine is reached with TLS that is verified by the system's CAs, and gets no password in
        clear, unless parameters of the URL (C(sslmode), C(sslrootcert), C(require_auth)) say otherwise.
      - A file that the Go service managed-tokens wrote is used as it is, and stays usable by it.
    type: str
    default: /var/lib/managed-tokens/managed-tokens.db
  database_password:
    description: Password for PostgreSQL. Without it, libpq's own ways count (C(PGPASSWORD), C(~/.pgpass)).
    type: str
    default: ''
  database_timeout:
    description: How long to wait for a connection to the database, and for other writers, in seconds (at most 300).
    type: float
    default: 10.0
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff
      mode.
    support: none
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix
  action_group:
    description: Use C(group/fife.managed_tokens.managed_tokens) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - fife.managed_tokens.managed_tokens
"""
