# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read and write small secret files: never readable by others, never half written, never through a link."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile

MODE = 0o600
DIRECTORY_MODE = 0o700
SIZE_LIMIT = 64 * 1024


def read_private(path: Path, limit: int = SIZE_LIMIT) -> bytes | None:
    """Give the content of `path`, at most `limit` bytes, or None when there is no such file.

    Raises: BadFile when it is a link, not a plain file, not ours, unreadable, larger, or being written.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise BadFile(f"Cannot read {path}: {err.strerror}.") from err
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise BadFile(f"{path} is not a plain file of the running user (owner UID {found.st_uid}); it is not used.")
        # As much as there is, and a byte to see it grow: Python sets aside at once what it is asked to read at most.
        with open(handle, "rb", closefd=False) as file:
            content = file.read(min(limit, found.st_size) + 1)
    except OSError as err:
        raise BadFile(f"Cannot read {path}: {err.strerror}.") from err
    finally:
        os.close(handle)
    if found.st_size < len(content) <= limit:
        raise BadFile(f"{path} grew while it was being read; somebody else writes it.")
    if len(content) > limit:
        raise BadFile(f"{path} is larger than {limit} bytes; that is not what belongs there.")
    return content


def create_private(path: Path, content: bytes) -> None:
    """Create `path` with mode 0600; it must not exist.

    Raises: BadFile when it exists or cannot be written; nothing is left behind then.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    except OSError as err:
        raise BadFile(f"Cannot create {path}: {err.strerror}.") from err
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, MODE)
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError as err:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise BadFile(f"Cannot write {path}: {err.strerror}.") from err


def replace_private(path: Path, content: bytes) -> None:
    """Put `content` at `path` (mode 0600) so that a reader sees the old or the new whole, also after a crash.

    Raises: BadFile when it cannot be written; the old file is untouched then.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        create_private(temporary, content)
        os.replace(temporary, path)
        _sync_directory(path.parent)
    except OSError as err:
        raise BadFile(f"Cannot replace {path}: {err.strerror}.") from err
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def ensure_private_directory(path: Path) -> None:
    """Make `path` (0700, parents too) unless it exists.

    Raises: BadFile when it cannot be made, is not a directory, not ours, or open to others for writing.
    """
    try:
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        found = os.stat(path)
    except OSError as err:
        raise BadFile(f"Cannot make the directory {path}: {err.strerror}.") from err
    if found.st_uid != os.geteuid():
        raise BadFile(
            f"The directory {path} belongs to UID {found.st_uid}, not to the running user (UID {os.geteuid()})."
        )
    if found.st_mode & 0o077:
        # The Go service's packages made it group-writable; tightening what is ours is safe and needs nobody.
        try:
            os.chmod(path, DIRECTORY_MODE)
        except OSError as err:
            raise BadFile(f"Cannot close the directory {path} to others (chmod 0700): {err.strerror}.") from err


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
