# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Find the kept tokens of services that are let go, and remove them.

A file is named after service and credd, and both may have hyphens; so each file belongs to the longest name of a
service, among all that are known, that its own name ends with.
"""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import kept_token_path
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service


def find_kept(service: Service, others: t.Sequence[Service]) -> list[Path]:
    """Give the kept tokens of `service`, for whatever credd, sorted; `others` are the services that stay.

    Raises: BadFile when the directory cannot be read; one that does not exist holds none.
    """
    directory = Path(service.token_dir)
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    except OSError as err:
        raise BadFile(f"Cannot read the directory {directory}: {err.strerror}.") from err
    return [directory / name for name in names if is_of(name, service, others)]


def is_of(file: str, service: Service, others: t.Sequence[Service]) -> bool:
    """Tell whether a file of the directory of kept tokens is the service's. Pure, but for the running user's UID."""
    uid = os.getuid()
    prefix = f"vt_u{uid}-"
    if not file.startswith(prefix):
        return False
    rest = file.removeprefix(prefix)
    neighbours = [other for other in others if other.token_dir == service.token_dir]
    own = _keep_names(service)
    longest = max(
        (name for item in (service, *neighbours) for name in _keep_names(item) if _ends_with(rest, name)),
        key=len,
        default="",
    )
    if longest not in own:
        return False
    # Two experiments may get tokens under one real name, on credds of their own: then only the exact name tells.
    rivals = [other for other in neighbours if longest in _keep_names(other)]
    if not rivals:
        return True
    return file in _exact(service, uid) and not any(file in _exact(rival, uid) for rival in rivals)


def remove_kept(path: Path) -> bool:
    """Remove one kept token; False when it is gone already.

    Raises: BadFile when something else stands there, or it cannot be removed.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise BadFile(f"{path} is no plain file; it is not removed.")
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as err:
        raise BadFile(f"Cannot remove {path}: {err.strerror}.") from err
    return True


def _keep_names(service: Service) -> frozenset[str]:
    return frozenset({service.store_name or service.name})


def _ends_with(rest: str, name: str) -> bool:
    return rest == name or rest.endswith(f"-{name}")


def _exact(service: Service, uid: int) -> set[str]:
    return {os.path.basename(kept_token_path(service, credd.name, uid)) for credd in service.credds}
