# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say where a report comes from, and how to look further: the footer of everything that people read."""

from __future__ import annotations

import os
import shlex
import socket
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collection_version import UNKNOWN, collection_version
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import RUN, Key

STATUS = "fife.managed_tokens.status"
NAME_LIMIT = 60
INVENTORY_LIMIT = 40
MOST_INVENTORIES = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """The controller's host name, the names (without directories) of the inventories, the collection's version."""

    host: str = ""
    inventories: tuple[str, ...] = ()
    version: str = UNKNOWN

    @property
    def in_words(self) -> str:
        """Say it in one line."""
        parts = (
            f"written by {self.host}" if self.host else "",
            f"inventory {', '.join(self.inventories)}" if self.inventories else "",
            f"fife.managed_tokens {self.version}",
        )
        return ", ".join(part for part in parts if part)

    def command(self, keys: t.Iterable[Key]) -> str:
        """Give the command that shows more: of the one service that the troubles are about, or of all."""
        words = ["ansible-playbook"]
        for name in self.inventories or ("INVENTORY",):
            words += ["-i", name]
        services = {text(key.service) for key in keys if key.sort != RUN}
        chosen = [
            f"managed_tokens_service={name}" for name in services if len(services) == 1 and len(name) <= NAME_LIMIT
        ]
        return shlex.join([*words, STATUS, *(word for value in chosen for word in ("-e", value))])


def here() -> Origin:
    """Give what this process knows of itself; asks nobody."""
    from ansible import context

    sources = context.CLIARGS.get("inventory") or ()
    names = [os.path.basename(str(source).rstrip("/")) for source in sources if "," not in str(source)]
    return Origin(
        text(socket.gethostname(), NAME_LIMIT),
        tuple(dict.fromkeys(text(name, INVENTORY_LIMIT) for name in names if name))[:MOST_INVENTORIES],
        text(collection_version(), NAME_LIMIT),
    )
