# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a real HTCondor pool out of the cached Debian tree: a collector, and two machines with schedd, credd and vault
credmon."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t
from pathlib import Path

from world.layout import DOMAIN, PATHS, REALM, Layout, Machine
from world.namespaces import WorldError, mount

DIRECTORY = Path("/srv/lab/condor")
CLIENT_CONFIG = DIRECTORY / "client.conf"
ADVERTISED_WITHIN_S = 25.0

COMMON = """\
RELEASE_DIR = /usr
SBIN = /usr/sbin
LIB = /usr/lib/condor
LIBEXEC = /usr/libexec/condor
LOCAL_CONFIG_FILE =
REQUIRE_LOCAL_CONFIG_FILE = False
CONDOR_HOST = {collector}
COLLECTOR_HOST = {collector}
UID_DOMAIN = {domain}
ENABLE_IPV6 = False
ENABLE_KERNEL_TUNING = False
SEC_USE_FAMILY_SESSION = False
SEC_DEFAULT_AUTHENTICATION = REQUIRED
SEC_DEFAULT_ENCRYPTION = REQUIRED
SEC_DEFAULT_INTEGRITY = REQUIRED
CERTIFICATE_MAPFILE = {directory}/mapfile
KERBEROS_SERVER_SERVICE = host
"""

SERVER = """\
LOCAL_DIR = {home}
LOG = {home}/log
SPOOL = {home}/spool
EXECUTE = {home}/execute
LOCK = {home}/lock
RUN = {home}/run
DAEMON_LIST = MASTER {daemons}
NETWORK_HOSTNAME = {name}
FULL_HOSTNAME = {name}
NETWORK_INTERFACE = {address}
BIND_ALL_INTERFACES = False
SCHEDD_NAME = {name}
CREDD_HOST = {name}
SEC_DEFAULT_AUTHENTICATION_METHODS = KERBEROS, FS
SEC_CREDD_WRITE_AUTHENTICATION_METHODS = KERBEROS, FS
SEC_CLIENT_AUTHENTICATION_METHODS = KERBEROS, FS
SEC_READ_AUTHENTICATION = OPTIONAL
SEC_READ_ENCRYPTION = OPTIONAL
SEC_READ_INTEGRITY = OPTIONAL
KERBEROS_SERVER_KEYTAB = {host_keytabs}/{name}.keytab
ALLOW_READ = *
ALLOW_WRITE = *
ALLOW_DAEMON = *
ALLOW_ADMINISTRATOR = root@*, condor@*
ALLOW_NEGOTIATOR = *
SEC_CREDENTIAL_DIRECTORY_OAUTH = {home}/oauth
TRUST_CREDENTIAL_DIRECTORY = True
CREDMON_OAUTH = /usr/sbin/condor_credmon_vault
CREDMON_OAUTH_LOG = {home}/log/CredMonOAuthLog
SEC_CREDENTIAL_STORER = /usr/bin/condor_vault_storer
AUTH_SSL_CLIENT_CAFILE = {pki}/ca.pem
UPDATE_INTERVAL = 5
MASTER_UPDATE_INTERVAL = 5
MAX_DEFAULT_LOG = 1 Mb
"""

CLIENT = """\
SEC_CLIENT_AUTHENTICATION_METHODS = KERBEROS
SEC_CLIENT_AUTHENTICATION = OPTIONAL
SEC_CLIENT_ENCRYPTION = OPTIONAL
SEC_CLIENT_INTEGRITY = OPTIONAL
SEC_CREDENTIAL_GETTOKEN_OPTS = -a {vault}
TOOL_LOG = /dev/null
"""

MAPFILE = r"""KERBEROS /^host\/[^@]*@{realm}$/ condor@{domain}
KERBEROS /^([^@\/]+)(\/[^@]*)?@{realm}$/ \1@{domain}
FS (.*) \1
"""


def tree() -> Path:
    return Path(os.environ.get("MANAGED_TOKENS_CACHE") or "/var/cache/managed-tokens-lab") / "condor"


def start(layout: Layout) -> None:
    """Configure and start the pool; return when every credd is advertised in the collector.

    Raises: WorldError when that does not happen in time.
    """
    if not (tree() / ".complete").exists():
        raise WorldError("There is no HTCondor tree in the cache: run lab/install condor first (or use --light).")
    _prepare_tree()
    DIRECTORY.mkdir()
    (DIRECTORY / "mapfile").write_text(MAPFILE.format(realm=REALM.replace(".", r"\."), domain=DOMAIN))
    common = COMMON.format(collector=layout.collector.name, domain=DOMAIN, directory=DIRECTORY)
    CLIENT_CONFIG.write_text(common + CLIENT.format(vault=layout.vault.name))
    _configure(common, layout.collector, "COLLECTOR")
    for credd in layout.credds:
        _configure(common, credd, "SCHEDD CREDD CREDMON_OAUTH")
    for machine in (layout.collector, *layout.credds):
        start_master(machine.name)
    _wait_until_advertised([credd.name for credd in layout.credds])


