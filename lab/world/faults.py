# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break things in a laboratory, and mend them again. Runs inside the world, as root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world import condor, nodes
from world.layout import PATHS
from world.namespaces import WorldError, enter_argv, quietly

ACTIVE = Path("/srv/lab/faults.json")
STRANGER = 12345
TABLE = "lab"
ARROW = Path(PATHS["control"])


@dataclass(frozen=True)
class Fault:
    """One kind of fault: what it does in one line, how many words it needs, how it is made and mended."""

    text: str
    words: str
    make: t.Callable[[list[str]], None]
    mend: t.Callable[[list[str]], None]

    def check(self, name: str, given: list[str]) -> None:
        needed = [word for word in self.words.split() if not word.startswith("[")]
        if not len(needed) <= len(given) <= len(self.words.split()):
            raise WorldError(f"The fault {name} is used as: fault {name} {self.words}".rstrip())


def layout() -> dict[str, t.Any]:
    plain: dict[str, t.Any] = json.loads(Path("/srv/lab/layout.json").read_text())
    return plain


def machine(name: str, kind: str = "nodes") -> dict[str, t.Any]:
    """Give a node (or credd) by its full or short name."""
    known = layout()[kind]
    for found in known:
        if name in (found["name"], found["name"].partition(".")[0]):
            return dict(found)
    raise WorldError(
        f"There is no {name!r} among the {kind}: {', '.join(item['name'].partition('.')[0] for item in known)}."
    )


def account(name: str) -> dict[str, t.Any]:
    for service in layout()["services"]:
        if service["account"] == name:
            return dict(service)
    raise WorldError(
        f"There is no account {name!r}: {', '.join(service['account'] for service in layout()['services'])}."
    )


def in_node(node: str, *argv: str) -> None:
    quietly(*enter_argv(nodes.holder_of(machine(node)["name"]), node=True), *argv)


# -- the network
# ---------------------------------------------------------------------------------------------------------


def _rule(match: str, verdict: str) -> None:
    quietly("nft", f"add table ip {TABLE}; add chain ip {TABLE} input {{ type filter hook input priority 0; }}")
    quietly("nft", f"add rule ip {TABLE} input {match} {verdict}")


def _filter(match: str, verdict: str) -> tuple[t.Callable[[list[str]], None], t.Callable[[list[str]], None]]:
    def make(words: list[str]) -> None:
        _rule(match.format(address=machine(words[0])["address"]), verdict)

    return make, _rebuild_rules


def _rebuild_rules(_words: list[str]) -> None:
    """Take all rules away and make those of the faults that stay active again."""
    subprocess.run(["nft", f"delete table ip {TABLE}"], capture_output=True, check=False)
    for name, words in active():
        if name in NETWORK:
            FAULTS[name].make(words)


def _vault_down(_words: list[str]) -> None:
    vault = layout()["vault"]
    _rule(f"ip daddr {vault['address']} tcp dport {vault['port']}", "reject with tcp reset")


# -- files
# ---------------------------------------------------------------------------------------------------------------


def _keytab_missing(words: list[str]) -> None:
    keytab = Path(account(words[0])["keytab"])
    if keytab.exists():
        keytab.rename(keytab.with_suffix(".away"))


def _keytab_back(words: list[str]) -> None:
    keytab = Path(account(words[0])["keytab"])
    if keytab.with_suffix(".away").exists():
        keytab.with_suffix(".away").rename(keytab)


def _token_files(name: str) -> tuple[str, str]:
    service = account(name)
    return f"/tmp/vt_u{service['uid']}", f"/tmp/vt_u{service['uid']}-{service['name']}"


def _foreign(words: list[str]) -> None:
    for path in _token_files(words[0]):
        in_node(
            words[1],
            "sh",
            "-c",
            f"rm -f {path}; echo stranger > {path}; chown {STRANGER}:{STRANGER} {path}; chmod 0644 {path}",
        )


def _symlink(words: list[str]) -> None:
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


# -- accounts and keys
# ---------------------------------------------------------------------------------------------------


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


# -- vault and credds
# ----------------------------------------------------------------------------------------------------


