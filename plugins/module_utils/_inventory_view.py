# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Look at the inventory as far as services need it: which nodes a name stands for, and where they are reached."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_host, suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import SSH_PORT, Node


@dataclass(frozen=True, slots=True)
class InventoryView:
    """Groups with their hosts, the hosts of this play (after --limit), and the addresses of the hosts."""

    groups: t.Mapping[str, t.Sequence[str]]
    play_hosts: frozenset[str]
    addresses: t.Mapping[str, t.Mapping[str, t.Any]] = field(default_factory=dict)

    @property
    def all_hosts(self) -> frozenset[str]:
        return frozenset(self.groups.get("all", ())) | self.play_hosts

    def expand(self, names: t.Sequence[str], where: str, problems: list[str]) -> list[str]:
        """Give the hosts that `names` (hosts and groups) stand for, each once, in order; unknown ones are problems."""
        hosts: dict[str, None] = {}
        for name in names:
            if name in self.groups:
                hosts.update(dict.fromkeys(self.groups[name]))
            elif name in self.all_hosts:
                hosts[name] = None
            else:
                known = set(self.groups) | self.all_hosts
                near = (
                    suggestion(name, known)
                    if len(known) <= 12
                    else suggestion(name, known).partition("; known are")[0] or "."
                )
                problems.append(f"{where} names {name!r}, which is neither a host nor a group of the inventory{near}")
        return list(hosts)

    def node(self, host: str, problems: list[str]) -> Node:
        """Give the node of an inventory host; an address or a port that is none is a problem."""
        found = self.addresses.get(host) or {}
        port = found.get("port") or SSH_PORT
        try:
            port = int(port)
            if not 0 < port < 65536:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            text = f"ansible_port of host {host} is {port!r}; it has to be a number from 1 to 65535."
            if text not in problems:
                problems.append(text)
            port = SSH_PORT
        address = str(found.get("address") or host)
        # It goes on the command line of ping and must not pass for an option. A zone (%eth0) is part of an address.
        if not is_host(address.partition("%")[0]):
            what = f"ansible_host of host {host} is {address!r}" if address != host else f"The inventory names {host!r}"
            text = f"{what}, which is no usable host name or address."
            if text not in problems:
                problems.append(text)
        return Node(name=host, address=address, port=port)
