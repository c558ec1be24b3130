# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be the first process of a laboratory's world: build everything, say that it is ready, and stay until told to go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import typing as t
from pathlib import Path

from world import (
    accounts,
    bearer,
    condor,
    inventory,
    inventory_legacy,
    kdc,
    nodes,
    pki,
    postgres,
    report_servers,
    simulated_nodes,
    stand_ins,
)
from world.layout import FERRY_PORT, PATHS, TOKEN_HOST, VAULT_PORT, Layout
from world.namespaces import WorldError, furnish, quietly, set_hostname


def build(layout: Layout, checkout: Path, cache: Path, say: t.Callable[[str], None]) -> None:
    """Build the world in the fresh namespaces of this process.

    Raises: WorldError.
    """
    say("private file systems, names and users")
    furnish(checkout, cache)
    set_hostname(TOKEN_HOST)
    quietly("ip", "link", "set", "lo", "up")
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")
    for name in ("pki", "keytabs", "host_keytabs", "log", "control", "bin"):
        Path(PATHS[name]).mkdir(parents=True)
    Path(PATHS["host_keytabs"]).chmod(0o700)
    state = Path(PATHS["token_dir"]).parent
    state.mkdir()
    accounts.own_by_service_account(state, 0o755)
    accounts.own_by_service_account(Path(PATHS["keytabs"]), 0o700)
    accounts.create_users(layout)
    accounts.write_names(layout)
    accounts.write_krb5_conf(layout)
    Path("/srv/lab/layout.json").write_text(json.dumps(layout.to_dict(), indent=2) + "\n")
    say("Kerberos: KDC, principals, keytabs")
    kdc.start(layout)
    authority = pki.create_authority()
    accounts.trust(authority.certificate)
    for server in (layout.vault, layout.ferry):
        pki.issue_server(authority, server.name)
    pki.issue_clients(authority)
    if layout.report:
        report_servers.prepare(layout, authority)
    bearer.create_key()
    say("vault and FERRY stand-ins with TLS, SPNEGO and client certificates")
    stand_ins.start("vault", layout.vault.address, VAULT_PORT)
    stand_ins.start("ferry", layout.ferry.address, FERRY_PORT)
    condor.write_htgettoken(cache / "venv")
    # They become ready while the rest is built.
    reported_to: list[stand_ins.Starting] = []
    if layout.report:
        say("the report's servers: mail, Slack, Pushgateway, Prometheus, traces, Loki, dead man's switch")
        reported_to = report_servers.start(layout, cache)
    if layout.simulated:
        say(f"{len(layout.nodes)} simulated nodes, all in one process")
        simulated_nodes.start(layout, cache / "venv")
    else:
        say(f"{len(layout.nodes)} nodes, each a real ssh server")
        nodes.start_all(layout)
    inventory.write(layout)
    inventory_legacy.write(layout)
    if layout.postgres:
        say("PostgreSQL")
        postgres.start(layout, authority)
    if layout.report:
        report_servers.wait(layout, reported_to)
    if not layout.is_light:
        say("HTCondor: collector and two credds")
        condor.write_wrappers()
        condor.start(layout)


def main(plan: dict[str, t.Any], report: int, watch: int) -> t.NoReturn:
    """Build what `plan` says and report over the pipe `report`.

    End if the starter, at the other side of `watch`, goes away before it has written down where we are.
    """

    def end_with_starter() -> None:
        if not os.read(watch, 1):
            os._exit(1)

    threading.Thread(target=end_with_starter, daemon=True).start()

    def say(text: str) -> None:
        os.write(report, f"{text}\n".encode())

    try:
        build(plan["layout"], Path(plan["checkout"]), Path(plan["cache"]), say)
    except (WorldError, OSError, subprocess.SubprocessError, TimeoutError) as err:
        say(f"!{err}")
        os._exit(1)
    say("=ready")
    os.close(report)
    signal.signal(signal.SIGTERM, lambda _signum, _frame: os._exit(0))
    # As PID 1 of the world it inherits every orphan, and has to let them go.
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            time.sleep(1)
        except InterruptedError:
            continue
