# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what thousands of nodes cost the client alone: engine, Ansible, report and state database, with simulated
nodes, so that neither their programs nor a pool is what is measured.

The tokens were stored before and are not stored again in a measured run (`managed_tokens_store_reuse`): storers are
other people's programs, and their number goes with the services, not with the nodes. With --slices the state is in
PostgreSQL, and a run of all nodes is compared with several at once, each with its share, as a sliced job of AWX has
them: every second node, or every third.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import typing as t
from dataclasses import dataclass, replace

import machine
from figures import ROWS, Column, Sample, Series, table
from laboratory import Laboratory
from measured_laboratory import INSIDE, Meter, measured_laboratory
from performance_document import write_section
from world.layout import PATHS

RUN_LIMIT_S = 3600
SLICE = "/srv/lab/state/slice"
# What is of no use here: the nodes are one process, and there is nothing to compare with.
LEFT_OUT = ("the bench's own", "ssh connections")


@dataclass(frozen=True, slots=True)
class Size:
    """So many nodes in all; without `experiments`, one of two roles for each hundred."""

    nodes: int
    experiments: int | None = None
    slices: int = 1

    @property
    def options(self) -> list[str]:
        own = [] if self.experiments is None else ["--experiments", str(self.experiments)]
        own += ["--postgres"] if self.slices > 1 else []
        return ["--light", "--report", "--simulated", str(self.nodes), *own]

    @property
    def key(self) -> str:
        own = "" if self.experiments is None else f" experiments {self.experiments}"
        return f"simulated {self.nodes}{own}" + (f" slices {self.slices}" if self.slices > 1 else "")


