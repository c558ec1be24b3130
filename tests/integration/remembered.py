# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what runs have left in a state database."""

from __future__ import annotations

import json
import typing as t

from laboratory import VENV, Done, Laboratory

SOURCES = "/srv/ansible/ansible_collections/fife/managed_tokens"
FIXTURE = f"{SOURCES}/tests/fixtures/managed-tokens.db"
PLAYGROUND = "/srv/lab/state/playground"
LOOK = """
import json, sys
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils import (
    _state_configured as configured, _state_results as results, _state_runs as runs, _state_uids as uids)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
import sqlalchemy as sa
with open_state(sys.argv[1], "", 30.0).read() as db:
    rows = lambda table: [dict(row) for row in db.execute(sa.select(table)).mappings()]
    print(json.dumps({
        "setup": dict(results.setup_counters(db)),
        "push": {"@".join(key): count for key, count in results.push_counters(db).items()},
        "uids": {name: [known.uid, known.confirmed, known.source] for name, known in uids.known_uids(db).items()},
        "results": rows(schema().results), "runs": rows(schema().runs), "holds": rows(schema().holds),
        "gone": {sort: configured.departed(db, sort) for sort in ("service", "node")},
    }))
"""

MAKE_OTHER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute(sys.argv[2], sys.argv[3:])
db.commit()
"""


def python(laboratory: Laboratory, *argv: str, check: bool = True, timeout: float = 300) -> Done:
    """Run a program of ours in the laboratory, with the collection in its path."""
    return laboratory.run("env", "PYTHONPATH=/srv/ansible", f"{VENV}/bin/python", *argv, check=check, timeout=timeout)


def state_of(laboratory: Laboratory, database: str = "") -> dict[str, t.Any]:
    """Give everything that the state database holds."""
    found: dict[str, t.Any] = json.loads(python(laboratory, "-c", LOOK, database or laboratory.database).output)
    return found


def with_database(database: str, seconds: float = 2.0) -> tuple[str, ...]:
    return ("-e", json.dumps({"managed_tokens_database": database, "managed_tokens_database_timeout": seconds}))
