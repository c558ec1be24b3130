# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Hand over from the stage that has served nodes ahead to the push stage of the same run, in the run's private
directory: what is handed over as a result would be copied through Ansible twice more."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    ConnectionBroken,
    DeadlineReached,
    KdcUnreachable,
    NodeUnreachable,
    TimedOut,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import create_private, read_private

if t.TYPE_CHECKING:
    from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pushed

NAME = "pushed_ahead.json"
SIZE_LIMIT = 1 << 28
PASSING = frozenset(
    error.kind for error in (ConnectionBroken, DeadlineReached, KdcUnreachable, NodeUnreachable, TimedOut)
)


class Served(t.NamedTuple):
    """What came of a pair: its outcome, and each change as path, before and after."""

    outcome: Outcome
    changes: tuple[tuple[str, str, str], ...]


def served(pushed: Pushed) -> Served:
    """Give what is to be known of a pair that was pushed."""
    return Served(pushed.outcome, tuple((change.path, change.before, change.after) for change in pushed.changes))


def hand_over(directory: str, pushed: t.Sequence[Pushed]) -> None:
    """Leave what was done for the push stage. A directory in which that cannot be left costs only that it is looked at
    once more.

    A failure that may have passed since is not left: the stage may have taken minutes, and the push stage tries anew.
    """
    lasting = [served(item) for item in pushed if not _may_have_passed(item)]
    plain = [(item.outcome.to_dict(), item.changes) for item in lasting]
    with contextlib.suppress(BadFile):
        create_private(_path_in(directory), json.dumps(plain).encode())


def _may_have_passed(pushed: Pushed) -> bool:
    # A node that did not answer ping either has had its second chance.
    return pushed.outcome.kind in PASSING and not pushed.pair.is_unanswered


def take_over(directory: str) -> dict[tuple[str, str], Served]:
    """Give what was left, by service (its name in the configuration) and node; it is taken once."""
    path = _path_in(directory)
    try:
        content = read_private(path, SIZE_LIMIT) or b"[]"
        path.unlink(missing_ok=True)
        plain = json.loads(content)
        return {
            (outcome.config_service, outcome.node): Served(outcome, tuple((a, b, c) for a, b, c in changes))
            for outcome, changes in ((Outcome.from_dict(first), second) for first, second in plain)
        }
    except (BadFile, OSError, ValueError, TypeError):
        return {}


def _path_in(directory: str) -> Path:
    # A run without a directory must not find one in wherever this process happens to be.
    return Path(directory or "/nonexistent") / NAME
