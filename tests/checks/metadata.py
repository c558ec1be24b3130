# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that what the collection's metadata says twice says the same thing both times.

* Every module is in the action group, so that site settings given once reach it. With --release, every name in the
  group has its module too.
* The packages of requirements.txt and of the execution environment are the same.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
GROUP = "managed_tokens"


def requirements(path: Path) -> set[str]:
    """Read the requirement lines of a pip requirements file, without comments."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line}


def group_problems(checkout: Path, *, release: bool) -> list[str]:
    """Compare the modules in the tree with the names in the action group."""
    runtime = yaml.safe_load((checkout / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    named = set(runtime["action_groups"][GROUP])
    present = {path.stem for path in (checkout / "plugins" / "modules").glob("*.py")}
    problems = [
        f"meta/runtime.yml: action group {GROUP} does not name module {name}" for name in sorted(present - named)
    ]
    without_module = [
        f"meta/runtime.yml: action group {GROUP} names {name}, which has no module" for name in sorted(named - present)
    ]
    if release:
        return problems + without_module
    for note in without_module:
        print(f"note: {note} yet")
    return problems


def requirement_problems(checkout: Path) -> list[str]:
    """Compare the Python packages of a checkout with those of an execution environment."""
    ours, image = (requirements(checkout / name) for name in ("requirements.txt", "meta/ee-requirements.txt"))
    return [f"{line}: only in one of requirements.txt and meta/ee-requirements.txt" for line in sorted(ours ^ image)]


def main() -> int:
    """Print all differences, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", action="store_true", help="also want a module for every name in the group")
    options = parser.parse_args()
    problems = group_problems(CHECKOUT, release=options.release) + requirement_problems(CHECKOUT)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
