# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create the laboratory's users, names and Kerberos client configuration in its private /etc."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from world.layout import DOMAIN, REALM, SERVICE_ACCOUNT, SERVICE_UID, Layout

KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    rdns = false
    dns_canonicalize_hostname = false
    dns_lookup_kdc = false
    dns_lookup_realm = false
    udp_preference_limit = 1
    default_ccache_name = FILE:/tmp/krb5cc_%{{uid}}

[realms]
    {realm} = {{
        kdc = {kdc}
    }}

[domain_realm]
    .{domain} = {realm}
"""


def create_users(layout: Layout) -> None:
    """Add the service account and one account for each service, with homes; nobody has a password."""
    users = [(SERVICE_ACCOUNT, SERVICE_UID), *((service.account, service.uid) for service in layout.services)]
    with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group, open("/etc/shadow", "a") as shadow:
        for name, uid in users:
            passwd.write(f"{name}:x:{uid}:{uid}::/home/{name}:/bin/bash\n")
            group.write(f"{name}:x:{uid}:\n")
            shadow.write(f"{name}:*:19000:0:99999:7:::\n")
    for name, uid in users:
        home = Path("/home") / name
        home.mkdir(mode=0o755)
        os.chown(home, uid, uid)
    for service in layout.services:
        login = Path("/home") / service.account / ".k5login"
        login.write_text(f"{service.principal}\n")
        os.chown(login, service.uid, service.uid)
    runtime = Path(f"/run/user/{SERVICE_UID}")
    runtime.mkdir(mode=0o700)
    os.chown(runtime, SERVICE_UID, SERVICE_UID)


def write_names(layout: Layout) -> None:
    """Write hosts and resolver files: every name of the laboratory, and nothing beyond."""
    lines = [
        "127.0.0.1 localhost",
        *(f"{machine.address} {machine.name} {machine.name.partition('.')[0]}" for machine in layout.machines),
    ]
    Path("/etc/hosts").write_text("\n".join(lines) + "\n")
    for path in ("/etc/resolv.conf", "/etc/nsswitch.conf"):
        Path(path).unlink(missing_ok=True)
    Path("/etc/resolv.conf").write_text("")
    Path("/etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\n")


def write_krb5_conf(layout: Layout) -> None:
    Path("/etc/krb5.conf").write_text(KRB5_CONF.format(realm=REALM, domain=DOMAIN, kdc=layout.kdc.address))


def own_by_service_account(path: Path, mode: int) -> None:
    """Give a file or directory to the service account."""
    os.chown(path, SERVICE_UID, SERVICE_UID)
    os.chmod(path, mode)


def trust(authority: Path) -> None:
    """Add the laboratory's CA to the system's list."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with bundle.open("a") as file:
        file.write("\n")
        shutil.copyfileobj(authority.open(), file)