class SimulatedSite:
    """One laboratory of simulated nodes."""

    def __init__(self, laboratory: Laboratory, meter: Meter) -> None:
        self.laboratory, self.meter = laboratory, meter

    def tell(self, *words: str) -> t.Any:
        program = f"{INSIDE}/lab/world/ask_simulator.py"
        return json.loads(self.laboratory.run("/usr/bin/python3", program, *words, user="root").output)

    def run(self, statuses: t.Container[int] = (0,), slices: int = 1) -> Sample:
        """Run the playbook once, or in so many slices at once, and look at what is on the nodes.

        Raises: SystemExit when it ends with another status.
        """
        values = {"managed_tokens_timeouts": {"run": RUN_LIMIT_S}, "managed_tokens_store_reuse": "1d"}
        ran = self.meter.run(
            *self._sliced(slices),
            *("ansible-playbook", "fife.managed_tokens.token_push", "-e", json.dumps(values)),
            connections=lambda: int(self.tell("counts")["connections"]),
            timeout=RUN_LIMIT_S,
        )
        if ran.status not in statuses:
            raise SystemExit(f"bench: the run ended with {ran.status}:\n{ran.output[-3000:]}")
        files, tokens = self.tell("files"), self.laboratory.kept_tokens()
        by_service = {name.rpartition("-")[2]: content for name, content in tokens.items()}
        in_place = wanted = 0
        for service in self.laboratory.services:
            for node in self.laboratory.nodes_of(service):
                for path in (f"/tmp/vt_u{service['uid']}", f"/tmp/vt_u{service['uid']}-{service['name']}"):
                    wanted += 1
                    mode, uid, content = files.get(node, {}).get(path) or (0, 0, "")
                    is_right = base64.b64decode(content).decode() == by_service[service["name"]]
                    in_place += is_right and mode == 0o400 and uid == service["uid"]
        return replace(ran.sample, in_place=in_place, wanted=wanted)

    def _sliced(self, slices: int) -> list[str]:
        """Give the words that run a command once for each slice of the nodes, all at once."""
        if slices == 1:
            return []
        for number in range(slices):
            names = "\n".join(self.laboratory.nodes[number::slices])
            self.laboratory.run("sh", "-c", f"cat > {SLICE}{number} <<'END'\n{names}\nEND")
        numbers = " ".join(map(str, range(slices)))
        script = (
            f'pids=; for n in {numbers}; do "$@" --limit "@{SLICE}$n" & pids="$pids $!"; done; status=0\n'
            "for pid in $pids; do wait $pid || status=$?; done; exit $status"
        )
        return ["sh", "-c", script, "sh"]

    @property
    def database_bytes(self) -> int:
        """Give the size of the SQLite file; 0 when the state is in PostgreSQL."""
        if self.laboratory.layout["postgres"]:
            return 0
        return int(self.laboratory.run("stat", "-c", "%s", PATHS["database"]).output)

    def break_nodes(self, share: float) -> int:
        """Let this share of the nodes be silent, spread evenly; give how many these are."""
        count = max(1, round(share * len(self.laboratory.nodes)))
        for number in range(count):
            node = self.laboratory.nodes[number * len(self.laboratory.nodes) // count]
            self.laboratory.lab("fault", "node-blackholed", node.partition(".")[0])
        return count


def measure(size: Size, turns: int, delays: t.Sequence[float], dead: float) -> tuple[str, Series, int]:
    """Give title, samples and bytes of the database of one size."""
    series = Series()

    def add(kind: str, sample: Sample) -> None:
        series.add(kind, sample)
        print(f"  {kind}: {sample.wall:.1f} s, main process {(sample.main or 0) / 1e6:.0f} MB", flush=True)

    with measured_laboratory(*size.options) as (laboratory, meter):
        title = f"{len(laboratory.services):,} services, {len(laboratory.nodes):,} nodes, {laboratory.pairs:,} pairs"
        print(title, flush=True)
        site = SimulatedSite(laboratory, meter)
        print(f"  to warm up: {site.run().wall:.1f} s", flush=True)
        for _turn in range(turns):
            for delay in delays:
                site.tell("delay", f"{delay / 1000:g}")
                site.tell("alter")
                add(f"{delay:g} ms", site.run())
            site.tell("delay", "0")
            add("nothing changed", site.run())
            if size.slices > 1:
                site.tell("alter")
                add(f"0 ms, {size.slices} slices", site.run(slices=size.slices))
        if dead:
            count = site.break_nodes(dead)
            for _turn in range(turns):
                site.tell("alter")
                add(f"{count} dead", site.run((2, 4)))
        return title, series, site.database_bytes


def main(words: t.Sequence[str]) -> None:
    """Measure all sizes, and how cost grows from the first to the others."""
    parser = argparse.ArgumentParser(prog="bench simulated", description=__doc__)
    parser.add_argument("--nodes", type=int, action="append", metavar="N", help="default: 300, 1000 and 3000")
    parser.add_argument("--experiments", type=int, metavar="E", help="of two roles; default: one for each 100 nodes")
    parser.add_argument("--delay", type=float, action="append", metavar="MS", help="of each answer; default: 0, 1, 10")
    parser.add_argument("--dead", type=float, default=0.01, help="share of silent nodes; default: %(default)s")
    parser.add_argument("--slices", type=int, default=1, help="compare with so many runs at once; default: none")
    parser.add_argument("--turns", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--dry", action="store_true", help="print the figures only, do not write them down")
    given = parser.parse_args(words)
    rows = [row for row in ROWS if not row.title.startswith(LEFT_OUT)]
    first: tuple[int, float] | None = None
    for nodes in given.nodes or [300, 1000, 3000]:
        size = Size(nodes, given.experiments, given.slices)
        title, series, database = measure(size, given.turns, given.delay or [0.0, 1.0, 10.0], given.dead)
        samples = [sample for found in series.samples.values() for sample in found]
        wall = statistics.median(sample.wall for sample in next(iter(series.samples.values())))
        first = first or (nodes, wall)
        lines = [
            *machine.description(),
            "",
            *table([Column(kind, found) for kind, found in series.samples.items()], rows),
            "",
            f"Turns: {given.turns}. Nodes' CPU is the simulator's. The state is in "
            + (f"an SQLite file of {database / 1e6:.1f} MB." if database else "PostgreSQL, one of the other servers."),
        ]
        if nodes != first[0]:
            growth = f"{nodes / first[0]:.1f} x the nodes take {wall / first[1]:.1f} x the wall time"
            lines.append(f"Against {first[0]:,} nodes: {growth}.")
        lines.append(machine.quietness([item.others_cpu for item in samples], [item.wall for item in samples]))
        print("\n".join(["", *lines, ""]), flush=True)
        if not given.dry:
            write_section(size.key, f"{title}{f', {size.slices} slices' if size.slices > 1 else ''}", lines)
