# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Understand what the ssh servers of the laboratory's nodes have logged."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

_ACCEPTED = re.compile(r"^Accepted (?P<method>\S+) for (?P<account>\S+) from \S+ port \d+")


def logins(lines: t.Iterable[str]) -> Counter[str]:
    """Count the logins that were accepted, by account; each is a connection of its own."""
    found: Counter[str] = Counter()
    for line in lines:
        match = _ACCEPTED.match(line)
        if match:
            found[match["account"]] += 1
    return found


def negotiated(client: t.Sequence[str], server: t.Collection[str]) -> str:
    """Give the key exchange that the two agree on: the first of the client's that the server has; "" if there is none.

    Source: RFC 4253, section 7.1.
    """
    return next((name for name in client if name in server), "")


def server_key_exchanges(settings: str) -> list[str]:
    """Give the key exchanges that a server offers, from what `sshd -T` prints."""
    for line in settings.splitlines():
        key, _space, value = line.partition(" ")
        if key.lower() == "kexalgorithms":
            return value.split(",")
    return []
