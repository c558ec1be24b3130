# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Bring one file on a node to the wanted content: look, decide, apply.

A reader of the destination sees the old or the new token, whole, at every instant: the new one is written under a
temporary name (created exclusively, 0400), flushed, and renamed over the old one. What is not the
account's own plain file is never followed, read or replaced.

What need not wait for an answer is asked together, as long as it is all the same in which order the server takes it: to
replace a file costs four round trips, and all destinations of a service on a node together as many as one.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import hashlib
import posixpath
import stat
import typing as t
from dataclasses import dataclass

try:
    import asyncssh
except ImportError:  # the stage says so in one sentence before anything here is used
    asyncssh = None  # type: ignore[assignment]

from ansible_collections.fife.managed_tokens.plugins.module_utils import _unfinished as unfinished
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    ConnectionBroken,
    DestinationSymlink,
    DestinationUntrusted,
    DestinationUnwritable,
    TokensError,
    UidMismatch,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

MODE = unfinished.MODE


class Step(enum.Enum):
    """What has to happen to a destination."""

    KEEP = "keep"
    WRITE = "write"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a destination: nothing (`exists` false), or something of this type, owner and mode; content only
    if it was worth reading, and `leftovers` of killed runs only where nothing is wanted."""

    exists: bool
    is_file: bool = False
    is_link: bool = False
    uid: int = -1
    mode: int = 0
    content: bytes | None = None
    leftovers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted content of `path` on `node` (None: no file) for the account of UID `uid`; unknown content is some
    other content (check mode)."""

    path: str
    content: bytes | None
    uid: int
    node: str
    is_unknown: bool = False

    @property
    def is_absent(self) -> bool:
        """Whether there has to be no file."""
        return self.content is None and not self.is_unknown


async def look(sftp: asyncssh.SFTPClient, wanted: Wanted) -> Found:
    """Say what stands at the destination; reads the content only when everything else is as it should be.

    Raises: ConnectionBroken, DestinationUnwritable.
    """
    try:
        leftovers = await unfinished.find(sftp, wanted.path, wanted.uid) if wanted.is_absent else ()
    except (asyncssh.Error, OSError) as err:
        raise _meaning(err, wanted, "looked at") from err
    try:
        attributes = await sftp.lstat(wanted.path)
        mode = attributes.permissions or 0
        found = Found(
            True,
            stat.S_ISREG(mode),
            stat.S_ISLNK(mode),
            -1 if attributes.uid is None else attributes.uid,
            stat.S_IMODE(mode),
            leftovers=leftovers,
        )
        if (
            wanted.content is None
            or not found.is_file
            or found.uid != wanted.uid
            or found.mode != MODE
            or attributes.size != len(wanted.content)
        ):
            return found
        async with sftp.open(wanted.path, asyncssh.FXF_READ, encoding=None, block_size=0) as file:
            content = t.cast("bytes", await file.read(len(wanted.content) + 1))  # bytes, without an encoding
        return Found(True, True, False, found.uid, found.mode, content)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return Found(False, leftovers=leftovers)
    except (asyncssh.Error, OSError) as err:
        raise _meaning(err, wanted, "looked at") from err


def decide(found: Found, wanted: Wanted) -> Step:
    """Say what has to happen. Touches nothing.

    Raises: DestinationSymlink, DestinationUntrusted.
    """
    where = f"{wanted.path} on {wanted.node}"
    if found.is_link:
        raise DestinationSymlink(f"{where} is a symbolic link; it is neither followed nor replaced.")
    if found.exists and not found.is_file:
        raise DestinationUntrusted(f"{where} is not a plain file; it is not replaced.")
    if found.exists and found.uid != wanted.uid:
        raise DestinationUntrusted(
            f"{where} belongs to UID {found.uid}, not to the account's UID {wanted.uid}; it is not replaced."
        )
    if wanted.is_absent:
        return Step.REMOVE if found.exists or found.leftovers else Step.KEEP
    is_same = found.exists and found.mode == MODE and found.content == wanted.content and not wanted.is_unknown
    return Step.KEEP if is_same else Step.WRITE


