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

    # A stage that uses the state database.
    DATABASE = r"""
options:
  database:
    description:
      - "The state database: the path of an SQLite file (also C(sqlite:////path)), or a PostgreSQL database by URL, as
        in C(postgresql+psycopg://user@host/database). Empty for none."
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
