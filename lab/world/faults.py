# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break things in a laboratory, and mend them again. Runs inside the world, as root."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world import condor, network_faults, nodes
from world.fault_record import active, write_active
from world.fault_targets import account, in_node, machine, service
from world.layout import DOMAIN, PATHS
from world.namespaces import WorldError, nearest, quietly

STRANGER = 12345
CONTROL = Path(PATHS["control"])


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


# -- files ---------------------------------------------------------


def _keytab_missing(words: list[str]) -> None:
    keytab = Path(account(words[0])["keytab"])
    if keytab.exists():
        keytab.rename(keytab.with_suffix(".away"))


def _keytab_back(words: list[str]) -> None:
    keytab = Path(account(words[0])["keytab"])
    if keytab.with_suffix(".away").exists():
        keytab.with_suffix(".away").rename(keytab)


def _token_files(name: str) -> tuple[str, str]:
    owner = account(name)
    return f"/tmp/vt_u{owner['uid']}", f"/tmp/vt_u{owner['uid']}-{owner['name']}"


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


# -- accounts and keys ---------------------------------------------------------


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


# -- vault and credds ---------------------------------------------------------


def _listed(name: str) -> tuple[t.Callable[[list[str]], None], t.Callable[[list[str]], None]]:
    """Give what adds a service ("*", all, when none is named) to a control file, and what takes it out again."""
    path = CONTROL / name

    def change(words: list[str], *, is_broken: bool) -> None:
        wanted = set(words or ["*"])
        listed = set(path.read_text().split()) if path.exists() else set()
        path.write_text(" ".join(sorted(listed | wanted if is_broken else listed - wanted)))

    def make(words: list[str]) -> None:
        for word in words:
            service(word)
        change(words, is_broken=True)

    return make, lambda words: change(words, is_broken=False)


def _set(
    name: str, allowed: tuple[str, ...] = ()
) -> tuple[t.Callable[[list[str]], None], t.Callable[[list[str]], None]]:
    """Give what writes a word into a control file (seconds, if no words are `allowed` by name), and what removes it."""

    def make(words: list[str]) -> None:
        if allowed and words[0] not in allowed:
            raise WorldError(f"{name} cannot be {words[0]!r}: {', '.join(allowed)}.")
        if not allowed and not words[0].replace(".", "", 1).isdigit():
            raise WorldError(f"{name} needs a number of seconds, not {words[0]!r}.")
        (CONTROL / name).write_text(words[0])

    def mend(_words: list[str]) -> None:
        (CONTROL / name).unlink(missing_ok=True)
        for other, words in active():
            if other == name:
                make(words)

    return make, mend


def _credd_down(words: list[str]) -> None:
    condor.stop_master(machine(words[0], "credds")["name"])


def _credd_up(words: list[str]) -> None:
    condor.restart(machine(words[0], "credds")["name"])


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
    "node-blackholed": Fault("a node answers nothing at all", "NODE", *network_faults.pair("node-blackholed")),
    "oidc": Fault(
        "the person at the browser: approve, deny, never or slow_down",
        "BEHAVIOUR",
        *_set("oidc", ("approve", "deny", "never", "slow_down")),
    ),
    "ping-filtered": Fault("a node does not answer ping", "NODE", *network_faults.pair("ping-filtered")),
    "refresh-token-missing": Fault(
        "vault has no refresh token for a service", "SERVICE", *_listed("refresh-token-missing")
    ),
    "slow-storer": Fault("every storer run takes so many seconds longer", "SECONDS", *_set("slow-storer")),
    "ssh-closed": Fault("a node's ssh port is closed", "NODE", *network_faults.pair("ssh-closed")),
    "ssh-reset": Fault(
        "a node's first connections (one, or COUNT) are reset", "NODE [COUNT]", *network_faults.pair("ssh-reset")
    ),
    "vault-403": Fault("vault refuses a service, or all", "[SERVICE]", *_listed("vault-403")),
    "vault-down": Fault("the vault server's port is closed", "", *network_faults.pair("vault-down")),
    "vault-slow": Fault("every answer of vault takes so many seconds longer", "SECONDS", *_set("vault-slow")),
}


def make(name: str, words: list[str]) -> None:
    """Break one thing; what is broken already stays broken."""
    if name not in FAULTS:
        raise WorldError(f"There is no fault {name!r}" + nearest(name, FAULTS))
    FAULTS[name].check(name, words)
    # A machine has two names, and is one thing.
    words = [word.removesuffix(f".{DOMAIN}") for word in words]
    if (name, words) in active():
        return
    FAULTS[name].make(words)
    write_active([*active(), (name, words)])


def heal(names: t.Sequence[str]) -> None:
    """Mend the named faults, or all of them; one that cannot be mended stays listed and does not stop the others.

    Raises: WorldError for an unknown name, and for what could not be mended.
    """
    for name in names:
        if name not in FAULTS:
            raise WorldError(f"There is no fault {name!r}" + nearest(name, FAULTS))
    failed: list[str] = []
    for name, words in [entry for entry in active() if not names or entry[0] in names]:
        write_active([entry for entry in active() if entry != (name, words)])
        try:
            FAULTS[name].mend(words)
        except (WorldError, OSError, subprocess.SubprocessError) as err:
            write_active([*active(), (name, words)])
            failed.append(f"{' '.join([name, *words])} ({err})")
    if failed:
        raise WorldError(f"Could not mend {'; '.join(failed)}.")


def main() -> int:
    """Run as `faults.py make NAME WORDS...`, `heal [NAMES...]` or `active`."""
    verb, *words = sys.argv[1:]
    lock = open("/srv/lab/faults.lock", "w")  # noqa: SIM115 - held to the end
    fcntl.flock(lock, fcntl.LOCK_EX)
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
