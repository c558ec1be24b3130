# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do for a new experiment what a site's other teams do: account, principal, keytab, entries in vault and registry.

What is left is the operator's part, docs/onboarding.md. Runs inside the world, as root.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
import typing as t
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from world.accounts import own_by_service_account
from world.kdc import DIRECTORY
from world.layout import PATHS, REALM, TOKEN_HOST, Service
from world.namespaces import WorldError, quietly

# Beside the accounts of any layout.
FIRST_UID = 59_000
FILE = Path(PATHS["control"]) / "newcomers.json"


def newcomers() -> list[dict[str, t.Any]]:
    """Give the services that have come since the laboratory was started, as layout.json has the others."""
    return json.loads(FILE.read_text()) if FILE.exists() else []


def welcome(experiment: str) -> Service:
    """Give the service <experiment>_production, known to everybody but the operator.

    Raises: WorldError when its account exists already.
    """
    account = f"{experiment}pro"
    if not experiment.isalnum() or not experiment.islower():
        raise WorldError(f"An experiment cannot be named {experiment!r} here: use small letters and digits.")
    if any(entry.pw_name == account for entry in pwd.getpwall()):
        raise WorldError(f"The account {account} exists already.")
    credkey = f"{account}/managed-tokens/{TOKEN_HOST}"
    service = Service(
        name=f"{experiment}_production",
        experiment=experiment,
        role="production",
        account=account,
        uid=FIRST_UID + len(newcomers()),
        principal=f"{credkey}@{REALM}",
        credkey=credkey,
        keytab=f"{PATHS['keytabs']}/{account}.keytab",
    )
    _add_account(service)
    _add_principal(service)
    temporary = FILE.with_suffix(".new")
    temporary.write_text(json.dumps([*newcomers(), asdict(service)]))
    temporary.replace(FILE)
    return service


def _add_account(service: Service) -> None:
    # The nodes have the same files.
    for path, line in (
        ("/etc/passwd", f"{service.account}:x:{service.uid}:{service.uid}::/home/{service.account}:/bin/bash\n"),
        ("/etc/group", f"{service.account}:x:{service.uid}:\n"),
        ("/etc/shadow", f"{service.account}:*:19000:0:99999:7:::\n"),
    ):
        with open(path, "a") as file:
            file.write(line)
    home = Path("/home") / service.account
    home.mkdir(mode=0o755)
    (home / ".k5login").write_text(f"{service.principal}\n")
    for there in (home, home / ".k5login"):
        os.chown(there, service.uid, service.uid)


def _add_principal(service: Service) -> None:
    env = {**os.environ, "KRB5_KDC_PROFILE": str(DIRECTORY / "kdc.conf")}
    commands = f"addprinc -randkey {service.principal}\nktadd -norandkey -k {service.keytab} {service.principal}\n"
    quietly("kadmin.local", "-r", REALM, env=env, text=commands)
    own_by_service_account(Path(service.keytab), 0o400)


if __name__ == "__main__":
    os.umask(0o022)
    try:
        found = welcome(sys.argv[1])
    except WorldError as err:
        sys.exit(f"lab: {err}")
    print(f"  {found.name}: account {found.account} (UID {found.uid}) on all nodes, keytab {found.keytab}")
