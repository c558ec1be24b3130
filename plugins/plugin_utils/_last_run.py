# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Write the file in which other programs read how the last run went."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._last_run_record import record_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Delivery, Untold
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._public_file import replace_public


def write(collected: Collected, path: str, deliveries: t.Sequence[Delivery] = (), untold: Untold | None = None) -> str:
    """Replace the file at `path` (mode 0644), atomically; gives the problem in one sentence, "" when it is written or
    `path` is ""."""
    if not path:
        return ""
    shown = one_line(path, 200)
    target = Path(path)
    content = json.dumps(record_of(collected, deliveries, untold), ensure_ascii=False, separators=(",", ":")) + "\n"
    try:
        replace_public(target, content.encode())
    except OSError as err:
        if not target.parent.is_dir():
            return f"The file {shown} cannot be written: its directory does not exist."
        return f"The file {shown} cannot be written: {one_line(err.strerror or type(err).__name__, 100)}."
    except ValueError:
        return f"The file {shown} cannot be written: no file has such a name."
    return ""