def describe(found: Found) -> str:
    """Say what stands at a destination, without its content."""
    if not found.exists:
        return "absent" + (f", {len(found.leftovers)} unfinished beside it" if found.leftovers else "")
    kind = "link" if found.is_link else "file" if found.is_file else "no plain file"
    return f"{kind}, mode {found.mode:04o}, UID {found.uid}, {_digest(found.content)}"


def describe_wanted(wanted: Wanted) -> str:
    """Say what is wanted at a destination, in the same words."""
    if wanted.is_absent:
        return "absent"
    return f"file, mode {MODE:04o}, UID {wanted.uid}, {_digest(wanted.content)}"


def _digest(content: bytes | None) -> str:
    return "other content" if content is None else f"sha256 {hashlib.sha256(content).hexdigest()[:8]}"


async def apply(sftp: asyncssh.SFTPClient, wanted: Wanted, step: Step, leftovers: t.Collection[str] = ()) -> None:
    """Make the destination as wanted; on any failure the old file is untouched and no temporary file stays.

    `leftovers` go together with a file that is removed.

    Raises: DestinationUnwritable, UidMismatch, ConnectionBroken.
    """
    try:
        if step is Step.REMOVE:
            for path in (*leftovers, wanted.path):
                with contextlib.suppress(asyncssh.SFTPNoSuchFile):
                    await sftp.remove(path)
        elif step is Step.WRITE and wanted.content is not None:
            await _replace(sftp, wanted, wanted.content)
    except (asyncssh.Error, OSError) as err:
        told = _meaning(err, wanted, "removed" if step is Step.REMOVE else "replaced")
        if isinstance(told, DestinationUnwritable) and await _is_full(sftp, wanted.path):
            told = DestinationUnwritable(
                f"{wanted.path} on {wanted.node} cannot be replaced: no space left on its file system."
            )
        raise told from err


async def _replace(sftp: asyncssh.SFTPClient, wanted: Wanted, content: bytes) -> None:
    temporary, file = await unfinished.create(sftp, wanted.path, wanted.uid)
    try:
        _written, attributes, _flushed = await asyncio.gather(file.write(content), file.stat(), _flush(file))
        if attributes.uid != wanted.uid:
            raise UidMismatch(
                f"The account has UID {attributes.uid} on {wanted.node}, not {wanted.uid} as configured; "
                f"{wanted.path} was not written."
            )
        if stat.S_IMODE(attributes.permissions or 0) != MODE:  # a server that has its own idea of new files
            await file.setstat(asyncssh.SFTPAttrs(permissions=MODE))
        await asyncio.gather(file.close(), sftp.posix_rename(temporary, wanted.path))
    except BaseException:
        # Also when the push is being cancelled; closing the handle is the server's business then.
        await unfinished.clean_up(sftp, temporary)
        raise
    now = await sftp.lstat(wanted.path)
    if now.uid != wanted.uid or stat.S_IMODE(now.permissions or 0) != MODE or now.size != len(content):
        raise DestinationUnwritable(
            f"{wanted.path} on {wanted.node} was replaced, and is not what was written; another program writes it too."
        )


async def _flush(file: asyncssh.SFTPClientFile) -> None:
    with contextlib.suppress(asyncssh.SFTPOpUnsupported):
        await file.fsync()


async def _is_full(sftp: asyncssh.SFTPClient, path: str) -> bool:
    with contextlib.suppress(asyncssh.Error, OSError):
        room = await sftp.statvfs(posixpath.dirname(path))
        return room.bavail == 0 or (room.files > 0 and room.favail == 0)
    return False


def _meaning(error: Exception, wanted: Wanted, done: str) -> TokensError:
    where = f"{wanted.path} on {wanted.node}"
    broken = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, BrokenPipeError)
    if isinstance(error, broken):
        return ConnectionBroken(f"The ssh connection broke while {where} was being {done}.")
    reasons: t.Mapping[type[Exception], str] = {
        asyncssh.SFTPPermissionDenied: "permission denied",
        asyncssh.SFTPNoSuchFile: "its directory does not exist",
        asyncssh.SFTPOpUnsupported: "the node's sftp server cannot rename a file over another",
    }
    reason = reasons.get(type(error)) or one_line(str(error)).rstrip(".") or type(error).__name__
    return DestinationUnwritable(f"{where} cannot be {done}: {reason}.")
