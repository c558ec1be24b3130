# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Choose which services are taken off which nodes while they go on elsewhere. Pure.

What is still configured for a node is never taken off it: the next run would put it back.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import Known, choose
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_host, nearest

FIRST = (
    "take the node out of the experiment's group, or of the role's nodes, first, or the next run puts everything back"
)
MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class TakenOff:
    """The nodes that each service is taken off, by its configured name, and what deserves a warning."""

    nodes: t.Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where services are: `configured` are the nodes of those that are in the configuration, `hosts` all of the
    inventory; `is_memory_read` says whether the state database has told what it knows."""

    configured: t.Mapping[str, t.Collection[str]]
    hosts: t.Collection[str]
    is_memory_read: bool = True


@dataclass(slots=True)
class _Choice:
    nodes: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def choose_on_nodes(
    known: Known, where: Whereabouts, nodes: t.Sequence[str], experiments: t.Sequence[str], names: t.Sequence[str]
) -> TakenOff:
    """Give what is taken off `nodes`: the services `names`, or else all that are remembered there (of `experiments`, if
    any are given) and no longer configured for the node.

    Raises: BadInput with every node and service that nobody knows, every service of `names` that is still configured
    for one of the nodes, and every node that nothing can be taken off.
    """
    if not where.is_memory_read and not names:
        raise BadInput(
            f"No state database says which services were on {_listed(nodes)}: name them with managed_tokens_service."
        )
    choice = _Choice(problems=_unknown(known, where, nodes))
    asked = choose(known, experiments, names) if experiments or names else None
    if not choice.problems:
        for node in sorted(set(nodes)):
            _decide(choice, known, where, node, names, asked)
    if choice.problems:
        raise BadInput(*choice.problems)
    return TakenOff({name: tuple(found) for name, found in sorted(choice.nodes.items())}, tuple(choice.warnings))


def _unknown(known: Known, where: Whereabouts, nodes: t.Sequence[str]) -> list[str]:
    remembered = {node for item in known.remembered.values() for node in item.nodes}
    among = {*where.hosts, *remembered}
    problems = []
    for node in sorted(set(nodes)):
        if node in among or (not where.is_memory_read and is_host(node)):
            continue
        near = nearest(node, among)
        problems.append(
            f"managed_tokens_node names {node!r}, which is neither in the inventory nor remembered"
            + (f"; did you mean {near!r}?" if near else ".")
        )
    return problems


def _decide(
    choice: _Choice,
    known: Known,
    where: Whereabouts,
    node: str,
    names: t.Sequence[str],
    asked: t.Collection[str] | None,
) -> None:
    was_there = {name for name, item in known.remembered.items() if node in item.nodes}
    is_there = {name for name, nodes in where.configured.items() if node in nodes}
    if asked is not None:
        was_there, is_there = was_there & set(asked), is_there & set(asked)
    refused = sorted(is_there & set(names))
    if refused:
        choice.problems.append(f"{_are(refused)} still configured for {node}: {FIRST}.")
        return
    going = sorted((was_there | set(names)) - is_there)
    for name in going:
        choice.nodes.setdefault(name, []).append(node)
    staying = _are(sorted(is_there)) if is_there else ""
    if going and staying:
        choice.warnings.append(f"{staying} still configured for {node}, and not taken off it.")
    elif staying:
        choice.problems.append(f"{staying} still configured for {node}, and nothing else is remembered there: {FIRST}.")
    elif not going:
        choice.problems.append(
            f"Nothing of {'any service' if asked is None else 'these services'} is remembered on {node}, so there is "
            "nothing to take off it; name services with managed_tokens_service to look there all the same."
        )


def _are(names: t.Sequence[str]) -> str:
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'}"


def _listed(names: t.Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} and {len(names) - MOST_NAMES} more"
