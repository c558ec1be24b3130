# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure runs of the playbook against runs of a baseline that works as the Go service does, in turns, in one
laboratory with real ssh servers, a real KDC and, unless --light, a real HTCondor pool.

The figures of a size go to docs/performance.md. "Everything changed" is a run for which vault has to give every
service a new token, so that every file on the nodes is another afterwards; "nothing changed" is the run after it. With
--instant a storer run costs its latency and nothing else, so that it does not hide what the two sides cost by
themselves; it brings no new tokens then, and "everything changed" is a run before which every token file on the nodes
was altered. Ours runs in two ways: results of their own for the nodes with a problem only
(`managed_tokens_node_results: failed`), or for all.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import statistics
import typing as t
from dataclasses import dataclass, replace

import limits
import machine
from figures import Column, Sample, Series, table
from laboratory import Laboratory
from measured_laboratory import INSIDE, Meter, Ran, measured_laboratory
from performance_document import write_section
from sshd_words import logins, negotiated, server_key_exchanges
from world.layout import PATHS

BASELINE, OURS, OURS_ALL = "baseline", "ours, failed", "ours, all"
# By which nodes get a result of their own: those with a problem, or all.
NODE_RESULTS = {OURS: "failed", OURS_ALL: "all"}
CHANGED, UNCHANGED = "everything changed", "nothing changed"
BASELINE_TOKENS = "/srv/lab/state/baseline-tokens"
OPENSSH_KEX = "openssh"
STARTS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured: experiments, roles of each, nodes of each; seconds that each storer run takes longer; credds;
    variables for our runs."""

    size: tuple[int, int, int]
    latency: float
    credds: int
    is_light: bool
    kex: str
    is_instant: bool = False
    extra: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        place = "light" if self.is_light else f"credds {self.credds}"
        words = ["against-baseline", ",".join(map(str, self.size)), f"latency {self.latency:g}", place]
        words += ["instant"] if self.is_instant else []
        words += ["openssh-kex"] if self.kex == OPENSSH_KEX else []
        return " ".join([*words, *self.extra])

    @property
    def kinds(self) -> tuple[str, ...]:
        """Give what is measured; the storers' latency is the same whether anything has changed."""
        return (CHANGED,) if self.latency else (CHANGED, UNCHANGED)

    @property
    def title(self) -> str:
        experiments, roles, nodes = self.size
        services, count = experiments * roles, experiments * nodes
        getter = "htgettoken alone" if self.is_light else f"{self.credds} credd{'s' * (self.credds != 1)}"
        shown = f"({experiments},{roles},{nodes}): {services} services, {count} nodes, {count * roles} pairs"
        storer = f"{'stub storer' if self.is_instant else 'real storer'}, latency {self.latency:g} s"
        return "; ".join([shown, storer, getter, *self.extra])


