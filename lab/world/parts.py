# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which parts of a laboratory run. Runs inside the world; prints a part and its PID (0: it is down) per line."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

LAYOUT = Path("/srv/lab/layout.json")
# Name (of which the kernel keeps 15 letters) and some text of the arguments.
REPORT_PARTS = {
    "mail": ("python3", "mail_server.py"),
    "slack": ("python3", "slack_server.py"),
    "pushgateway": ("prometheus-push", ""),
    "prometheus": ("prometheus", ""),
    "otlp": ("python3", "otlp_server.py"),
    "loki": ("python3", "loki_server.py"),
    "ping": ("python3", "ping_server.py"),
}


def running() -> dict[int, tuple[str, str]]:
    """Give name and arguments of every live process, by PID."""
    listed = subprocess.run(
        ["ps", "-eww", "-o", "pid=,stat=,comm=,args="], capture_output=True, text=True, check=True
    ).stdout
    found: dict[int, tuple[str, str]] = {}
    for line in listed.splitlines():
        pid, state, name, arguments = line.split(None, 3)
        if not state.startswith("Z"):
            found[int(pid)] = (name, arguments)
    return found


def find(processes: t.Mapping[int, tuple[str, str]], name: str, text: str = "") -> int:
    """Give the PID of the first process of that name whose arguments hold `text`; 0 when there is none."""
    return next((pid for pid, (its, arguments) in sorted(processes.items()) if its == name and text in arguments), 0)


def main() -> None:
    layout = json.loads(LAYOUT.read_text())
    processes = running()
    print("kdc", find(processes, "krb5kdc"))
    print("vault", find(processes, "python3", "vault_server.py"))
    print("ferry", find(processes, "python3", "ferry_server.py"))
    if layout["postgres"]:
        print("postgres", find(processes, "postgres", "/srv/lab/postgres/data"))
    if layout.get("report"):
        for part, (name, text) in REPORT_PARTS.items():
            print(part, find(processes, name, text))
    if layout["simulated"]:
        print("simulator", find(processes, "python", "node_simulator.py"))
    for node in [] if layout["simulated"] else layout["nodes"]:
        print("node", find(processes, "sshd", f"/{node['name']}/sshd_config"))
    if not layout["is_light"]:
        for machine in (layout["collector"], *layout["credds"]):
            short = machine["name"].partition(".")[0]
            pid = int(Path(f"/srv/lab/condor/{short}/master.pid").read_text())
            print(short, pid if processes.get(pid, ("", ""))[0] == "condor_master" else 0)


if __name__ == "__main__":
    main()
