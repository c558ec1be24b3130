# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say how the servers that the report is sent to misbehave at the moment."""

from __future__ import annotations

import socket
import ssl
import typing as t
from pathlib import Path

from world.layout import PATHS
from world.misbehaviour import Misbehaviours
from world.tls_server import deceiving_context, server_context

FAULTS_FILE = Path(PATHS["control"]) / "report.json"
# All servers are late.
REPORT_SLOW = "report-slow"
# In a TCP connection's information: both sides may still send.
ESTABLISHED = 1


def listen_to_faults() -> Misbehaviours:
    return Misbehaviours(FAULTS_FILE)


def delay_of(faults: Misbehaviours, server: str) -> float:
    """Give how many seconds an answer of the server takes."""
    return faults.delay(f"{server}-slow", REPORT_SLOW)


def has_gone(connection: socket.socket) -> bool:
    """Say whether the client has closed the connection, even if what it sent is still to be read."""
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != ESTABLISHED
    except OSError:
        return True


def deceiving(layout: dict[str, t.Any], server: str, faults: Misbehaviours, fault: str) -> ssl.SSLContext:
    """Give the TLS of a server that shows a certificate of another CA while the fault is active."""
    pki, host = Path(layout["paths"]["pki"]), layout[server]["name"]
    right, wrong = (server_context(pki / f"{file}.crt", pki / f"{file}.key") for file in (host, f"{host}-wrong"))
    return deceiving_context(right, wrong, lambda: bool(faults.active(fault)))