def _control(name: str, default: str = "") -> tuple[t.Callable[[list[str]], None], t.Callable[[list[str]], None]]:
    def make(words: list[str]) -> None:
        (ARROW / name).write_text(" ".join(words) or default)

    def mend(_words: list[str]) -> None:
        (ARROW / name).unlink(missing_ok=True)

    return make, mend


def _credd_down(words: list[str]) -> None:
    condor.stop_master(machine(words[0], "credds")["name"])


def _credd_up(words: list[str]) -> None:
    condor.start_master(machine(words[0], "credds")["name"])


FAULTS: dict[str, Fault] = {
    "account-refused": Fault("the account's .k5login is empty", "ACCOUNT [NODE]", _refuse, _admit),
    "credd-down": Fault("the credd's machine is gone", "CREDD", _credd_down, _credd_up),
    "destination-foreign": Fault(
        "the token files on a node belong to somebody else", "ACCOUNT NODE", _foreign, _remove_files
    ),
    "destination-symlink": Fault(
        "the token files on a node are symbolic links", "ACCOUNT NODE", _symlink, _remove_files
    ),
    "disk-full": Fault("a node's /tmp is full", "NODE", _fill, _empty),
    "host-key-changed": Fault("a node has another host key than the known one", "NODE", _other_key, _own_key),
    "keytab-missing": Fault("an account's keytab is not there", "ACCOUNT", _keytab_missing, _keytab_back),
    "node-blackholed": Fault("a node answers nothing at all", "NODE", *_filter("ip daddr {address}", "drop")),
    "oidc": Fault("the person at the browser: approve, deny, never or slow_down", "BEHAVIOUR", *_control("oidc")),
    "ping-filtered": Fault(
        "a node does not answer ping", "NODE", *_filter("ip daddr {address} icmp type echo-request", "drop")
    ),
    "refresh-token-missing": Fault(
        "vault has no refresh token for a service", "SERVICE", *_control("refresh-token-missing")
    ),
    "slow-storer": Fault("every storer run takes so many seconds longer", "SECONDS", *_control("slow-storer")),
    "ssh-closed": Fault(
        "a node's ssh port is closed", "NODE", *_filter("ip daddr {address} tcp dport 22", "reject with tcp reset")
    ),
    "vault-403": Fault("vault refuses a service, or all", "[SERVICE]", *_control("vault-403", "*")),
    "vault-down": Fault("the vault server's port is closed", "", _vault_down, _rebuild_rules),
    "vault-slow": Fault("every answer of vault takes so many seconds longer", "SECONDS", *_control("vault-slow")),
}
NETWORK = ("node-blackholed", "ping-filtered", "ssh-closed", "vault-down")


def active() -> list[tuple[str, list[str]]]:
    return [(name, list(words)) for name, words in json.loads(ACTIVE.read_text())] if ACTIVE.exists() else []


def make(name: str, words: list[str]) -> None:
    """Break one thing; what is broken already stays broken."""
    if name not in FAULTS:
        raise WorldError(f"There is no fault {name!r}: {', '.join(FAULTS)}.")
    FAULTS[name].check(name, words)
    if (name, words) in active():
        return
    FAULTS[name].make(words)
    ACTIVE.write_text(json.dumps([*active(), (name, words)]))


def heal(names: t.Sequence[str]) -> None:
    """Mend the named faults, or all of them."""
    everything = active()
    healed = [entry for entry in everything if not names or entry[0] in names]
    ACTIVE.write_text(json.dumps([entry for entry in everything if entry not in healed]))
    for name, words in healed:
        FAULTS[name].mend(words)


def main() -> int:
    """Run as `faults.py make NAME WORDS...`, `heal [NAMES...]` or `active`."""
    verb, *words = sys.argv[1:]
    try:
        if verb == "make":
            make(words[0], words[1:])
        elif verb == "heal":
            heal(words)
        else:
            for name, given in active():
                print(" ".join([name, *given]))
    except (WorldError, OSError, subprocess.SubprocessError) as err:
        print(f"lab: {err}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
