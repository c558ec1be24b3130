# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the network by packet filter rules of the world's own."""

from __future__ import annotations

import pwd
import subprocess

from world.fault_record import active
from world.fault_targets import layout, machine
from world.fault_words import Change, Pair, count
from world.namespaces import quietly

TABLE = "lab"
RESET_MARK = "0x5e5e"
CHAINS = {"input": "filter hook input priority 0", "output": "nat hook output priority -100"}
REPORTED_TO = ("mail", "slack", "pushgateway", "otlp", "loki", "ping")


def _rule(match: str, verdict: str, chain: str = "input") -> None:
    kind = CHAINS[chain]
    quietly("nft", f"add table ip {TABLE}; add chain ip {TABLE} {chain} {{ type {kind}; }}")
    quietly("nft", f"add rule ip {TABLE} {chain} {match} {verdict}")


def _filter(match: str, verdict: str) -> Change:
    return lambda words: _rule(match.format(address=machine(words[0])["address"]), verdict)


def _close(*servers: str) -> Change:
    def make(_words: list[str]) -> None:
        for server in servers:
            found = layout()[server]
            for port in [found[name] for name in ("port", "tls_port") if name in found]:
                _rule(f"ip daddr {found['address']} tcp dport {port}", "reject with tcp reset")

    return make


def _lead_astray(_words: list[str]) -> None:
    """Send the Pushgateway's clients, but for Prometheus, to the server that passes them on late."""
    found = layout()["pushgateway"]
    late, reader = found["late_address"], pwd.getpwnam("prometheus").pw_uid
    clients = f"ip daddr {found['address']} tcp dport {found['port']} ip saddr != {late} meta skuid != {reader}"
    _rule(clients, f"dnat to {late}:{found['port']}", "output")


def _reset(words: list[str]) -> None:
    """Let the first connections be accepted, then reset at the client's first words: a refused one is another error."""
    connections = count("ssh-reset", [*words, "1"][1], "connections")
    port = f"ip daddr {machine(words[0])['address']} tcp dport 22"
    _rule(f"{port} tcp flags & (syn | ack) == syn numgen inc mod 1000000 < {connections}", f"ct mark set {RESET_MARK}")
    _rule(f"{port} ct mark {RESET_MARK} tcp flags & psh == psh", "reject with tcp reset")


MAKERS: dict[str, Change] = {
    "ferry-down": _close("ferry"),
    "node-blackholed": _filter("ip daddr {address}", "drop"),
    "ping-filtered": _filter("ip daddr {address} icmp type echo-request", "drop"),
    "ssh-closed": _filter("ip daddr {address} tcp dport 22", "reject with tcp reset"),
    "ssh-reset": _reset,
    "vault-down": _close("vault"),
    "smtp-down": _close("mail"),
    "slack-down": _close("slack"),
    "pushgateway-down": _close("pushgateway"),
    "otlp-down": _close("otlp"),
    "loki-down": _close("loki"),
    "ping-down": _close("ping"),
    "report-down": _close(*REPORTED_TO),
    "pushgateway-slow": _lead_astray,
    "report-slow": _lead_astray,
}


def pair(name: str) -> Pair:
    """Give what makes a fault of the network and what mends it."""
    return MAKERS[name], _rebuild


def _rebuild(_words: list[str]) -> None:
    """Take all rules away and make those of the faults that stay active again."""
    subprocess.run(["nft", f"delete table ip {TABLE}"], capture_output=True, check=False)
    for name, words in active():
        if name in MAKERS:
            MAKERS[name](words)
