# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every node is sent one echo request, by the run itself or, where the system does not allow that, by ping."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from laboratory import Laboratory

GROUPS = "/proc/sys/net/ipv4/ping_group_range"
CALLS = "/home/mtokens/ping.calls"
# Stands before the system's own in the laboratory's PATH.
PING = f"""
import os
place = "/srv/lab/bin/ping"
with open(place, "w") as file:
    file.write("#!/bin/sh\\nprintf '%s\\\\n' \\"$*\\" >> {CALLS}\\nexec /bin/ping \\"$@\\"\\n")
os.chmod(place, 0o755)
"""


@pytest.fixture
def watched(light: Laboratory) -> Iterator[Laboratory]:
    """Give a laboratory that writes down when ping is run."""
    light.lab("heal")
    light.run("/usr/bin/python3", "-c", PING, user="root")
    yield light
    light.run("rm", "-f", "/srv/lab/bin/ping", CALLS, user="root")
    allow(light, "0 2147483647")


def allow(laboratory: Laboratory, groups: str) -> None:
    """Let these groups, from one number to another, have sockets for echo requests."""
    laboratory.run("/usr/bin/python3", "-c", f"open('{GROUPS}', 'w').write('{groups}')", user="root")


def echoes(laboratory: Laboratory) -> int:
    """Give how many echo requests have come to nodes since the laboratory began."""
    names, values = (line.split() for line in laboratory.run("grep", "^Icmp:", "/proc/net/snmp").output.splitlines())
    return int(values[names.index("InEchos")])


def calls(laboratory: Laboratory) -> list[str]:
    """Give the command lines of ping."""
    return laboratory.run("cat", CALLS, check=False).output.splitlines() if exists(laboratory) else []


def exists(laboratory: Laboratory) -> bool:
    return laboratory.run("test", "-e", CALLS, check=False).status == 0


def test_the_run_asks_every_node_once_by_itself(watched: Laboratory) -> None:
    before = echoes(watched)
    done = watched.push()
    assert done.status == 0, done.output
    assert echoes(watched) - before == len(watched.nodes)
    assert calls(watched) == []


def test_options_are_for_ping(watched: Laboratory) -> None:
    before = echoes(watched)
    done = watched.push("-e", "{managed_tokens_ping_options: [-t, '9']}")
    assert done.status == 0, done.output
    assert echoes(watched) - before == len(watched.nodes)
    assert sorted(calls(watched)) == [f"-n -q -c 1 -W 3 -t 9 {node}" for node in sorted(watched.nodes)]


def test_ping_is_run_where_the_system_allows_nothing_else(watched: Laboratory) -> None:
    # That ping has no answer either is the laboratory's doing: programs have no capabilities of their own in it.
    allow(watched, "1 0")
    done = watched.push()
    assert done.status == 0, done.output
    assert sorted(calls(watched)) == [f"-n -q -c 1 -W 3 {node}" for node in sorted(watched.nodes)]
