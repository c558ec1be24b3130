# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a real PostgreSQL of Debian as the place of the state database."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from world.accounts import own_by_service_account
from world.layout import DATABASE_PORT, PATHS, SERVICE_ACCOUNT, Layout
from world.namespaces import WorldError, mount, quietly
from world.pki import DIRECTORY as PKI
from world.pki import Authority, issue_server

DIRECTORY = Path("/srv/lab/postgres")
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
USER = "postgres"
DATABASE = ROLE = "managed_tokens"
CONFIG = """\
listen_addresses = '{address}'
port = {port}
unix_socket_directories = '{directory}'
password_encryption = scram-sha-256
fsync = on
shared_buffers = 32MB
ssl = on
ssl_cert_file = '{directory}/server.crt'
ssl_key_file = '{directory}/server.key'
"""
ACCESS = f"""\
local all {USER} peer
hostssl {DATABASE} {ROLE} 127.0.0.0/8 scram-sha-256
"""


def start(layout: Layout, authority: Authority) -> None:
    """Create the database and its role, let the service account in, and return when the server answers, over TLS with a
    certificate of `authority`.

    Raises: WorldError when PostgreSQL is not installed, or does not start.
    """
    if not (PROGRAMS / "initdb").exists():
        raise WorldError("PostgreSQL 15 is not installed: run lab/install first (or do without --postgres).")
    # Shared memory below /dev/shm outlives a server that is killed; here it goes with the world.
    mount("tmpfs", "/dev/shm", "tmpfs", "mode=1777")
    DIRECTORY.mkdir(mode=0o700)
    shutil.chown(DIRECTORY, USER, USER)
    issue_server(authority, layout.database.name)
    for kind in ("crt", "key"):
        copy = shutil.copy(PKI / f"{layout.database.name}.{kind}", DIRECTORY / f"server.{kind}")
        shutil.chown(copy, USER, USER)
    data = DIRECTORY / "data"
    _as_user(f"{PROGRAMS}/initdb", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=peer", "--no-sync", "-D", str(data))
    with (data / "postgresql.conf").open("a") as file:
        file.write(CONFIG.format(address=layout.database.address, port=DATABASE_PORT, directory=DIRECTORY))
    (data / "pg_hba.conf").write_text(ACCESS)
    log = _log()
    log.touch()
    shutil.chown(log, USER, USER)
    resume()
    password = secrets.token_hex(16)
    # By stdin: nobody sees the arguments of a program with a password in them.
    statements = f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}';\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
    _as_user("psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-h", str(DIRECTORY), USER, text=statements)
    _let_in(layout.database.name, password)


def resume() -> None:
    """Start the server, and return when it answers."""
    _control("start", "--log", str(_log()))


def stop() -> None:
    """Stop the server as for maintenance: connections are closed, nothing is lost."""
    _control("stop", "--mode=fast")


def _control(verb: str, *options: str) -> None:
    if not (DIRECTORY / "data").exists():
        raise WorldError("This laboratory has no PostgreSQL; it would have been started with --postgres.")
    _as_user(f"{PROGRAMS}/pg_ctl", verb, "--silent", "--wait", "-D", str(DIRECTORY / "data"), *options)


def _let_in(host: str, password: str) -> None:
    file = Path("/home") / SERVICE_ACCOUNT / ".pgpass"
    file.touch(mode=0o600)
    own_by_service_account(file, 0o600)
    file.write_text(f"{host}:{DATABASE_PORT}:{DATABASE}:{ROLE}:{password}\n")


def _log() -> Path:
    return Path(PATHS["log"]) / "postgres.log"


def _as_user(*argv: str, text: str | None = None) -> None:
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(DIRECTORY)}
    privileges = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
    quietly("setpriv", *privileges, "--", *argv, env=env, text=text)
