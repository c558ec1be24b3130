# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Choose the services that are to be let go, and say where each of them is and what of it others still use. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._destinations import all_paths, token_paths
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, ServiceIncomplete
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_daemon, is_host, suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import SETUP
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_removal import Remembered

EVERYTHING = ("all", "*")
MOST_NODES = 3


@dataclass(frozen=True, slots=True)
class Known:
    """The services that can be named: those of the configuration, and what the state database remembers."""

    configured: t.Mapping[str, Service]
    remembered: t.Mapping[str, Remembered]

    def experiments(self) -> dict[str, set[str]]:
        """Give the names of all services by experiment."""
        found: dict[str, set[str]] = {}
        for name in self.remembered:
            found.setdefault(name.rpartition("_")[0], set()).add(name)
        for service in self.configured.values():
            found.setdefault(service.experiment, set()).add(service.config_name)
        return found


def selection_problems(experiments: t.Sequence[str], names: t.Sequence[str], nodes: t.Sequence[str] = ()) -> list[str]:
    """Say what is wrong with a selection before anything is known: there has to be one, and it has to name things."""
    if not experiments and not names and not nodes:
        sentence = (
            "Nothing says which services are to be removed: give managed_tokens_service or managed_tokens_experiment, "
            "or managed_tokens_node to take them off a node."
        )
        return [sentence]
    return [
        f"{setting} is {name!r}: everything is never removed at once, so name what is to go."
        for setting, given in (
            ("managed_tokens_experiment", experiments),
            ("managed_tokens_service", names),
            ("managed_tokens_node", nodes),
        )
        for name in given
        if name.lower() in EVERYTHING
    ]


def choose(known: Known, experiments: t.Sequence[str], names: t.Sequence[str]) -> list[str]:
    """Give the configured names of the services to remove, sorted.

    Raises: BadInput naming every experiment or service that nobody knows.
    """
    by_experiment = known.experiments()
    everyone = {name for found in by_experiment.values() for name in found}
    problems = [
        f"{setting} names {name!r}, which is neither configured nor remembered{suggestion(name, among)}"
        for setting, given, among in (
            ("managed_tokens_experiment", experiments, by_experiment.keys()),
            ("managed_tokens_service", names, everyone),
        )
        for name in given
        if name not in among
    ]
    if problems:
        raise BadInput(*problems)
    return sorted({*names, *(name for experiment in experiments for name in by_experiment[experiment])})


def incomplete(name: str, remembered: Remembered, token_dir: str) -> Service:
    """Give what can be said of a service that has left the configuration; its problem says what cannot."""
    experiment, _underscore, role = name.rpartition("_")
    message = (
        f"{name}: it is not configured any more, and what is remembered of it does not say which account, principal "
        f'and keytab it has. Give its stanza: -e \'{{"managed_tokens_departed": {{"{experiment}": {{"roles": '
        f'{{"{role or "ROLE"}": {{"account": "ACCOUNT"}}}}}}}}}}\''
    )
    bare = Service(
        name=remembered.real_name,
        config_name=name,
        experiment=experiment,
        role=role,
        account="",
        uid=0,
        principal="",
        keytab="",
        token_dir=token_dir,
    )
    return bare.failed(SETUP, ServiceIncomplete.kind, message)


def with_remembered(
    service: Service, remembered: Remembered | None, node: t.Callable[[str], Node], collector: str
) -> Service:
    """Give the service with the nodes and credds, too, that it is no longer configured for; `node` finds one by its
    name."""
    if remembered is None:
        return service
    nodes = {item.name for item in service.nodes}
    credds = {item.name for item in service.credds}
    return replace(
        service,
        nodes=(
            *service.nodes,
            *(node(name) for name in sorted(remembered.nodes - nodes) if is_host(name)),
        ),
        credds=(
            *service.credds,
            *(Credd(name, collector) for name in sorted(remembered.credds - credds) if is_daemon(name)),
        ),
    )


def leave_to_others(chosen: t.Sequence[Service], others: t.Sequence[Service]) -> tuple[list[Service], list[str]]:
    """Let each service keep its hands off the paths that one of `others`, which stay, writes on the same node; give
    the services, and a sentence for each path that stays.

    Of two services that both go, one removes what both write.
    """
    writers: dict[tuple[str, int, str], str] = {}
    for other in sorted(others, key=lambda item: item.config_name):
        for node in other.nodes:
            for path in _paths_of(other, chosen):
                writers.setdefault((node.address, node.port, path), other.config_name)
    removers: set[tuple[str, int, str]] = set()
    done: list[Service] = []
    stays: dict[tuple[str, str, str], list[str]] = {}
    for service in chosen:
        yields: list[tuple[str, str]] = []
        for node in service.nodes if service.uid else ():
            for path in all_paths(service):
                place = (node.address, node.port, path)
                if place in writers:
                    yields.append((node.name, path))
                    stays.setdefault((service.config_name, path, writers[place]), []).append(node.name)
                elif place in removers:
                    yields.append((node.name, path))
                removers.add(place)
        done.append(replace(service, yields=tuple(yields)))
    return done, [
        f"{path}, which {service} has written too, stays on {listed(nodes)}: {writer} writes it with its next run."
        for (service, path, writer), nodes in sorted(stays.items())
    ]


def _paths_of(other: Service, chosen: t.Sequence[Service]) -> list[str]:
    if other.uid:
        return all_paths(other)
    # Its own UID is not known; that of its account is.
    uid = next((service.uid for service in chosen if service.account == other.account and service.uid), 0)
    return list(token_paths(replace(other, uid=uid))) if uid else []


def listed(names: t.Sequence[str]) -> str:
    """Name the first few nodes, and say how many more there are."""
    shown = ", ".join(names[:MOST_NODES])
    return shown if len(names) <= MOST_NODES else f"{shown} and {len(names) - MOST_NODES} more nodes"
