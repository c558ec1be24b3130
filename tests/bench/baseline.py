# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do once what the Go service does in a run, in its order and with its concurrency; print how it went as JSON.

Runs inside the laboratory, as the service account. Tickets of all services at once (kinit, klist); the storer strictly
one after another over services and credds; one ping for each (service, node), all at once; then for each three
`rsync -e ssh`, all at once, each ended after 30 s. Its limit for a whole run is not applied. This program itself does
next to nothing: it spawns and waits, and says what CPU that took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from spawning import Crowd, Job

KERBEROS_S, STORER_S, PING_S, PUSH_S = 20.0, 60.0, 10.0, 30.0
SSH_OPTIONS = (
    *("ConnectTimeout=30", "ServerAliveCountMax=1", "ServerAliveInterval=30"),
    *("GSSAPIAuthentication=yes", "PreferredAuthentications=gssapi-with-mic", "StrictHostKeyChecking=yes"),
)
RSYNC_OPTIONS = ("--perms", "--chmod=u=r,go=")


class Baseline:
    """One run; `work` is its private directory, `tokens` keeps the tokens between runs."""

    def __init__(self, layout: t.Mapping[str, t.Any], work: Path, tokens: Path, kex: str, credds: int) -> None:
        self.layout, self.work, self.tokens = layout, work, tokens
        self.services: list[dict[str, t.Any]] = list(layout["services"])
        self.credds = [""] if layout["is_light"] else self._find_credds()[:credds]
        options = [*SSH_OPTIONS, f"UserKnownHostsFile={layout['paths']['known_hosts']}"]
        if kex:
            options.append(f"KexAlgorithms={kex}")
        self.ssh = " ".join([_program("ssh"), *(f"-o {option}" for option in options)])

    def _find_credds(self) -> list[str]:
        pool = self.layout["collector"]["name"]
        argv = [_program("condor_status"), "-pool", pool, "-schedd", "-long"]
        listed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        return sorted(line.partition("=")[2].strip(' "') for line in listed.splitlines() if line.startswith("Name ="))

    def environment(self, service: t.Mapping[str, t.Any]) -> dict[str, str]:
        return {**os.environ, "KRB5CCNAME": f"FILE:{self.work}/krb5cc_{service['name']}"}

    def tickets(self) -> int:
        """Take all tickets at once, and look at each; give how many services have none."""
        crowd = Crowd(KERBEROS_S)
        for service in self.services:
            take = [_program("kinit"), "-k", "-t", service["keytab"], service["principal"]]
            crowd.start(Job(take, self.environment(service), then=Job([_program("klist")], self.environment(service))))
        return crowd.wait()

    def store(self) -> int:
        """Store all tokens, one after another; give how many stores failed."""
        return sum(not self._store(service, credd) for service in self.services for credd in self.credds)

    def kept(self, service: t.Mapping[str, t.Any], credd: str) -> Path:
        return self.tokens / f"vt_u{os.getuid()}-{f'{credd}-' if credd else ''}{service['name']}"

    def _store(self, service: t.Mapping[str, t.Any], credd: str) -> bool:
        name, vault = service["name"], self.layout["vault"]["name"]
        kept, working = self.kept(service, credd), Path(f"/tmp/vt_u{os.getuid()}-{name}")
        bearer = self.work / f"bt_{name}"
        environment = self.environment(service) | {
            "HTGETTOKENOPTS": f"--vaulttokenminttl=3d --credkey={service['credkey']}",
            "_condor_SEC_CREDENTIAL_GETTOKEN_OPTS": f"-a {vault}",
            "_condor_CREDD_HOST": credd,
            "_condor_COLLECTOR_HOST": self.layout["collector"]["name"],
        }
        argv = [_program("condor_vault_storer"), name] if credd else [
            *(_program("htgettoken"), "-a", vault, "-i", service["experiment"], "-r", service["role"]),
            *("--vaulttokenfile", str(working), "-o", str(bearer)),
        ]  # fmt: skip
        if kept.exists():
            shutil.move(kept, working)
        try:
            done = subprocess.run(
                argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=STORER_S, check=False
            )
            return done.returncode == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            if working.exists():
                shutil.move(working, kept)

    def pairs(self) -> t.Iterator[tuple[dict[str, t.Any], str]]:
        for service in self.services:
            for node in self.layout["nodes"]:
                if service["experiment"] in node["experiments"]:
                    yield service, node["name"]

    def ping(self) -> int:
        """Ping every node once for each of its services, all at once; give how many did not answer."""
        crowd = Crowd(PING_S)
        for _service, node in self.pairs():
            crowd.start(Job([_program("ping"), "-W", "5", "-c", "1", node], dict(os.environ)))
        return crowd.wait()

    def push(self) -> int:
        """Copy three files to every (service, node), all at once; give how many copies failed."""
        crowd = Crowd(PUSH_S)
        rsync = _program("rsync")
        for service, node in self.pairs():
            token = min(path for path in (self.kept(service, credd) for credd in self.credds) if path.exists())
            role = self.work / f"role_{service['name']}"
            if not role.exists():
                role.write_text(f"{service['role']}\n")
            uid = service["uid"]
            for source, target in (
                (token, f"/tmp/vt_u{uid}"),
                (token, f"/tmp/vt_u{uid}-{service['name']}"),
                (role, f"/tmp/default_role_{service['experiment']}_{uid}"),
            ):
                where = f"{service['account']}@{node}:{target}"
                argv = [rsync, "-e", self.ssh, *RSYNC_OPTIONS, str(source), where]
                crowd.start(Job(argv, self.environment(service)))
        return crowd.wait()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"baseline: there is no program {name}.")
    return found


def main() -> None:
    """Run all stages and print seconds and failures of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", type=Path, default=Path("/srv/lab/layout.json"))
    parser.add_argument("--tokens", type=Path, required=True, help="where tokens are kept between runs")
    parser.add_argument("--kex", default="", help="the key exchange of all ssh connections (default: OpenSSH's choice)")
    parser.add_argument("--credds", type=int, default=2)
    given = parser.parse_args()
    given.tokens.mkdir(parents=True, exist_ok=True)
    told: dict[str, t.Any] = {}
    with tempfile.TemporaryDirectory(prefix="baseline-") as work:
        baseline = Baseline(json.loads(given.layout.read_text()), Path(work), given.tokens, given.kex, given.credds)
        for stage in (baseline.tickets, baseline.store, baseline.ping, baseline.push):
            mark = time.monotonic()
            failed = stage()
            told[stage.__name__] = {"seconds": round(time.monotonic() - mark, 3), "failed": failed}
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"stages": told, "own_cpu": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main()
