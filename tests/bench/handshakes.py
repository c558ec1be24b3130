# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in once for each (service, node) of a laboratory, with a file transfer session, and do nothing; print the CPU
seconds that took.

Runs inside the laboratory, as the service account. With the nodes' own CPU it is what a run cannot do without.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import take_ticket
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_socket import open_socket
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
    SshSettings,
    read_known_hosts,
    session,
)

AT_ONCE = 20
LIMIT_S = 60.0


async def log_in_everywhere(layout: t.Mapping[str, t.Any], tickets: Path, settings: SshSettings) -> None:
    """Open and close all sessions, so many at once."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def log_in(service: t.Mapping[str, t.Any], node: Node) -> None:
        async with slots:
            sock = await open_socket(node, LIMIT_S)
            ccache = f"FILE:{tickets / service['name']}"
            async with session(sock, node, service["account"], ccache, settings, LIMIT_S):
                pass

    async with asyncio.TaskGroup() as group:
        for node in layout["nodes"]:
            for service in layout["services"]:
                if service["experiment"] in node["experiments"]:
                    group.create_task(log_in(service, Node(node["name"], node["name"])))


def main() -> None:
    """Take the tickets first; they are not what is measured."""
    layout = json.loads(Path("/srv/lab/layout.json").read_text())
    settings = SshSettings(read_known_hosts([layout["paths"]["known_hosts"]]))
    with tempfile.TemporaryDirectory(prefix="handshakes-") as name:
        for service in layout["services"]:
            take_ticket(service["principal"], Path(service["keytab"]), Path(name) / service["name"])
        mark = time.process_time()
        asyncio.run(log_in_everywhere(layout, Path(name), settings))
        print(json.dumps({"cpu": time.process_time() - mark}))


if __name__ == "__main__":
    main()
