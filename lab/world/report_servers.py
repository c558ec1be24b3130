# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start everything that the report is sent to: stand-ins and real servers, and the secrets that lead to them."""

from __future__ import annotations

import secrets
import uuid
from pathlib import Path

from world import metrics_servers, pki, stand_ins
from world.accounts import own_by_service_account
from world.layout import LATE_ADDRESS, PATHS, REPORT_PORTS, Layout

OVER_TLS = ("mail", "slack", "ping")


def prepare(layout: Layout, authority: pki.Authority) -> None:
    """Create certificates (of the laboratory's CA, and of the other one for servers that deceive) and secrets."""
    other = pki.other_authority()
    for name in OVER_TLS:
        host = layout.report_servers[name].name
        pki.issue_server(authority, host)
        pki.issue_server(other, host, f"{host}-wrong")
    Path(PATHS["mail"]).mkdir()
    _keep("mail_password", secrets.token_urlsafe(18))
    _keep("slack_url", f"{_address(layout, 'slack')}/services/T000/B000/{secrets.token_urlsafe(18)}")
    _keep("ping_url", f"{_address(layout, 'ping')}/ping/{uuid.uuid4()}")


def start(layout: Layout, cache: Path) -> list[stand_ins.Starting]:
    """Start all servers at once.

    Raises: WorldError when something is not installed.
    """
    # Two need more than Debian's Python has.
    debians, own = "/usr/bin/python3", str(cache / "venv" / "bin" / "python3")
    pythons = {"mail": own, "slack": debians, "otlp": own, "loki": debians, "ping": debians}
    started = metrics_servers.start(layout)
    for name, python in pythons.items():
        place = (layout.report_servers[name].address, REPORT_PORTS[name])
        started.append(stand_ins.begin(name, *place, stand_ins.argv_of(name, python)))
    late = stand_ins.argv_of("late")
    return [*started, stand_ins.begin("late", LATE_ADDRESS, REPORT_PORTS["pushgateway"], late)]


def wait(layout: Layout, started: list[stand_ins.Starting]) -> None:
    """Return when all of them answer.

    Raises: WorldError when one does not come up.
    """
    for server in started:
        server.wait()
    metrics_servers.wait_until_ready(layout)


def _address(layout: Layout, name: str) -> str:
    return f"https://{layout.report_servers[name].name}:{REPORT_PORTS[name]}"


def _keep(name: str, secret: str) -> None:
    """Write a secret where the service account alone can read it."""
    path = Path(PATHS[name])
    path.touch(mode=0o600)
    path.write_text(f"{secret}\n")
    own_by_service_account(path, 0o400)
