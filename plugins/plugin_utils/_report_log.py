# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Append a run to a log file of JSON lines."""

from __future__ import annotations

import fcntl
import os
import stat
import time
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import Delivery
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_lines import lines_of

MODE = 0o640
LOCK_ATTEMPTS, LOCK_PAUSE_S = 50, 0.02
# Without waiting: a named pipe that nobody reads would hold up the report for ever.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK


def write(collected: Collected, settings: ReportSettings, deliveries: t.Sequence[Delivery] = ()) -> str:
    """Append the run's lines; gives the problem in one sentence, "" when they are in the file or none is wanted.

    The file is opened for each run, so it may be rotated at any time; a new one has mode 0640. All lines go in one
    piece, so those of runs that end together do not mix.
    """
    if not settings.log_file:
        return ""
    path = Path(settings.log_file)
    content = "".join(f"{line.text}\n" for line in lines_of(collected, settings, deliveries)).encode()
    shown = one_line(str(path), 200)
    try:
        _append(path, content)
    except OSError as err:
        if not path.parent.is_dir():
            return f"The log {shown} cannot be written: its directory does not exist."
        return f"The log {shown} cannot be written: {one_line(err.strerror or str(err), 100)}."
    except ValueError:
        return f"The log {shown} cannot be written: no file has such a name."
    return ""


def _append(path: Path, content: bytes) -> None:
    handle = _open(path)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no plain file")
        _lock(handle)
        found = os.fstat(handle)
        # What a full disk has cut off stays a line of its own.
        if found.st_size and os.pread(handle, 1, found.st_size - 1) != b"\n":
            content = b"\n" + content
        written = os.write(handle, content)
        while written < len(content):
            written += os.write(handle, content[written:])
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Wait for another run that is just writing, but not for ever: whoever holds it longer does not write."""
    for _attempt in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)
        except OSError:  # a file system without locks
            return
        else:
            return


def _open(path: Path) -> int:
    try:
        handle = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, MODE)
    except FileExistsError:
        try:
            return os.open(path, _FLAGS)
        except FileNotFoundError:
            # Rotated away just now, or a link to a file that is to be made.
            return os.open(path, _FLAGS | os.O_CREAT, MODE)
    # The umask may have taken the group's right to read.
    os.fchmod(handle, MODE)
    return handle
