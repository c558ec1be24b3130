# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a real MIT KDC with all principals of the laboratory, and write their keytabs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from world.accounts import own_by_service_account
from world.layout import PATHS, REALM, Layout
from world.namespaces import quietly

DIRECTORY = Path("/srv/lab/kdc")
KDC_CONF = """\
[kdcdefaults]
    kdc_listen = {address}:88
    kdc_tcp_listen = {address}:88
    kdc_tcp_listen_backlog = 128

[realms]
    {realm} = {{
        database_name = {directory}/principal
        key_stash_file = {directory}/stash
        acl_file = {directory}/acl
        max_life = 24h
        supported_enctypes = aes256-cts:normal
    }}

[logging]
    kdc = FILE:{log}/kdc.log
"""


def start(layout: Layout) -> subprocess.Popen[bytes]:
    """Create the database, all principals and keytabs, and give the running KDC."""
    DIRECTORY.mkdir(mode=0o700)
    conf = DIRECTORY / "kdc.conf"
    conf.write_text(KDC_CONF.format(address=layout.kdc.address, realm=REALM, directory=DIRECTORY, log=PATHS["log"]))
    env = {**os.environ, "KRB5_KDC_PROFILE": str(conf)}
    quietly("kdb5_util", "create", "-s", "-r", REALM, "-P", "laboratory", env=env)
    hosts = [layout.vault, layout.collector, *layout.credds, layout.token_host, *layout.nodes]
    commands: list[str] = []
    for machine in hosts:
        principal = f"host/{machine.name}@{REALM}"
        commands += [
            f"addprinc -randkey {principal}",
            f"ktadd -norandkey -k {PATHS['host_keytabs']}/{machine.name}.keytab {principal}",
        ]
    for service in layout.services:
        commands += [
            f"addprinc -randkey {service.principal}",
            f"ktadd -norandkey -k {service.keytab} {service.principal}",
        ]
    quietly("kadmin.local", "-r", REALM, env=env, text="\n".join(commands) + "\n")
    for service in layout.services:
        own_by_service_account(Path(service.keytab), 0o400)
    return subprocess.Popen(
        ["krb5kdc", "-n", "-r", REALM],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
