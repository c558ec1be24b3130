# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the network by packet filter rules of the world's own."""

from __future__ import annotations

import subprocess

from world.fault_record import active
from world.fault_targets import layout, machine
from world.fault_words import Change, Pair, count
from world.namespaces import quietly

TABLE = "lab"
RESET_MARK = "0x5e5e"


def _rule(match: str, verdict: str) -> None:
    quietly("nft", f"add table ip {TABLE}; add chain ip {TABLE} input {{ type filter hook input priority 0; }}")
    quietly("nft", f"add rule ip {TABLE} input {match} {verdict}")


def _filter(match: str, verdict: str) -> Change:
    return lambda words: _rule(match.format(address=machine(words[0])["address"]), verdict)


def _close(server: str) -> Change:
    def make(_words: list[str]) -> None:
        found = layout()[server]
        _rule(f"ip daddr {found['address']} tcp dport {found['port']}", "reject with tcp reset")

    return make


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
