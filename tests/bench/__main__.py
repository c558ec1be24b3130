# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a bench by its name: `python tests/bench NAME ARGUMENTS...`; without a name, a small set of them."""

from __future__ import annotations

import importlib
import os
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for _place in ("tests/bench", "tests/integration", "lab"):
    sys.path.insert(0, str(ROOT / _place))

# Name -> its module, and what it measures.
BENCHES = {
    "against-baseline": ("against_baseline", "a run against one that works as the Go service does"),
    "simulated": ("simulated", "runs for thousands of simulated nodes"),
    "micro": ("micro", "single steps: a push, a ticket, a report"),
    "dead-node": ("dead_node", "what a node that answers nothing costs"),
    "refresh-uids": ("refresh_uids", "a refresh of many UIDs"),
    "large-report": ("large_report", "the report of a run in which very much failed"),
}
# A few minutes in all, and none of it is written down.
SMALL_SET = (
    ("against-baseline", "--size", "2,1,2", "--turns", "3", "--dry"),
    ("simulated", "--nodes", "100", "--turns", "1", "--dry"),
    ("micro", "--dry"),
)


def main() -> None:
    """Give the work to the bench that is named."""
    words = sys.argv[1:]
    if words and words[0] not in BENCHES:
        print("bench: NAME ARGUMENTS...", *(f"  {name:<18}{text}" for name, (_file, text) in BENCHES.items()), sep="\n")
        raise SystemExit(0 if words[0] in ("-h", "--help", "help") else 2)
    if os.geteuid() != 0:
        raise SystemExit("bench: a laboratory and control groups need root.")
    for name, *arguments in [tuple(words)] if words else SMALL_SET:
        _run(name, arguments)


def _run(name: str, arguments: t.Sequence[str]) -> None:
    module = importlib.import_module(BENCHES[name][0])
    module.main(arguments)


if __name__ == "__main__":
    main()
