# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be the person with the browser who approves a login that is waiting. Runs inside the world, as root."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world.layout import PATHS
from world.namespaces import WorldError
from world.vault_state import APPROVED

LOG = Path(PATHS["log"]) / "logins.jsonl"


def waiting(log: str) -> dict[str, str]:
    """Give the services of the logins that have begun and not ended, by code, the latest last."""
    found: dict[str, str] = {}
    for line in log.splitlines():
        entry = json.loads(line)
        if entry["what"] == "started":
            found[entry["code"]] = entry["service"]
        else:
            found.pop(entry["code"], None)
    return found


def approve(wanted: str) -> str:
    """Approve the latest login of the service, or that of the code; give its code.

    Raises: WorldError when no such login is waiting.
    """
    logins = waiting(LOG.read_text()) if LOG.exists() else {}
    codes = [code for code, service in logins.items() if wanted in (service, code)]
    if not codes:
        raise WorldError(f"No login of {wanted!r} is waiting; waiting are: {', '.join(logins.values()) or 'none'}.")
    path = Path(PATHS["control"]) / APPROVED
    path.write_text(" ".join([*(path.read_text().split() if path.exists() else ()), codes[-1]]))
    return codes[-1]


if __name__ == "__main__":
    try:
        print(f"  approved: {approve(sys.argv[1])}")
    except WorldError as err:
        sys.exit(f"lab: {err}")
