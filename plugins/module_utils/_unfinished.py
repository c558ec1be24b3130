# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""The temporary files on a node: made so that nobody else can have made them, and found again after a killed run."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import re
import secrets
import stat
import typing as t

try:
    import asyncssh
except ImportError:  # the stage says so in one sentence before anything here is used
    asyncssh = None  # type: ignore[assignment]

MODE = 0o400
STALE_S = 3600.0
CLEAN_UP_S = 3.0
# The SFTP protocol's FXF_WRITE, FXF_CREAT and FXF_EXCL.
_CREATE = 0x02 | 0x08 | 0x20


async def create(sftp: asyncssh.SFTPClient, path: str, uid: int) -> tuple[str, asyncssh.SFTPClientFile]:
    """Make a new file beside `path`, for its owner alone; give its name, and the file to write to.

    Raises: asyncssh.Error, OSError.
    """
    # One fixed name first: what a killed run left under it is found again without listing the directory. If another
    # run is writing at this moment, or somebody sits on the name, a random one serves.
    fixed = _beside(path, "managed-tokens")
    try:
        return fixed, await _open_new(sftp, fixed)
    except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
        other = _beside(path, secrets.token_hex(8))
        file = await _open_new(sftp, other)
    try:
        await _remove_stale(sftp, fixed, uid, await file.stat())
    except BaseException:
        await clean_up(sftp, other)
        raise
    return other, file


async def find(sftp: asyncssh.SFTPClient, path: str, uid: int) -> tuple[str, ...]:
    """Give what killed runs left beside `path`: this account's own plain files under names of `create`, however old.

    A directory that may not be listed shows none. Raises: asyncssh.Error, OSError.
    """
    directory, name = posixpath.split(path)
    ours = re.compile(rf"\.{re.escape(name)}\.(?:managed-tokens|[0-9a-f]{{16}})\.tmp".encode())
    found: list[str] = []
    with contextlib.suppress(asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchFile):
        async for entry in sftp.scandir(directory.encode()):  # as bytes: other files' names may be of any encoding
            known = entry.attrs
            if (
                ours.fullmatch(t.cast("bytes", entry.filename))
                and stat.S_ISREG(known.permissions or 0)
                and known.uid == uid
            ):
                found.append(posixpath.join(directory, t.cast("bytes", entry.filename).decode()))
    return tuple(sorted(found))


async def clean_up(sftp: asyncssh.SFTPClient, temporary: str) -> None:
    """Remove a temporary file after a failure, which is what has to be told; takes at most CLEAN_UP_S seconds."""
    with contextlib.suppress(asyncssh.Error, OSError, TimeoutError):
        async with asyncio.timeout(CLEAN_UP_S):
            await sftp.remove(temporary)


def _beside(path: str, word: str) -> str:
    directory, name = posixpath.split(path)
    return posixpath.join(directory, f".{name}.{word}.tmp")


async def _open_new(sftp: asyncssh.SFTPClient, temporary: str) -> asyncssh.SFTPClientFile:
    async def opened() -> asyncssh.SFTPClientFile:
        attributes = asyncssh.SFTPAttrs(permissions=MODE)
        return await sftp.open(temporary, _CREATE, attributes, encoding=None, block_size=0)

    opening = asyncio.create_task(opened())
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The server has been asked already. Only if it says that it made the file, the file is ours to remove.
        with contextlib.suppress(asyncssh.Error, OSError, TimeoutError):
            async with asyncio.timeout(CLEAN_UP_S):
                await opening
                await sftp.remove(temporary)
        raise


async def _remove_stale(sftp: asyncssh.SFTPClient, temporary: str, uid: int, newest: asyncssh.SFTPAttrs) -> None:
    # The age is the difference from a file made this moment, by the node's own clock: two machines' clocks may differ.
    with contextlib.suppress(asyncssh.SFTPError):
        found = await sftp.lstat(temporary)
        is_ours = stat.S_ISREG(found.permissions or 0) and found.uid == uid
        if is_ours and found.mtime is not None and (newest.mtime or 0) - found.mtime > STALE_S:
            await sftp.remove(temporary)
