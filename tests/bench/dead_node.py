# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a node that answers nothing costs a run: its connect timeout, once, whatever the number of services on
it.

Usage: dead_node.py [TURNS]. Prints medians of wall seconds for runs that write every file, with and without the dead
node, for laboratories whose nodes carry 1 and 8 services.
"""

from __future__ import annotations

import statistics
import sys
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from laboratory import Laboratory

NODES = 4
CONNECT_TIMEOUT_S = 10


def seconds_of_a_run(laboratory: Laboratory, wanted: int) -> float:
    """Give the wall seconds of a run that writes every file anew."""
    for node in laboratory.nodes:
        laboratory.node(node, "sh", "-c", "rm -f /tmp/vt_*", check=False)
    done = laboratory.push("-e", f"{{managed_tokens_timeouts: {{connect: {CONNECT_TIMEOUT_S}}}}}")
    if done.status != wanted:
        raise SystemExit(done.output)
    return done.seconds


def main(words: t.Sequence[str]) -> None:
    """Run all cases in turns and print a table."""
    turns = int(words[0]) if words else 3
    print(f"connect timeout {CONNECT_TIMEOUT_S} s, {NODES} nodes, medians of {turns} runs each, wall seconds")
    print(f"{'services on each node':<24}{'healthy':>10}{'one dead':>10}{'growth':>10}")
    for roles in (1, 8):
        laboratory = Laboratory("bench-dead-node")
        laboratory.up("--light", "--experiments", "1", "--roles", str(roles), "--nodes", str(NODES))
        try:
            healthy, dead = [], []
            for _turn in range(turns):
                healthy.append(seconds_of_a_run(laboratory, 0))
                with laboratory.fault("node-blackholed", laboratory.nodes[0]):
                    dead.append(seconds_of_a_run(laboratory, 4))
        finally:
            laboratory.lab("down", check=False)
        one, other = statistics.median(healthy), statistics.median(dead)
        print(f"{roles:<24}{one:>10.2f}{other:>10.2f}{other - one:>10.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
