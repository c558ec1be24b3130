# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break what is on the nodes: files, room, who is let in, host keys."""

from __future__ import annotations

from pathlib import Path

from world import nodes
from world.fault_targets import account, in_node, machine
from world.fault_words import Pair
from world.namespaces import quietly

STRANGER = 12345


def _token_files(name: str) -> tuple[str, str]:
    owner = account(name)
    return f"/tmp/vt_u{owner['uid']}", f"/tmp/vt_u{owner['uid']}-{owner['name']}"


def _foreign_files(words: list[str]) -> None:
    for path in _token_files(words[0]):
        in_node(
            words[1],
            "sh",
            "-c",
            f"rm -f {path}; echo stranger > {path}; chown {STRANGER}:{STRANGER} {path}; chmod 0644 {path}",
        )


def _linked_files(words: list[str]) -> None:
    for path in _token_files(words[0]):
        in_node(words[1], "sh", "-c", f"rm -f {path}; ln -s /etc/passwd {path}")


def _remove_files(words: list[str]) -> None:
    in_node(words[1], "rm", "-f", *_token_files(words[0]))


def _fill(words: list[str]) -> None:
    in_node(
        words[0],
        "sh",
        "-c",
        "for size in 64k 1; do dd if=/dev/zero of=/tmp/full$size bs=$size count=8192 2> /dev/null; done; true",
    )


def _empty(words: list[str]) -> None:
    in_node(words[0], "rm", "-f", "/tmp/full64k", "/tmp/full1")


def _refuse(words: list[str]) -> None:
    """Let the account's .k5login be an empty file, on all nodes or on one (in that node's own mounts)."""
    account(words[0])
    for name in words[1:] or nodes.node_names():
        in_node(name, "mount", "--bind", "/dev/null", f"/home/{words[0]}/.k5login")


def _admit(words: list[str]) -> None:
    for name in words[1:] or nodes.node_names():
        in_node(name, "umount", f"/home/{words[0]}/.k5login")


def _other_key(words: list[str]) -> None:
    name = machine(words[0])["name"]
    other = nodes.directory_of(name) / "other_key"
    if not other.exists():
        quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other))
    _restart_sshd(name, other)


def _own_key(words: list[str]) -> None:
    _restart_sshd(machine(words[0])["name"], None)


def _restart_sshd(name: str, key: Path | None) -> None:
    nodes.stop_sshd(name)
    config = nodes.directory_of(name) / "sshd_config"
    own = nodes.directory_of(name) / "host_key"
    lines = [
        f"HostKey {key or own}" if line.startswith("HostKey ") else line for line in config.read_text().splitlines()
    ]
    config.write_text("\n".join(lines) + "\n")
    nodes.start_sshd(name)


ACCOUNT_REFUSED: Pair = (_refuse, _admit)
DESTINATION_FOREIGN: Pair = (_foreign_files, _remove_files)
DESTINATION_SYMLINK: Pair = (_linked_files, _remove_files)
DISK_FULL: Pair = (_fill, _empty)
HOST_KEY_CHANGED: Pair = (_other_key, _own_key)
