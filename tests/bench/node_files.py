# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the token files on real nodes, or alter them. Runs inside the laboratory, as root.

Usage: node_files.py check DIRECTORY | alter. `check` prints how many token files there have to be, and how many hold a
token that DIRECTORY keeps for their service, with the right owner and mode; `alter` gives each another content of the
same length, and prints how many there were.
"""

from __future__ import annotations

import json
import stat
import sys
import typing as t
from pathlib import Path

LAYOUT = Path("/srv/lab/layout.json")
NODES = Path("/srv/lab/nodes")
MODE = 0o400


def directory_of(node: str) -> Path:
    """Give a node's own /tmp, seen from outside of its mounts."""
    holder = (NODES / node / "holder.pid").read_text().strip()
    return Path("/proc", holder, "root", "tmp")


def kept(directory: Path, service: str) -> set[bytes]:
    """Give the tokens that are kept for a service, one for each credd."""
    return {path.read_bytes() for path in directory.glob(f"vt_*-{service}") if path.is_file()}


def destinations(service: t.Mapping[str, t.Any]) -> tuple[str, str]:
    return f"vt_u{service['uid']}", f"vt_u{service['uid']}-{service['name']}"


def is_in_place(path: Path, uid: int, tokens: t.Collection[bytes]) -> bool:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return False
        return found.st_uid == uid and stat.S_IMODE(found.st_mode) == MODE and path.read_bytes() in tokens
    except FileNotFoundError:
        return False


def check(layout: t.Mapping[str, t.Any], directory: Path) -> dict[str, int]:
    wanted = in_place = 0
    for service in layout["services"]:
        tokens = kept(directory, service["name"])
        for node in layout["nodes"]:
            if service["experiment"] not in node["experiments"]:
                continue
            for name in destinations(service):
                wanted += 1
                in_place += is_in_place(directory_of(node["name"]) / name, service["uid"], tokens)
    return {"wanted": wanted, "in_place": in_place}


def alter(layout: t.Mapping[str, t.Any]) -> dict[str, int]:
    count = 0
    for node in layout["nodes"]:
        for path in directory_of(node["name"]).glob("vt_*"):
            content = path.read_bytes()
            path.write_bytes(bytes(byte ^ 1 for byte in content))
            count += 1
    return {"altered": count}


def main() -> None:
    layout = json.loads(LAYOUT.read_text())
    verb, *words = sys.argv[1:]
    print(json.dumps(check(layout, Path(words[0])) if verb == "check" else alter(layout)))


if __name__ == "__main__":
    main()