class Contest:
    """The two sides in one laboratory."""

    def __init__(self, case: Case, laboratory: Laboratory, meter: Meter) -> None:
        self.case, self.laboratory, self.meter = case, laboratory, meter
        self.series = Series()
        self.stages: list[dict[str, t.Any]] = []

    def connections(self) -> int:
        text = self.laboratory.run("sh", "-c", f"cat {PATHS['log']}/sshd-*.log", user="root").output
        return logins(text.splitlines()).total()

    def node_files(self, *words: str) -> dict[str, int]:
        program = f"{INSIDE}/tests/bench/node_files.py"
        found: dict[str, int] = json.loads(self.laboratory.run("/usr/bin/python3", program, *words, user="root").output)
        return found

    def change_everything(self, tokens: str) -> None:
        """Leave nothing as the next run of the side that keeps its tokens in the directory `tokens` wants it."""
        if self.case.is_instant:
            self.node_files("alter")
        else:
            self.laboratory.run("sh", "-c", f"rm -f {tokens}/vt_*")

    def ours(self, node_results: str) -> Sample:
        values: dict[str, t.Any] = {"managed_tokens_node_results": node_results}
        if not self.case.is_light:
            credds = self.laboratory.layout["credds"][: self.case.credds]
            values["managed_tokens_credds"] = [credd["name"] for credd in credds]
        given = [word for extra in self.case.extra for word in ("-e", extra)]
        push = "fife.managed_tokens.token_push"
        ran = self._need("run of ours", "ansible-playbook", push, "-e", json.dumps(values), *given)
        return self._complete(ran, PATHS["token_dir"])

    def baseline(self) -> Sample:
        kex = "" if self.case.kex == OPENSSH_KEX else self.case.kex
        words = ("--tokens", BASELINE_TOKENS, "--kex", kex, "--credds", str(self.case.credds))
        ran = self._need("baseline", "/usr/bin/python3", f"{INSIDE}/tests/bench/baseline.py", *words)
        told = json.loads(ran.output.splitlines()[-1])
        self.stages.append(told["stages"])
        return replace(self._complete(ran, BASELINE_TOKENS), own_cpu=told["own_cpu"])

    def _need(self, what: str, *command: str) -> Ran:
        ran = self.meter.run(*command, connections=self.connections)
        if ran.status:
            raise SystemExit(f"bench: {what} ended with {ran.status}:\n{ran.output[-3000:]}")
        return ran

    def _complete(self, ran: Ran, tokens: str) -> Sample:
        found = self.node_files("check", tokens)
        return replace(ran.sample, in_place=found["in_place"], wanted=found["wanted"])

    def turns(self, count: int, say: t.Callable[[str], None]) -> None:
        """Let each side run once for nothing, then all in turns; who begins changes."""
        sides: dict[str, t.Callable[[], Sample]] = {BASELINE: self.baseline}
        sides |= {title: functools.partial(self.ours, which) for title, which in NODE_RESULTS.items()}
        for title in (BASELINE, OURS):
            say(f"{title}, to warm up: {sides[title]().wall:.1f} s")
        if self.case.is_instant:
            self.laboratory.lab("fault", "instant-storer")
        if self.case.latency:
            self.laboratory.lab("fault", "slow-storer", f"{self.case.latency:g}")
        self.stages.clear()
        for turn in range(count):
            for title in list(sides)[:: 1 if turn % 2 == 0 else -1]:
                self.change_everything(BASELINE_TOKENS if title == BASELINE else PATHS["token_dir"])
                for kind in self.case.kinds:
                    sample = sides[title]()
                    self.series.add(f"{title}, {kind}", sample)
                    say(f"turn {turn + 1}, {title}, {kind}: {sample.wall:.1f} s, load before {sample.load:.1f}")

    def limits(self) -> t.Iterator[str]:
        """Say how far ours is from what the machine allows."""
        samples = self.series.samples
        words = ("env", "PYTHONPATH=/srv/ansible", "python", f"{INSIDE}/tests/bench/handshakes.py")
        ran = self._need("bare logins", *words)
        client = float(json.loads(ran.output.splitlines()[-1])["cpu"])
        yield limits.of_bare_logins(client, ran.sample.node_cpu, ran.sample.cores, samples[f"{OURS}, {CHANGED}"])
        play = f"{INSIDE}/tests/bench/no_tasks.yml"
        starts = [self._need("play without tasks", "ansible-playbook", play).sample.wall for _turn in range(STARTS)]
        ours = {title: samples[f"{title}, {CHANGED}"] for title in NODE_RESULTS}
        yield limits.of_even_division(statistics.median(starts), ours, samples[f"{BASELINE}, {CHANGED}"])

    def key_exchanges(self) -> dict[str, str]:
        """Give what each side's ssh connections agree on with a node's server."""
        node = self.laboratory.nodes[0]
        config = f"/srv/lab/nodes/{node}/sshd_config"
        offered = server_key_exchanges(self.laboratory.run("/usr/sbin/sshd", "-T", "-f", config, user="root").output)
        of_ssh = self.laboratory.run("ssh", "-G", node).output
        theirs = server_key_exchanges(of_ssh) if self.case.kex == OPENSSH_KEX else [self.case.kex]
        script = "import asyncssh.kex as k; print(*(n.decode() for n in k.get_default_kex_algs()))"
        own = self.laboratory.run("python", "-c", script).output.split()
        return {BASELINE: negotiated(theirs, offered), OURS: negotiated(own, offered)}

    def report(self, turns: int) -> list[str]:
        """Give the lines of the case's section."""
        samples = self.series.samples
        lines = [*machine.description(), ""]
        for kind in self.case.kinds:
            columns = [Column(BASELINE, samples[f"{BASELINE}, {kind}"])]
            columns += [Column(title, samples[f"{title}, {kind}"], BASELINE) for title in NODE_RESULTS]
            lines += [f"{kind[0].upper()}{kind[1:]} (turns: {turns}):", "", *table(columns), ""]
        if UNCHANGED in self.case.kinds:
            changed, unchanged = (
                statistics.median(item.wall for item in samples[f"{OURS}, {kind}"]) for kind in (CHANGED, UNCHANGED)
            )
            lines.append(f"Ours, nothing changed / everything changed: **{unchanged / changed:.2f}** of the wall time.")
        lines.append(f"Key exchange: {'; '.join(f'{side} {name}' for side, name in self.key_exchanges().items())}.")
        lines += self.limits()
        lines.append(f"The baseline's stages, medians: {'; '.join(self._stages())}.")
        every = list(itertools.chain.from_iterable(samples.values()))
        lines.append(machine.quietness([item.others_cpu for item in every], [item.wall for item in every]))
        return lines

    def _stages(self) -> t.Iterator[str]:
        for name in self.stages[0]:
            seconds = statistics.median(stage[name]["seconds"] for stage in self.stages)
            failed = sum(stage[name]["failed"] for stage in self.stages)
            yield f"{name} {seconds:.1f} s" + (f" ({failed} failed in {len(self.stages)} runs)" if failed else "")


