# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Keep vault tokens between runs, and never exchange a good one for a worse one."""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import kept_token_path
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, TokenInvalid
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import (
    ensure_private_directory,
    read_private,
    replace_private,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, LookUp

PREFIXES = (b"hvs.", b"s.")
_ONE_WORD = re.compile(rb"[!-~]{12,4096}")
STALE_TEMPORARY_S = 3600.0


def checked_token(content: bytes | None, what: str) -> bytes:
    """Give the token in `content` as it has to stand in a file: one line, ended by a newline.

    Raises: TokenInvalid when there is none; the message does not quote it.
    """
    token = (content or b"").strip()
    if not token:
        raise TokenInvalid(f"{what}: the token file is {'missing' if content is None else 'empty'}.")
    if not token.startswith(PREFIXES) or not _ONE_WORD.fullmatch(token):
        raise TokenInvalid(
            f"{what}: the file holds no vault token ({len(token)} bytes; a token begins with hvs. or s.)."
        )
    return token + b"\n"


def token_text(content: bytes) -> str:
    """Give the bare token of a checked file's content."""
    return content.decode("ascii").strip()


def is_better(found: Life, kept: Life | None, *, now: float) -> bool:
    """Tell whether a token that was found after a failed run should replace the kept one, which is another, or none.

    Only what is known to live longer is better; silence of the server proves nothing, of either.
    """
    if kept is not None and kept.expires is None and not kept.refused:
        return False
    return found.left(now) > (0.0 if kept is None else kept.left(now))


@dataclass(frozen=True, slots=True)
class KeptToken:
    """Where the token for one (service, credd) is kept and what is there now: None when nothing usable is."""

    path: Path
    content: bytes | None = None
    remark: str = ""


def look(service: Service, credd: str) -> KeptToken:
    """Read the kept token; something unusable in its place is a remark, not an error."""
    path = Path(kept_token_path(service, credd, os.getuid()))
    try:
        content = read_private(path)
        return KeptToken(path, None if content is None else checked_token(content, str(path)))
    except (BadFile, TokenInvalid) as err:
        return KeptToken(path, None, err.msg)


def keep(kept: KeptToken, content: bytes) -> None:
    """Put `content` in the kept token's place.

    Raises: BadFile when that fails; the old token is still there then.
    """
    replace_private(kept.path, content)


def prepare_directories(services: t.Iterable[Service]) -> dict[str, BadFile]:
    """Make the directories of kept tokens and remove what a killed run left half written; give the errors by
    directory."""
    errors: dict[str, BadFile] = {}
    for directory in sorted({service.token_dir for service in services}):
        try:
            ensure_private_directory(Path(directory))
            _sweep(Path(directory))
        except BadFile as err:
            errors[directory] = err
    return errors


def _sweep(directory: Path) -> None:
    limit = time.time() - STALE_TEMPORARY_S
    for leftover in directory.glob(".vt_u*.tmp"):
        with contextlib.suppress(OSError):
            if leftover.lstat().st_mtime < limit:
                leftover.unlink()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The kept token to push: its `path`, "" when there is none, with a remark on it and when it `expires` (seconds
    since the epoch, 0 when vault did not say); or why vault `refused` those that are kept."""

    path: str = ""
    remark: str = ""
    expires: float = 0.0
    refused: str = ""


def choose_kept(service: Service, lives: LookUp, *, now: float) -> Chosen:
    """Give the service's usable kept token that lives longest at `now`, the most recently written where vault says
    nothing of any.

    For runs without the store stage, which chooses in the same way.
    """
    found: list[tuple[float, float, str, Life]] = []
    refused: list[str] = []
    for credd in [credd.name for credd in service.credds] or [""]:
        kept = look(service, credd)
        if kept.content is None:
            continue
        life = lives(service.vault_server, token_text(kept.content))
        if life.refused:
            refused.append(life.remark)
        elif life.expires is not None and life.expires <= now:
            refused.append("its life is over")
        else:
            with contextlib.suppress(OSError):
                found.append((life.expires or 0.0, kept.path.stat().st_mtime, str(kept.path), life))
    if found:
        expires, _written, path, life = max(found, key=lambda item: item[:3])
        return Chosen(path, life.remark, expires)
    return Chosen(refused=refused[0] if refused else "")
