# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say what has to be put on which node: a pair for each of a service's nodes, or why there is none."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import paths_on
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    NotAttempted,
    TokenRefused,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import checked_token, choose_kept
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    NODE_REMOVAL,
    PUSH,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import read_private
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import LookUp, nothing_known

# The options that say how nodes are served, of every stage that does so.
SERVING_SPEC: dict[str, t.Any] = {
    "unanswered": {"type": "list", "elements": "str", "default": []},
    "concurrency": {"type": "int", "default": 40},
    "per_node": {"type": "int", "default": 8},
    "retries": {"type": "int", "default": 2},
    "retry_delay": {"type": "float", "default": 2.0},
    "known_hosts": {"type": "list", "elements": "path", "default": []},
    "kex_algorithms": {"type": "list", "elements": "str", "default": []},
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One service on one node, with the content for each of its paths there (None: the file has to be absent).

    `stage` and `remark` are what its outcome is recorded under and says when all is well; `expires` is when the token
    does (0.0: not known).
    """

    service: Service
    node: Node
    contents: tuple[tuple[str, bytes | None], ...]
    is_unknown: bool = False
    is_unanswered: bool = False
    stage: str = PUSH
    remark: str = ""
    expires: float = 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    """The token to push, with a remark on it and when it `expires` (seconds since the epoch, 0 when nobody knows); or
    what keeps the service from being pushed, of which kind."""

    token: bytes | None = None
    remark: str = ""
    expires: float = 0.0
    hindrance: str = ""
    kind: str = NotAttempted.kind


def plan(
    service: Service,
    *,
    present: bool = True,
    check_mode: bool = False,
    unanswered: t.Collection[str] = (),
    lives: LookUp = nothing_known,
) -> tuple[list[Pair], list[Outcome]]:
    """Give a pair for each node of the service; without a token to push, an outcome for each that says why.

    `unanswered` are the names of nodes that did not answer a probe. Reads the token; `lives` is asked of the kept ones
    when no stage before has chosen one.
    """
    stage = PUSH if present else NODE_REMOVAL
    found = _token_of(service, present, check_mode, lives)
    if found.hindrance:
        return [], [_skipped(stage, service, node, found) for node in service.nodes]
    token = found.token
    return [
        Pair(
            service,
            node,
            contents_for(service, node, token, present=present),
            present and token is None,
            node.name in unanswered,
            stage,
            found.remark if present else _stays(service, node),
            found.expires,
        )
        for node in service.nodes
    ], []


def contents_for(
    service: Service, node: Node, token: bytes | None, *, present: bool
) -> tuple[tuple[str, bytes | None], ...]:
    """Give what has to stand at each of the service's paths on `node`."""
    role_file = f"{service.role}\n".encode()
    return tuple(
        (path, None if not present else role_file if path == service.default_role_file else token)
        for path in paths_on(service, node)
    )


def needs_choice(service: Service) -> bool:
    """Tell whether no stage before has chosen the service's token, so that one of the kept ones has to be."""
    return service.problem is None and not service.token


def _token_of(service: Service, present: bool, check_mode: bool, lives: LookUp) -> _Found:
    if service.problem is not None:
        why = service.problem.message.removeprefix(service.config_name + ": ").rstrip(".")
        return _Found(hindrance=f"not tried: {why}. {explain(service.problem.kind).advice}")
    if not present or (check_mode and needs_choice(service)):
        return _Found()
    path, remark, expires = service.token, "", service.expires
    if needs_choice(service):
        chosen = choose_kept(service, lives, now=time.time())
        path, remark, expires = chosen.path, chosen.remark, chosen.expires
        if chosen.refused:
            why = f"not tried: the token that is kept for it cannot be used: {chosen.refused}."
            return _Found(hindrance=why, kind=TokenRefused.kind)
        if not path:
            why = "not tried: no usable token is kept for it; the store stage has to run first."
            return _Found(hindrance=why)
    try:
        return _Found(checked_token(read_private(Path(path)), path), remark, expires)
    except (BadFile, TokensError) as err:
        return _Found(hindrance=f"not tried: {err.msg}")


def _stays(service: Service, node: Node) -> str:
    paths = [path for name, path in service.yields if name == node.name]
    return f"left to another service, which has it too: {' and '.join(paths)}" if paths else ""


def _skipped(stage: str, service: Service, node: Node, found: _Found) -> Outcome:
    message = f"{service.config_name} on {node.name}: {found.hindrance}"
    return record(stage, SKIPPED, service, Stopwatch(), node=node.name, kind=found.kind, message=message)
