# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Describe a service as it travels from stage to stage.

A service is one (experiment, role): a Kerberos principal with its keytab, a UNIX account, a vault token. The plain
form goes through Ansible's results; it holds paths and names, never a secret.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, replace

SSH_PORT = 22
CONDOR = "condor"
HTGETTOKEN = "htgettoken"
TOKEN_GETTERS = (CONDOR, HTGETTOKEN)


@dataclass(frozen=True, slots=True)
class Node:
    """An interactive node: its inventory name, the address to connect to, the ssh port (1-65535)."""

    name: str
    address: str
    port: int = SSH_PORT

    def to_plain(self) -> str | dict[str, t.Any]:
        """Give the plain form: the name alone if that says it all, which spares Ansible most of the work with it."""
        return self.name if self == Node(self.name, self.name) else asdict(self)

    @classmethod
    def from_plain(cls, plain: str | t.Mapping[str, t.Any]) -> Node:
        """Read the plain form.

        Raises: TypeError when it was not made by C(to_plain).
        """
        return cls(plain, plain) if isinstance(plain, str) else cls(**plain)


@dataclass(frozen=True, slots=True)
class Credd:
    """A credential daemon and the collector through which it is found ("" means the local default pool)."""

    name: str
    collector: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a service cannot go on: the stage that failed, the error's kind and its message."""

    stage: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the run; `problem` is set by the stage that failed and stops the later ones.

    `ccache` (a FILE: name) and `token` (a path) are empty until their stages have run; `expires` is when that
    token does, in seconds since the epoch, 0.0 when it is not known. `store_name` names the kept
    token where it has to differ from `name`. `yields` are the (node, path) pairs that another service writes although
    this one would too. `goes_on` says of one that is being removed that it loses its `nodes` and nothing else.
    """

    name: str
    config_name: str
    experiment: str
    role: str
    account: str
    uid: int
    principal: str
    keytab: str
    vault_server: str = ""
    token_getter: str = CONDOR
    credds: tuple[Credd, ...] = ()
    nodes: tuple[Node, ...] = ()
    default_role_file: str = ""
    token_dir: str = ""
    gettoken_options: str = ""
    notify: bool = True
    store_name: str = ""
    yields: tuple[tuple[str, str], ...] = ()
    goes_on: bool = False
    ccache: str = ""
    token: str = ""
    expires: float = 0.0
    problem: Problem | None = None

    @property
    def issuer(self) -> str:
        """The experiment's name for tokens: the text before the underscore of the real service name."""
        return self.name.partition("_")[0]

    @property
    def credkey(self) -> str:
        """The name under which Vault keeps the refresh token: the principal without its realm."""
        return self.principal.rpartition("@")[0] or self.principal

    def failed(self, stage: str, kind: str, message: str) -> Service:
        """Give the same service, stopped by a problem."""
        return replace(self, problem=Problem(stage, kind, message))

    def to_dict(self) -> dict[str, t.Any]:
        """Give the plain form that results carry."""
        return asdict(replace(self, nodes=())) | {"nodes": [node.to_plain() for node in self.nodes]}

    @classmethod
    def from_dict(cls, plain: t.Mapping[str, t.Any]) -> Service:
        """Read the plain form.

        Raises: KeyError or TypeError when it was not made by C(to_dict).
        """
        values = {key: plain[key] for key in cls.__slots__ if key in plain}
        values["uid"] = int(values["uid"])
        values["credds"] = tuple(Credd(**credd) for credd in plain.get("credds") or ())
        nodes = plain.get("nodes") or ()
        if isinstance(nodes, str):
            raise TypeError("nodes")  # or its letters would be nodes
        values["nodes"] = tuple(Node.from_plain(node) for node in nodes)
        values["yields"] = tuple((str(node), str(path)) for node, path in plain.get("yields") or ())
        values["problem"] = Problem(**plain["problem"]) if plain.get("problem") else None
        return cls(**values)
