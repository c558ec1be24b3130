# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Name the files that a service's token becomes on its nodes, and settle who writes a file that two services claim.

Source: the file names are those that htgettoken and jobsub look for; they have not changed since the Go service.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service


def token_paths(service: Service) -> tuple[str, str]:
    """Give the two paths of the token on a node: the account's default one and the service's own."""
    return f"/tmp/vt_u{service.uid}", f"/tmp/vt_u{service.uid}-{service.name}"


def all_paths(service: Service) -> list[str]:
    """Give every path that the service would write on each of its nodes."""
    return [*token_paths(service), *([service.default_role_file] if service.default_role_file else [])]


def paths_on(service: Service, node: Node) -> list[str]:
    """Give the paths that the service does write on `node`: all but those that it yields to another service."""
    return [path for path in all_paths(service) if (node.name, path) not in service.yields]


def kept_token_path(service: Service, credd: str, uid: int) -> str:
    """Give the path on the token host where the vault token for `credd` is kept between runs; `uid` is that of the
    running user.

    `credd` is empty for services that store nothing on credds.
    """
    name = service.store_name or service.name
    return os.path.join(service.token_dir, f"vt_u{uid}-{credd}-{name}" if credd else f"vt_u{uid}-{name}")


def settle(services: t.Sequence[Service]) -> tuple[list[Service], list[str]]:
    """Let exactly one service write each (node, path), and keep each kept token apart; give the services and a
    warning for each clash.

    The winner is the first by configured name, whatever the order or selection of the run, so it is always the same
    one. Services without a UID, and those that are stopped, write nothing and clash with nobody.
    """
    writer: dict[tuple[str, int, str], Service] = {}
    keepers: dict[tuple[str, str], list[frozenset[str]]] = {}
    settled: dict[str, Service] = {}
    clashes: dict[tuple[str, str, str], list[str]] = {}
    for service in sorted(services, key=lambda item: item.config_name):
        yields: list[tuple[str, str]] = []
        for node in service.nodes if service.uid and service.problem is None else ():
            for path in all_paths(service):
                winner = writer.setdefault((node.address, node.port, path), service)
                if winner is not service:
                    yields.append((node.name, path))
                    clashes.setdefault((path, winner.config_name, service.config_name), []).append(node.name)
        # Two experiments may get tokens under one real name (token_experiment); where they may meet on a credd, the
        # kept files may not.
        credds = frozenset(credd.name for credd in service.credds)
        others = keepers.setdefault((service.token_dir, service.name), [])
        if any(not credds or not other or credds & other for other in others):
            # No real name has three underscores; the configured name alone may be the real name of another service.
            service = replace(service, store_name=f"{service.config_name}_{service.name}")
        others.append(credds)
        settled[service.config_name] = replace(service, yields=tuple(yields))
    warnings = [
        f"{winner} and {loser} both write {path} on {_listed(nodes)}; {winner} wins, always (first by name)."
        for (path, winner, loser), nodes in sorted(clashes.items())
    ]
    return [settled[service.config_name] for service in services], warnings


def _listed(nodes: t.Sequence[str], most: int = 3) -> str:
    shown = ", ".join(nodes[:most])
    return shown if len(nodes) <= most else f"{shown} and {len(nodes) - most} more nodes"
