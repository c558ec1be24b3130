# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Keep the files that a storer run works with our own: take their names, read what it left, remove them.

The storer and htgettoken write into /tmp, where everybody may make files. In the place of one of theirs, a directory
of somebody else would get the token moved into it, and anything else would keep the token from being written.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import (
    DIRECTORY_MODE,
    create_private,
    read_private,
)

# Source: writeTokenSafely of htgettoken 2.2, which leaves its temporary file when it cannot rename it.
_NOT_RENAMED = r"failure renaming ({}/\.htgettoken\w+) to {}:"


class NameTaken(Exception):
    """Something stands where the run would have its files; `error` says what."""

    def __init__(self, error: BadFile) -> None:
        super().__init__(error.msg)
        self.error = error


@dataclass(frozen=True, slots=True)
class Left:
    """What a storer run has left: the `content` of its working copy (None: none that is ours), and a `remark` on what
    is wrong with it or stays behind."""

    content: bytes | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class WorkingFiles:
    """The files of one run: its `private` directory, its `working_copy` of the token, the `second_copy` that the
    storer makes in a directory that others can write to (None: not this program), and what the names of all that it
    makes there begin with, `stem`."""

    private: Path
    working_copy: Path
    second_copy: Path | None = None
    stem: str = ""

    def claim(self, prior: bytes | None) -> None:
        """Make what has to be there before the program begins: the directory, a copy of the `prior` token, and the
        second copy as an empty file of ours, which the storer then replaces.

        Without a prior token the working copy is not made: htgettoken would ask vault about an empty one.

        Raises: NameTaken, BadFile; nothing is left behind then.
        """
        try:
            self.private.mkdir(mode=DIRECTORY_MODE)
        except FileExistsError as err:
            raise NameTaken(BadFile(f"Cannot make the directory {self.private}: {err.strerror}.")) from err
        except OSError as err:
            raise BadFile(f"Cannot make the directory {self.private}: {err.strerror}.") from err
        made: list[Path] = []
        try:
            # The first one shows everybody the ID, so it is the one that a stranger must not have.
            for path, content in ((self.second_copy, b""), (self.working_copy, prior)):
                if path is not None and content is not None:
                    create_private(path, content)
                    made.append(path)
            if prior is None and os.path.lexists(self.working_copy):
                raise NameTaken(BadFile(f"Cannot create {self.working_copy}: File exists."))
        except NameTaken:
            self._remove(made)
            raise
        except BadFile as err:
            self._remove(made)
            if isinstance(err.__cause__, FileExistsError):
                raise NameTaken(err) from err
            raise

    def read(self) -> Left:
        """Give the working copy, unless it is not our own plain file."""
        try:
            return Left(read_private(self.working_copy))
        except BadFile as err:
            return Left(None, err.msg.rstrip("."))

    def remove(self, output: str, *, is_good: bool) -> str:
        """Remove everything; give a remark on what could not be removed. `output` is what the program said,
        `is_good` whether it ended well."""
        paths = {self.working_copy}
        if self.second_copy is not None:
            shared = self.second_copy.parent
            paths.add(self.second_copy)
            if not is_good:
                # One that was ended in the middle may also leave its temporary copies, vt_<ID>.XXXXXXXXXX.
                paths.update(shared.glob(f"{self.stem}*"))
            # Of htgettoken's own temporary files only those that it names together with a name of this run: others of
            # ours may be at work.
            named = _NOT_RENAMED.format(re.escape(str(shared)), re.escape(str(self.working_copy)))
            paths.update(Path(path) for path in re.findall(named, output))
        return self._remove(sorted(paths))

    def _remove(self, paths: t.Sequence[Path]) -> str:
        stays: list[str] = []
        for path in paths:
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as err:
                stays.append(f"{path} could not be removed ({err.strerror})")
        shutil.rmtree(self.private, ignore_errors=True)
        with contextlib.suppress(OSError):
            if os.lstat(self.private):
                stays.append(f"{self.private} could not be removed")
        return "; ".join(stays)
