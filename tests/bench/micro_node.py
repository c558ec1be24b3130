# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to the one node of a laboratory, again and again, as a run does."""

from __future__ import annotations

import asyncio
import functools
import itertools
import time
import typing as t
from dataclasses import replace
from pathlib import Path

from delay_proxy import DelayProxy, round_trips

from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import take_ticket
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_socket import open_socket
from ansible_collections.fife.managed_tokens.plugins.module_utils._push import push_all
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
    SshSettings,
    read_known_hosts,
    session,
)

LOGIN = "one ssh connection: connect, log in, SFTP"
COMPARED = "one push, 3 files compared"
REPLACED = "one push, 3 files compared and replaced"
Step = t.Callable[[int], object]


class Node1:
    """The service and the node of the laboratory, with a ticket."""

    def __init__(self, layout: t.Mapping[str, t.Any], directory: Path) -> None:
        plain = layout["services"][0]
        self.keytab, self.principal, self.directory = Path(plain["keytab"]), plain["principal"], directory
        self.ccache = directory / "ccache"
        take_ticket(self.principal, self.keytab, self.ccache)
        name = layout["nodes"][0]["name"]
        self.node = Node(name, name)
        self.service = Service(
            name=plain["name"],
            config_name=plain["name"],
            experiment=plain["experiment"],
            role=plain["role"],
            account=plain["account"],
            uid=plain["uid"],
            principal=self.principal,
            keytab=str(self.keytab),
            vault_server=layout["vault"]["name"],
            nodes=(self.node,),
            ccache=f"FILE:{self.ccache}",
        )
        self.plain_address = layout["nodes"][0]["address"]
        self.settings = PushSettings(SshSettings(read_known_hosts([layout["paths"]["known_hosts"]])), retries=0)
        self.run = Run.begin(Timeouts(run=3600.0))

    def ticket(self, number: int) -> None:
        take_ticket(self.principal, self.keytab, self.directory / f"ccache{number}")

    def login(self, _number: int) -> None:
        async def work() -> None:
            sock = await open_socket(self.node, 10.0)
            async with session(sock, self.node, self.service.account, self.service.ccache, self.settings.ssh, 10.0):
                pass

        asyncio.run(work())

    def push(self, number: int, *, changes: bool) -> None:
        content = f"hvs.{number if changes else 'same':_>90}\n".encode()
        uid = self.service.uid
        paths = (f"/tmp/vt_u{uid}", f"/tmp/vt_u{uid}-{self.service.name}", f"/tmp/default_role_{uid}")
        pair = Pair(self.service, self.node, tuple((path, content) for path in paths))
        (pushed,) = asyncio.run(push_all([pair], self.run, self.settings))
        if pushed.outcome.is_failure:
            raise SystemExit(pushed.outcome.message)
        if number >= 0 and bool(pushed.changes) is not changes:
            raise SystemExit(f"push {number} changed {len(pushed.changes)} files")

    def round_trips(self) -> list[tuple[str, float]]:
        """Count the round trips of what talks to the node; that of TCP itself is not among them."""

        def timed(step: Step, number: t.Iterator[int]) -> t.Callable[[], float]:
            def work() -> float:
                mark = time.monotonic()
                step(next(number))
                return time.monotonic() - mark

            return work

        direct = self.node
        with DelayProxy(self.plain_address, direct.port) as proxy:
            self.node = replace(direct, address="127.0.0.1", port=proxy.port)
            found = [
                (title, round_trips(timed(step, itertools.count(first)), proxy))
                for title, step, first in (
                    (LOGIN, self.login, 0),
                    (COMPARED, functools.partial(self.push, changes=False), -1),
                    (REPLACED, functools.partial(self.push, changes=True), 10**6),
                )
            ]
        self.node = direct
        return found
