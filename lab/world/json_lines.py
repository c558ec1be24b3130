# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a stand-in saw as JSON lines, so that a test can read and count it."""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path


class JsonLines:
    """A file that is appended to, each line at once; for many threads."""

    def __init__(self, path: Path) -> None:
        # Open as long as the process lives.
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, *entries: t.Mapping[str, object]) -> None:
        """Add a line for each entry, those of one call next to each other."""
        text = "".join(json.dumps(entry) + "\n" for entry in entries)
        with self._lock:
            self._file.write(text)
            self._file.flush()