def home_of(name: str) -> Path:
    return DIRECTORY / name.partition(".")[0]


def _prepare_tree() -> None:
    root = tree()
    for directory in ("proc", "dev", "srv", "etc", "tmp", "run", "home"):
        subprocess.run(["mount", "--rbind", f"/{directory}", str(root / directory)], check=True)
    with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group, open("/etc/shadow", "a") as shadow:
        if not any(line.startswith("condor:") for line in Path("/etc/passwd").read_text().splitlines()):
            passwd.write("condor:x:49999:49999::/var/lib/condor:/usr/sbin/nologin\n")
            group.write("condor:x:49999:\n")
            shadow.write("condor:*:19000:0:99999:7:::\n")
    mount("tmpfs", root / "var/lib/condor", "tmpfs", "mode=0755")


def _configure(common: str, machine: Machine, daemons: str) -> None:
    home = home_of(machine.name)
    for name, mode, owner in (
        ("log", 0o755, 49999),
        ("spool", 0o755, 49999),
        ("execute", 0o755, 49999),
        ("lock", 0o755, 49999),
        ("run", 0o755, 49999),
        ("oauth", 0o2770, 0),
    ):
        directory = home / name
        directory.mkdir(parents=True)
        os.chown(directory, owner, 49999)
        directory.chmod(mode)
    own = SERVER.format(
        home=home,
        daemons=daemons,
        name=machine.name,
        address=machine.address,
        host_keytabs=PATHS["host_keytabs"],
        pki=PATHS["pki"],
    )
    (home / "condor_config").write_text(common + own)


def start_master(name: str) -> None:
    """Start the master of one machine of the pool."""
    home = home_of(name)
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONDOR_CONFIG": str(home / "condor_config"), "LC_ALL": "C.UTF-8"}
    child = subprocess.Popen(
        ["chroot", str(tree()), "/usr/sbin/condor_master", "-f"],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (home / "master.pid").write_text(str(child.pid))


def stop_master(name: str) -> None:
    """End one machine's master and all its daemons at once, as a crash would."""
    pid = int((home_of(name) / "master.pid").read_text())
    members = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    children: dict[int, list[int]] = {}
    for line in filter(None, members):
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    doomed = [pid]
    for parent in doomed:
        doomed += children.get(parent, [])
    for victim in doomed:
        try:
            os.kill(victim, 9)
        except ProcessLookupError:
            continue


def _wait_until_advertised(names: t.Sequence[str]) -> None:
    deadline = time.monotonic() + ADVERTISED_WITHIN_S
    found = ""
    while time.monotonic() < deadline:
        done = subprocess.run(
            [f"{PATHS['bin']}/condor_status", "-any", "-autoformat", "MyType", "Name"],
            env={"PATH": "/usr/bin:/bin", "CONDOR_CONFIG": str(CLIENT_CONFIG)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        found = done.stdout + done.stderr
        if all(f"CredD {name}" in found and f"Scheduler {name}" in found for name in names):
            return
        time.sleep(0.2)
    raise WorldError(
        f"The credds were not advertised within {ADVERTISED_WITHIN_S:g} s; "
        f"the collector said: {found.strip()[-300:]!r}."
    )


def write_wrappers() -> None:
    """Write the client programs: real ones out of the tree, run by the tree's own loader, so that any user can run
    them."""
    root = tree()
    libraries = ":".join(f"{root}/usr/{path}" for path in ("lib", "lib/x86_64-linux-gnu", "lib/condor"))
    loader = f"{root}/lib64/ld-linux-x86-64.so.2 --library-path {libraries}"
    for name, directory in (("condor_store_cred", "sbin"), ("condor_status", "bin"), ("condor_config_val", "bin")):
        _write(name, f'exec {loader} {root}/usr/{directory}/{name} "$@"\n')
    storer = f'{SLOW}LAB_STORER=1 exec bash {root}/usr/bin/condor_vault_storer "$@"\n'
    _write("condor_vault_storer", storer)


SLOW = f"""\
delay=$(cat {PATHS["control"]}/slow-storer 2> /dev/null)
[ -z "$delay" ] || [ -n "$LAB_STORER" ] || sleep "$delay"
"""


def write_htgettoken(venv: Path) -> None:
    """Write the wrapper of the real htgettoken."""
    _write("htgettoken", f'{SLOW}exec {venv}/bin/htgettoken "$@"\n')


def _write(name: str, body: str) -> None:
    path = Path(PATHS["bin"]) / name
    path.write_text(f"#!/bin/sh\n{body}")
    path.chmod(0o755)
