# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say which version of the collection this is."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "unknown"


@functools.cache
def collection_version(root: Path = _ROOT) -> str:
    """Give the version of the collection installed at `root`, or checked out there; "unknown" when nothing says it."""
    try:
        return str(json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # a checkout has none
    try:
        found = re.search(r"^version:\s*(\S+)", (root / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, ValueError):
        return UNKNOWN
    return found[1].strip("\"'") if found else UNKNOWN
