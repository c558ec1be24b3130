# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Write a new service down as it has to stand in the inventory, and say what else it needs. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Service

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._@-]*")
# What YAML 1.1 takes for something else than a text.
_NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


@dataclass(frozen=True, slots=True)
class Stanza:
    """The two parts of the inventory, each the lines of a YAML mapping, and what is to be done elsewhere."""

    hosts: tuple[str, ...]
    experiments: tuple[str, ...]
    needs: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """All of it, with a comment before each part; what is to be done elsewhere is comments."""
        return [
            "# hosts.yml, below experiments: children:",
            *self.hosts,
            "# group_vars/all/experiments.yml, below managed_tokens_experiments:",
            *self.experiments,
            *(f"# {line}" for line in self.needs),
        ]


def stanza(service: Service, emails: t.Sequence[str], uid: int | None) -> Stanza:
    """Give the stanza of a service that has been resolved; with `uid`, no registry is needed."""
    return Stanza(
        (f"{scalar(service.experiment)}:", "  hosts:", *(f"    {scalar(node.name)}: {{}}" for node in service.nodes)),
        (
            f"{scalar(service.experiment)}:",
            *([f"  emails: [{', '.join(scalar(entry) for entry in emails)}]"] if emails else []),
            "  roles:",
            f"    {scalar(service.role)}:",
            f"      account: {scalar(service.account)}",
            *([f"      uid: {uid}"] if uid else []),
        ),
        tuple(_needs(service, uid)),
    )


def _needs(service: Service, uid: int | None) -> t.Iterator[str]:
    yield "What it needs elsewhere:"
    yield f"  KDC         the principal {service.principal}"
    yield f"  token host  its keytab {service.keytab}, mode 0400"
    yield f"  nodes       the account {service.account}, whose .k5login names the principal"
    if not uid:
        yield f"  registry    the UID of {service.account}, or uid at the role"
    yield f"  vault       the role {service.role} for {service.issuer}, with the credkey"
    yield f"              {service.credkey}"
    if service.token_getter == CONDOR:
        yield "  HTCondor    nothing, if its schedds and credds are in the collector already"
    yield "Then:"
    if not uid:
        yield "  ansible-playbook fife.managed_tokens.refresh_uids"
    yield f"  ansible-playbook fife.managed_tokens.onboarding -e managed_tokens_service={service.config_name}"
    yield f"  ansible-playbook fife.managed_tokens.token_push -e managed_tokens_service={service.config_name}"


def scalar(text: str) -> str:
    """Give a text as YAML, in quotes where it could be taken for something else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    # YAML knows the escapes of JSON, but neither pairs of surrogates nor a bare DEL.
    if character == "\x7f" or ord(character) > 0xFFFF:
        return f"\\U{ord(character):08x}"
    return json.dumps(character)[1:-1]
