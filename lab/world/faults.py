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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world import database_faults, ferry_faults, network_faults, node_faults, report_faults, site_faults
from world.fault_record import active, write_active
from world.fault_words import Fault
from world.layout import DOMAIN
from world.namespaces import WorldError, nearest

FAULTS: dict[str, Fault] = {
    "account-refused": Fault("the account's .k5login is empty", "ACCOUNT [NODE]", *node_faults.ACCOUNT_REFUSED),
    "credd-down": Fault("the credd's machine is gone", "CREDD", *site_faults.CREDD_DOWN),
    "database-down": Fault("PostgreSQL is stopped", "", *database_faults.DOWN),
    "database-garbage": Fault("text stands where the SQLite database was", "", *database_faults.GARBAGE_INSIDE),
    "database-locked": Fault(
        "another process has locked the SQLite database for so many seconds", "SECONDS", *database_faults.LOCKED
    ),
    "database-readonly": Fault(
        "the SQLite database and its directory belong to root and cannot be written", "", *database_faults.READONLY
    ),
    "destination-foreign": Fault(
        "the token files on a node belong to somebody else", "ACCOUNT NODE", *node_faults.DESTINATION_FOREIGN
    ),
    "destination-symlink": Fault(
        "the token files on a node are symbolic links", "ACCOUNT NODE", *node_faults.DESTINATION_SYMLINK
    ),
    "disk-full": Fault("a node's /tmp is full", "NODE", *node_faults.DISK_FULL),
    "ferry-429": Fault(
        "FERRY says to come back in SECONDS, to the next COUNT requests (5)",
        "SECONDS [COUNT]",
        *ferry_faults.pair("ferry-429"),
    ),
    "ferry-500": Fault("FERRY fails at the next COUNT requests, or at all", "[COUNT]", *ferry_faults.pair("ferry-500")),
    "ferry-down": Fault("FERRY's port is closed", "", *network_faults.pair("ferry-down")),
    "ferry-garbage": Fault(
        "FERRY's answers break off, for an account or for all", "[ACCOUNT]", *ferry_faults.pair("ferry-garbage")
    ),
    "ferry-inactive": Fault(
        "FERRY says that an account is not active", "ACCOUNT", *ferry_faults.pair("ferry-inactive")
    ),
    "ferry-slow": Fault("every answer of FERRY takes so many seconds", "SECONDS", *ferry_faults.pair("ferry-slow")),
    "ferry-uid": Fault("FERRY gives an account another UID, or a text", "ACCOUNT UID", *ferry_faults.pair("ferry-uid")),
    "ferry-unknown": Fault("FERRY does not know an account", "ACCOUNT", *ferry_faults.pair("ferry-unknown")),
    "host-key-changed": Fault("a node has another host key than the known one", "NODE", *node_faults.HOST_KEY_CHANGED),
    "instant-storer": Fault(
        "a storer run, and htgettoken, that finds an earlier token keeps it and asks nobody",
        "",
        *site_faults.flag("instant-storer"),
    ),
    "keytab-missing": Fault("an account's keytab is not there", "ACCOUNT", *site_faults.KEYTAB_MISSING),
    "node-blackholed": Fault("a node answers nothing at all", "NODE", *network_faults.pair("node-blackholed")),
    "oidc": Fault(
        "the person at the browser: approve, deny, never (until `approve`), slow_down or wrong-person; for all "
        "services, or for one",
        "BEHAVIOUR [SERVICE]",
        *site_faults.OIDC,
    ),
    "ping-filtered": Fault("a node does not answer ping", "NODE", *network_faults.pair("ping-filtered")),
    "refresh-token-missing": Fault(
        "vault has no refresh token for a service", "SERVICE", *site_faults.listed("refresh-token-missing")
    ),
    "slow-storer": Fault(
        "every storer run takes so many seconds longer", "SECONDS", *site_faults.word_in("slow-storer")
    ),
    "ssh-closed": Fault("a node's ssh port is closed", "NODE", *network_faults.pair("ssh-closed")),
    "ssh-reset": Fault(
        "a node's first connections (one, or COUNT) are reset", "NODE [COUNT]", *network_faults.pair("ssh-reset")
    ),
    "vault-403": Fault("vault refuses a service, or all", "[SERVICE]", *site_faults.listed("vault-403")),
    "vault-down": Fault("the vault server's port is closed", "", *network_faults.pair("vault-down")),
    "vault-slow": Fault(
        "every answer of vault takes so many seconds longer", "SECONDS", *site_faults.word_in("vault-slow")
    ),
}
# Those of the report's servers are a family of their own; people look for a name.
FAULTS = dict(sorted((FAULTS | report_faults.FAULTS).items()))


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
