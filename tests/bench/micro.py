# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure single steps of a run by themselves: a ticket, an ssh connection, a push, resolving, recording, reporting."""

from __future__ import annotations

import argparse
import json
import statistics
import typing as t

import machine
from figures import aligned
from measured_laboratory import INSIDE, measured_laboratory
from performance_document import write_section

TITLE = "Single steps of a run"
ROUND_TRIPS = (
    "Round trips are counted by a proxy that delays what it passes on; that of TCP's own connect is not among them."
)


class Found(t.TypedDict):
    """What the program in the laboratory prints: [wall, CPU] seconds of each repetition, and round trips."""

    times: list[tuple[str, list[tuple[float, float]]]]
    round_trips: list[tuple[str, float]]


def rows(found: Found) -> list[list[str]]:
    """Give the lines of the table, its head first; times in milliseconds."""
    lines = [["step", "wall, ms", "CPU of the client, ms", "round trips", "repetitions"]]
    for title, times in found["times"]:
        walls, cpus = zip(*times, strict=True)
        trips = dict(found["round_trips"]).get(title)
        lines.append([title, _shown(walls), _shown(cpus), f"{trips:.1f}" if trips else "-", str(len(times))])
    return lines


def _shown(seconds: t.Sequence[float]) -> str:
    values = [1000 * value for value in (statistics.median(seconds), min(seconds), max(seconds))]
    decimals = 1 if values[0] < 100 else 0
    return "{} ({}-{})".format(*(f"{value:.{decimals}f}" for value in values))


def main(words: t.Sequence[str]) -> None:
    """Start a laboratory with one node, and let the steps be taken there."""
    parser = argparse.ArgumentParser(prog="bench micro", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=50, help="of what takes milliseconds; default: %(default)s")
    parser.add_argument("--dry", action="store_true", help="print the figures only, do not write them down")
    given = parser.parse_args(words)
    print(TITLE, flush=True)
    sizes = ("--light", "--experiments", "1", "--roles", "1", "--nodes", "1")
    with measured_laboratory(*sizes) as (laboratory, _meter):
        load = machine.load()
        program = f"{INSIDE}/tests/bench/micro_steps.py"
        done = laboratory.run(
            "env", "PYTHONPATH=/srv/ansible", "PYTHONDONTWRITEBYTECODE=1", "python", program, str(given.repetitions)
        )
    lines = [
        *machine.description(),
        "",
        *aligned(rows(json.loads(done.output.splitlines()[-1]))),
        "",
        f"Medians, with the least and the greatest; load of the machine before: {load:.1f}. {ROUND_TRIPS}",
    ]
    print("\n".join(["", *lines, ""]), flush=True)
    if not given.dry:
        write_section("micro", TITLE, lines)