def size_of(text: str) -> tuple[int, int, int]:
    """Understand E,R,N."""
    words = text.split(",")
    if len(words) != 3 or not all(word.strip().isdigit() and int(word) > 0 for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not EXPERIMENTS,ROLES,NODES, such as 10,2,5")
    experiments, roles, nodes = map(int, words)
    return experiments, roles, nodes


def measure(case: Case, turns: int, *, write: bool) -> None:
    """Measure one case; print its section, and write it down."""
    print(f"{case.title}", flush=True)
    experiments, roles, nodes = map(str, case.size)
    options = ["--experiments", experiments, "--roles", roles, "--nodes", nodes]
    options += ["--light"] if case.is_light else []
    with measured_laboratory(*options) as (laboratory, meter):
        contest = Contest(case, laboratory, meter)
        contest.turns(turns, lambda text: print(f"  {text}", flush=True))
        lines = contest.report(turns)
    print("\n".join(["", *lines, ""]), flush=True)
    if write:
        write_section(case.key, case.title, lines)


def main(words: t.Sequence[str]) -> None:
    """Measure every combination of what is given."""
    parser = argparse.ArgumentParser(prog="bench against-baseline", description=__doc__)
    parser.add_argument("--size", type=size_of, action="append", metavar="E,R,N", help="default: 2,1,2")
    parser.add_argument(
        "--latency", type=float, action="append", metavar="SECONDS", help="of each storer run; default: 0"
    )
    parser.add_argument("--credds", type=int, choices=(1, 2), action="append", help="default: 2")
    parser.add_argument("--light", action="store_true", help="without HTCondor; both sides use htgettoken")
    parser.add_argument(
        "--instant",
        action="store_true",
        help="a stub in the storer's place, which does nothing but wait for the latency: without the storers' own CPU",
    )
    parser.add_argument("--turns", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--kex",
        default="curve25519-sha256",
        help=f"the baseline's key exchange, {OPENSSH_KEX} for OpenSSH's own choice (default: %(default)s)",
    )
    parser.add_argument("-e", dest="extra", action="append", default=[], metavar="NAME=VALUE", help="for our runs only")
    parser.add_argument("--dry", action="store_true", help="print the figures only, do not write them down")
    given = parser.parse_args(words)
    credds = [0] if given.light else given.credds or [2]
    for size, latency, count in itertools.product(given.size or [(2, 1, 2)], given.latency or [0.0], credds):
        case = Case(size, latency, count, given.light, given.kex, given.instant, tuple(given.extra))
        measure(case, given.turns, write=not given.dry)
