# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Replace a file that other programs read, so that they see the old or the new whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

MODE = 0o644


def replace_public(path: Path, content: bytes) -> None:
    """Put `content` at `path`, readable by everybody.

    Raises: OSError, or ValueError for a name that no file can have; the old file is untouched then.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        with os.fdopen(handle, "wb") as file:
            # The umask may have taken the others' right to read, and this file is for them.
            os.fchmod(handle, MODE)
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.unlink(temporary)
