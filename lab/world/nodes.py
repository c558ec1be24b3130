# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one real ssh server for each node: own address, host key, host keytab, host name and /tmp."""

from __future__ import annotations

import json
import os
import subprocess
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from world.layout import PATHS, Layout, Machine
from world.namespaces import WorldError, enter_argv, quietly

DIRECTORY = Path("/srv/lab/nodes")
SSHD = "/usr/sbin/sshd"
START_WITHIN_S = 10.0
SSHD_CONFIG = """\
Port 22
ListenAddress {address}
HostKey {key}
PidFile none
UsePAM no
UseDNS no
LogLevel INFO
GSSAPIAuthentication yes
GSSAPICleanupCredentials yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowAgentForwarding no
MaxStartups 200:30:400
Subsystem sftp internal-sftp
"""
# Whoever starts a node, maybe with its output in a pipe, must not be waited for until the node ends.
DETACHED: dict[str, t.Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
    "start_new_session": True,
}
# Inside the node's own mounts: its own /tmp (small, so that it can be filled) and replay caches.
FURNISH = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=1777,size=8m tmpfs /tmp
mount -t tmpfs -o mode=1777,size=8m tmpfs /var/tmp
hostname {name}
exec sleep infinity
"""


def directory_of(name: str) -> Path:
    return DIRECTORY / name


def holder_of(name: str) -> int:
    """Give the PID (inside the world) of the process that holds a node's namespaces."""
    return int((directory_of(name) / "holder.pid").read_text())


def start_all(layout: Layout) -> None:
    """Start every node, and write the known_hosts file that lists all their keys."""
    DIRECTORY.mkdir()
    with ThreadPoolExecutor(max_workers=4) as pool:
        keys = list(pool.map(_prepare, layout.nodes))
    Path(PATHS["known_hosts"]).write_text(
        "".join(f"{node.name},{node.address} {key}\n" for node, key in zip(layout.nodes, keys, strict=True))
    )
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda node: _hold(node.name), layout.nodes))
        list(pool.map(lambda node: start_sshd(node.name), layout.nodes))


def _prepare(node: Machine) -> str:
    directory = directory_of(node.name)
    directory.mkdir()
    key = directory / "host_key"
    quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", node.name, "-f", str(key))
    (directory / "sshd_config").write_text(SSHD_CONFIG.format(address=node.address, key=key))
    return key.with_suffix(".pub").read_text().rpartition(" ")[0]


def _hold(name: str) -> None:
    child = subprocess.Popen(["unshare", "--mount", "--uts", "sh", "-c", FURNISH.format(name=name)], **DETACHED)
    (directory_of(name) / "holder.pid").write_text(str(child.pid))
    # sh has become sleep once the node is furnished.
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        if Path(f"/proc/{child.pid}/comm").read_text().strip() == "sleep":
            return
        time.sleep(0.005)
    raise WorldError(f"The mounts and host name of the node {name} cannot be set up.")


def start_sshd(name: str) -> None:
    """Start the ssh server of a node, and return when it listens.

    Raises: WorldError when it does not.
    """
    env = {"PATH": os.environ["PATH"], "KRB5_KTNAME": f"FILE:{PATHS['host_keytabs']}/{name}.keytab"}
    directory = directory_of(name)
    log = Path(PATHS["log"]) / f"sshd-{name}.log"
    words = [*enter_argv(holder_of(name), node=True), SSHD, "-D", "-f", str(directory / "sshd_config"), "-E", str(log)]
    # Made before the server can create it readable by root alone: the service account counts connections in it.
    log.touch(mode=0o644)
    log.chmod(0o644)
    before = log.stat().st_size
    child = subprocess.Popen(words, env=env, **DETACHED)
    (directory / "sshd.pid").write_text(str(child.pid))
    _wait_until_listening(name, log, before, child)


def _wait_until_listening(name: str, log: Path, before: int, child: subprocess.Popen[bytes]) -> None:
    """Wait until the log, from its size `before` on, says so: a probe of the port would be counted as a connection.

    Raises: WorldError when the server ends instead, or takes far too long.
    """
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        words = log.read_bytes()[before:].decode(errors="replace")
        if "Server listening on" in words:
            return
        if child.poll() is not None:
            raise WorldError(f"The ssh server of {name} ended at once; its last words: {words.strip()[-200:]!r}.")
        time.sleep(0.005)
    raise WorldError(f"The ssh server of {name} does not listen after {START_WITHIN_S:g} s; see {log} inside.")


def stop_sshd(name: str) -> None:
    """End the ssh server of a node; connections that it serves go on."""
    pid = int((directory_of(name) / "sshd.pid").read_text())
    try:
        os.kill(pid, 15)
    except ProcessLookupError:
        return
    # Its parent is the world's first process, which reaps it; only then is the port free for sure.
    deadline = time.monotonic() + START_WITHIN_S
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            raise WorldError(f"The ssh server of {name} does not end.")
        time.sleep(0.005)


def node_names() -> list[str]:
    return [node["name"] for node in json.loads(Path("/srv/lab/layout.json").read_text())["nodes"]]
