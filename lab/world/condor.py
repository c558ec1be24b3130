# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a real HTCondor pool out of the cached tree: a collector, and machines with schedd, credd and vault credmon."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from world.condor_config import CLIENT, COMMON, MAPFILE, SERVER
from world.layout import DOMAIN, PATHS, REALM, Layout, Machine
from world.namespaces import WorldError, mount, quietly
from world.registry import CACHE

DIRECTORY = Path("/srv/lab/condor")
CLIENT_CONFIG = DIRECTORY / "client.conf"
CREDMON = Path("/srv/ansible/ansible_collections/fife/managed_tokens/lab/world/run_credmon.py")
READY_WITHIN_S = 25.0
GONE_WITHIN_S = 5.0


def tree() -> Path:
    return CACHE / "condor"


def start(layout: Layout) -> None:
    """Configure and start the pool; return when every credd is advertised and has its credmon.

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
    _wait_until_ready([credd.name for credd in layout.credds])


def home_of(name: str) -> Path:
    return DIRECTORY / name.partition(".")[0]


def _prepare_tree() -> None:
    """Furnish the tree for this world; the cached files are shared with other laboratories and stay as they are."""
    root = tree()
    mount(str(root), root)
    quietly("mount", "-o", "remount,bind,ro", str(root))
    for directory in ("proc", "dev", "srv", "etc", "tmp", "run", "home"):
        subprocess.run(["mount", "--rbind", f"/{directory}", str(root / directory)], check=True)
    with open("/etc/passwd", "a") as passwd, open("/etc/group", "a") as group, open("/etc/shadow", "a") as shadow:
        if not any(line.startswith("condor:") for line in Path("/etc/passwd").read_text().splitlines()):
            passwd.write("condor:x:49999:49999::/var/lib/condor:/usr/sbin/nologin\n")
            group.write("condor:x:49999:\n")
            shadow.write("condor:*:19000:0:99999:7:::\n")
    for directory in ("var/lib/condor", "root"):
        mount("tmpfs", root / directory, "tmpfs", "mode=0755")


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
        credmon=CREDMON,
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
    """End one machine's master and all its daemons at once, as a crash would, and return when they are gone.

    Raises: WorldError when they do not go.
    """
    doomed = [int((home_of(name) / "master.pid").read_text())]
    # Each is stopped first, so that none starts anew what dies, until no more of them turn up.
    _signal(doomed, signal.SIGSTOP)
    while found := [pid for pid in _descendants(doomed[0]) if pid not in doomed]:
        _signal(found, signal.SIGSTOP)
        doomed += found
    _signal(doomed, signal.SIGKILL)
    deadline = time.monotonic() + GONE_WITHIN_S
    while any(Path(f"/proc/{pid}").exists() for pid in doomed):
        if time.monotonic() > deadline:
            raise WorldError(f"HTCondor's daemons of {name} do not end.")
        time.sleep(0.01)
    for mark in _credmon_marks(name):
        mark.unlink(missing_ok=True)


def _credmon_marks(name: str) -> tuple[Path, Path]:
    """Give the files by which a credmon says who it is and that it has looked around."""
    return home_of(name) / "oauth/pid", home_of(name) / "oauth/CREDMON_COMPLETE"


def _signal(pids: t.Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _descendants(ancestor: int) -> list[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        pid, parent = map(int, line.split())
        children.setdefault(parent, []).append(pid)
    found = list(children.get(ancestor, []))
    for pid in found:
        found += children.get(pid, [])
    return found


def restart(name: str) -> None:
    """Start a machine's master again; return when the collector knows its new credd, not just the old one, and it has a
    credmon."""
    # The old one may have started within this very second, and starts are told apart by the second.
    since = int(time.time()) + 1
    time.sleep(max(0.0, since - time.time()))
    start_master(name)
    _wait_until_ready([name], since)


def _wait_until_ready(names: t.Sequence[str], since: int = 0) -> None:
    """Wait for daemons started at `since` (seconds since the epoch) or later.

    Raises: WorldError naming what is not there in time.
    """
    wanted = {f"{kind} {name}" for kind in ("CredD", "Scheduler") for name in names}
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        advertised, words = _advertised(since)
        missing = [
            *sorted(wanted - advertised),
            *(f"credmon of {name}" for name in names if not all(mark.exists() for mark in _credmon_marks(name))),
        ]
        if not missing:
            return
        time.sleep(0.1)
    raise WorldError(
        f"Not ready within {READY_WITHIN_S:g} s: {', '.join(missing)}; the collector said: {words[-300:]!r}."
    )


def _advertised(since: int) -> tuple[set[str], str]:
    """Give the daemons started at `since` or later that the collector knows, and its own words."""
    done = subprocess.run(
        [f"{PATHS['bin']}/condor_status", "-any", "-autoformat", "MyType", "Name", "DaemonStartTime"],
        env={"PATH": "/usr/bin:/bin", "CONDOR_CONFIG": str(CLIENT_CONFIG)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    lines = [line.rpartition(" ") for line in done.stdout.splitlines()]
    found = {known for known, _space, started in lines if started.isdigit() and int(started) >= since}
    return found, (done.stdout + done.stderr).strip()


def write_wrappers() -> None:
    """Write the client programs: the tree's real ones, run by the tree's own loader, so that any user can run them."""
    root = tree()
    libraries = ":".join(f"{root}/usr/{path}" for path in ("lib", "lib/x86_64-linux-gnu", "lib/condor"))
    loader = f"{root}/lib64/ld-linux-x86-64.so.2 --library-path {libraries}"
    for name, directory in (("condor_store_cred", "sbin"), ("condor_status", "bin"), ("condor_config_val", "bin")):
        _write(name, f'exec {loader} {root}/usr/{directory}/{name} "$@"\n')
    storer = f'{SLOW}{STORER_KEEPS}{INSTANT}LAB_STORER=1 exec bash {root}/usr/bin/condor_vault_storer "$@"\n'
    _write("condor_vault_storer", storer)


SLOW = f"""\
delay=$(cat {PATHS["control"]}/slow-storer 2> /dev/null)
[ -z "$delay" ] || [ -n "$LAB_STORER" ] || sleep "$delay"
"""


# Where the program finds an earlier token and leaves the new one.
STORER_KEEPS = """\
for service; do :; done
kept=/tmp/vt_${CONDOR_VAULT_STORER_ID:-u$(id -u)}-$service
"""
HTGETTOKEN_KEEPS = """\
kept= before=
for word; do
    [ "$before" != --vaulttokenfile ] || kept=$word
    case $word in --vaulttokenfile=*) kept=${word#*=} ;; esac
    before=$word
done
"""
INSTANT = f"""\
[ ! -e {PATHS["control"]}/instant-storer ] || [ -n "$LAB_STORER" ] || [ ! -s "$kept" ] || exit 0
"""


def write_htgettoken(venv: Path) -> None:
    """Write the wrapper of the real htgettoken."""
    _write("htgettoken", f'{SLOW}{HTGETTOKEN_KEEPS}{INSTANT}exec {venv}/bin/htgettoken "$@"\n')


def _write(name: str, body: str) -> None:
    path = Path(PATHS["bin"]) / name
    path.write_text(f"#!/bin/sh\n{body}")
    path.chmod(0o755)
