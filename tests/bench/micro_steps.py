# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take single steps of a run, many times each, and print what each took as JSON. Runs inside a laboratory with one node
and one service, as the service account.

Usage: micro_steps.py REPETITIONS. Each step has its name, what one repetition does, and [wall, CPU] seconds of each;
round trips are counted for what talks to the node.
"""

from __future__ import annotations

import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from micro_node import COMPARED, LOGIN, REPLACED, Node1, Step

from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import remember_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, OK, PUSH, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import resolve
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_file import read_configuration
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_inventory import translate
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report import report
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

SERVICES, EXPERIMENTS, NODES = 1000, 500, 3000
OUTCOMES, SHARE_FAILED, FEW = 10_000, 100, 5


def measured(step: Step, repetitions: int) -> list[tuple[float, float]]:
    """Give wall and CPU seconds of each repetition; one before them does not count."""
    step(-1)
    found = []
    for number in range(repetitions):
        wall, cpu = time.monotonic(), _cpu()
        step(number)
        found.append((time.monotonic() - wall, _cpu() - cpu))
    return found


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def start_and_end(_number: int) -> None:
    """Have ansible-playbook do nothing at all."""
    play = str(Path(__file__).with_name("no_tasks.yml"))
    subprocess.run(["ansible-playbook", play], stdout=subprocess.DEVNULL, check=True)


def reading(directory: Path) -> Step:
    """Give the step that reads and translates a large configuration of the Go service."""
    roles = [f"role{number}" for number in range(SERVICES // EXPERIMENTS)]
    experiments = {
        f"exp{number:03d}": {
            "emails": [f"exp{number:03d}@lab.example"],
            "roles": {
                role: {
                    "account": f"exp{number:03d}{role}",
                    "destinationNodes": [f"node{node:04d}.lab.example" for node in range(number * 6, number * 6 + 6)],
                }
                for role in roles
            },
        }
        for number in range(EXPERIMENTS)
    }
    path = directory / "managedTokens.yml"
    path.write_text(
        yaml.safe_dump({"kerberosPrincipalPattern": "{{.Account}}@LAB.EXAMPLE", "experiments": experiments})
    )

    def step(_number: int) -> None:
        _source, tree = read_configuration(str(path))
        found = translate(tree)
        if len(found.groups) != EXPERIMENTS:
            raise SystemExit(f"reading: {len(found.groups)} experiments")

    return step


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
            ("ansible-playbook of a play without tasks", start_and_end, FEW),
            (LOGIN, one.login, repetitions),
            (COMPARED, functools.partial(one.push, changes=False), repetitions),
            (REPLACED, functools.partial(one.push, changes=True), repetitions),
            (f"resolving {SERVICES:,} services on {NODES:,} nodes", resolving(), FEW),
            (f"reading an old configuration of {SERVICES:,} services", reading(Path(name)), FEW),
            (f"remembering {OUTCOMES:,} outcomes", site.remember, FEW),
            (f"report over {OUTCOMES:,} outcomes, {OUTCOMES // SHARE_FAILED} failures", site.report, FEW),
            (f"metrics snapshot of {OUTCOMES:,} pairs", site.snapshot, FEW),
        ]
        times = [(title, measured(step, count)) for title, step, count in steps]
        print(json.dumps({"times": times, "round_trips": one.round_trips()}))


if __name__ == "__main__":
    main()
