# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the files of simulated nodes in memory, and serve those of one node to one account over SFTP.

It behaves as OpenSSH's server does towards an account in a directory like /tmp; what a push never does is not there.
"""

from __future__ import annotations

import stat
import time
import typing as t
from dataclasses import dataclass

import asyncssh

DEFAULT_MODE = 0o644


@dataclass(slots=True)
class File:
    """One plain file."""

    uid: int
    mode: int
    content: bytes
    modified: float

    def attributes(self) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(
            size=len(self.content),
            uid=self.uid,
            gid=self.uid,
            permissions=stat.S_IFREG | self.mode,
            atime=int(self.modified),
            mtime=int(self.modified),
        )


# The files of one node, by path.
Files = dict[bytes, File]


def alter(nodes: t.Mapping[str, Files]) -> int:
    """Give every file of all nodes another content of the same length; say how many there are."""
    count = 0
    for files in nodes.values():
        for file in files.values():
            file.content = bytes(byte ^ 1 for byte in file.content)
            count += 1
    return count


class SimulatedFiles(asyncssh.SFTPServer):
    """A session of the account of UID `uid` on a node with these `files`."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], files: Files, uid: int) -> None:
        super().__init__(channel)
        self._files, self._uid = files, uid

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self._of(path).attributes()

    stat = lstat

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> File:
        if path in self._files:
            if pflags & asyncssh.FXF_EXCL:
                raise asyncssh.SFTPFailure("Failure")
            self._own(path)
            return self._files[path]
        if not pflags & asyncssh.FXF_CREAT:
            raise asyncssh.SFTPNoSuchFile("No such file")
        mode = DEFAULT_MODE if attrs.permissions is None else stat.S_IMODE(attrs.permissions)
        return self._files.setdefault(path, File(self._uid, mode, b"", time.time()))

    def close(self, file_obj: object) -> None:
        """Do nothing: a file object is the file."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return _file(file_obj).content[offset : offset + size]

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        file = _file(file_obj)
        file.content = file.content[:offset].ljust(offset, b"\0") + data + file.content[offset + len(data) :]
        file.modified = time.time()
        return len(data)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        return _file(file_obj).attributes()

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        if attrs.permissions is not None:
            _file(file_obj).mode = stat.S_IMODE(attrs.permissions)

    def fsync(self, file_obj: object) -> None:
        """Do nothing: there is no disk."""

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._own(oldpath)
        if newpath in self._files:
            self._own(newpath)
        self._files[newpath] = self._files.pop(oldpath)

    def remove(self, path: bytes) -> None:
        self._own(path)
        del self._files[path]

    def _of(self, path: bytes) -> File:
        if path not in self._files:
            raise asyncssh.SFTPNoSuchFile("No such file")
        return self._files[path]

    def _own(self, path: bytes) -> None:
        # The directory is sticky, and token files can be read by their owner only.
        if self._of(path).uid != self._uid:
            raise asyncssh.SFTPPermissionDenied("Permission denied")


def _file(file_obj: object) -> File:
    if not isinstance(file_obj, File):
        raise asyncssh.SFTPFailure("Failure")
    return file_obj
