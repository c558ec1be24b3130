# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take single steps of a run, many times each, and print what each took as JSON. Runs inside a laboratory with one node
and one service, as the service account.

Usage: micro_steps.py REPETITIONS. Each step has its name, what one repetition does, and [wall, CPU] seconds of each.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
import tempfile
import time
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import take_ticket
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import remember_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, OK, PUSH, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Pair, PushSettings, push_all
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import resolve
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
    SshSettings,
    open_socket,
    read_known_hosts,
    session,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report import report
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

SERVICES, EXPERIMENTS, NODES = 1000, 500, 3000
OUTCOMES, SHARE_FAILED, FEW = 10_000, 100, 5
Step = t.Callable[[int], object]


def measured(step: Step, repetitions: int) -> list[tuple[float, float]]:
    """Give wall and CPU seconds of each repetition; one before them does not count."""
    step(-1)
    found = []
    for number in range(repetitions):
        wall, cpu = time.monotonic(), time.process_time()
        step(number)
        found.append((time.monotonic() - wall, time.process_time() - cpu))
    return found


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


def resolving() -> Step:
    """Give the step that resolves the whole configuration of a large site."""
    nodes = [f"node{number:04d}.lab.example" for number in range(NODES)]
    each = NODES // EXPERIMENTS
    names = [f"exp{number:03d}" for number in range(EXPERIMENTS)]
    groups = {name: nodes[each * number : each * (number + 1)] for number, name in enumerate(names)}
    roles = [f"role{number}" for number in range(SERVICES // EXPERIMENTS)]
    configured = {name: {"roles": {role: {"account": f"{name}{role}"} for role in roles}} for name in names}
    general = {"principal": "{account}/managed-tokens/push.lab.example@LAB.EXAMPLE", "keytab_path": "/srv/keytabs"}
    view = InventoryView(groups | {"all": nodes, "experiments": nodes}, frozenset(nodes))

    def step(_number: int) -> None:
        found = resolve(configured, general, view)
        if found.problems or len(found.wanted) != SERVICES:
            raise SystemExit(f"resolving: {len(found.wanted)} services, problems: {found.problems[:3]}")

    return step


class Site:
    """A run with very many outcomes, and a state database that remembers them."""

    def __init__(self, directory: Path) -> None:
        self.settings = replace(ReportSettings(), database=str(directory / "state.db"))
        state = open_state(self.settings.database, "", 10.0)
        if state is None:
            raise SystemExit("no state database")
        self.state: State = state
        names = [f"exp{number:03d}_production" for number in range(EXPERIMENTS)]
        self.contacts = {name: Contact(name.partition("_")[0], (f"{name}@lab.example",)) for name in names}
        self.outcomes = [
            Outcome(
                PUSH,
                OK if number % SHARE_FAILED else FAILED,
                names[number % EXPERIMENTS],
                names[number % EXPERIMENTS],
                node=f"node{number:05d}.lab.example",
                kind="" if number % SHARE_FAILED else "node_unreachable",
                message="" if number % SHARE_FAILED else "it did not answer at port 22.",
                started=time.time(),
                seconds=1.0,
            )
            for number in range(OUTCOMES)
        ]
        self.run = Run.begin(Timeouts())

    def remember(self, _number: int) -> None:
        self.run = Run.begin(Timeouts())
        remember_run(self.state, self.run, self.outcomes, program="token-push", owner=None, message="")

    def report(self, _number: int) -> None:
        collected = Collected(
            run=self.run.id,
            started=self.run.started,
            ended=time.time(),
            outcomes=self.outcomes,
            contacts=self.contacts,
            was_recorded=True,
        )
        report(collected, self.settings, lambda text, is_warning=False: None)

    def snapshot(self, _number: int) -> None:
        with self.state.read() as db:
            snapshot(db, now=time.time())


def main() -> None:
    """Take all steps and print what they took."""
    repetitions = int(sys.argv[1])
    layout = json.loads(Path("/srv/lab/layout.json").read_text())
    with tempfile.TemporaryDirectory(prefix="micro-") as name:
        one, site = Node1(layout, Path(name)), Site(Path(name))
        steps: list[tuple[str, Step, int]] = [
            ("one ticket from a keytab", one.ticket, repetitions),
            ("one ssh connection: connect, log in, SFTP", one.login, repetitions),
            ("one push, 3 files compared", functools.partial(one.push, changes=False), repetitions),
            ("one push, 3 files compared and replaced", functools.partial(one.push, changes=True), repetitions),
            (f"resolving {SERVICES:,} services on {NODES:,} nodes", resolving(), FEW),
            (f"remembering {OUTCOMES:,} outcomes", site.remember, FEW),
            (f"report over {OUTCOMES:,} outcomes, {OUTCOMES // SHARE_FAILED} failures", site.report, FEW),
            (f"metrics snapshot of {OUTCOMES:,} pairs", site.snapshot, FEW),
        ]
        print(json.dumps([(title, measured(step, count)) for title, step, count in steps]))


if __name__ == "__main__":
    main()
