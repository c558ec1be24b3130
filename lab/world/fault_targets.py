# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a fault is about: nodes, credds, accounts and services by the names that people type."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from world import nodes
from world.namespaces import WorldError, enter_argv, nearest, quietly


def layout() -> dict[str, t.Any]:
    plain: dict[str, t.Any] = json.loads(Path("/srv/lab/layout.json").read_text())
    return plain


def machine(name: str, kind: str = "nodes") -> dict[str, t.Any]:
    """Give a node (or credd) by its full or short name."""
    known = layout()[kind]
    for found in known:
        if name in (found["name"], found["name"].partition(".")[0]):
            return dict(found)
    raise WorldError(
        f"There is no {name!r} among the {kind}" + nearest(name, [item["name"].partition(".")[0] for item in known])
    )


def account(name: str) -> dict[str, t.Any]:
    for found in layout()["services"]:
        if found["account"] == name:
            return dict(found)
    raise WorldError(
        f"There is no account {name!r}" + nearest(name, [found["account"] for found in layout()["services"]])
    )


def service(name: str) -> dict[str, t.Any]:
    for found in layout()["services"]:
        if found["name"] == name:
            return dict(found)
    raise WorldError(f"There is no service {name!r}" + nearest(name, [found["name"] for found in layout()["services"]]))


def in_node(node: str, *argv: str) -> None:
    quietly(*enter_argv(nodes.holder_of(machine(node)["name"]), node=True), *argv)
