# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive the laboratory from tests: run things in it, break it, and look at the world rather than at our own return
values."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
import typing as t
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "lab" / "lab"
VENV = Path(os.environ.get("MANAGED_TOKENS_CACHE") or "/var/cache/managed-tokens-lab") / "venv"
RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=(?P<ok>\d+)\s+changed=(?P<changed>\d+)"
    r"\s+unreachable=(?P<unreachable>\d+)\s+failed=(?P<failed>\d+)"
)


VISIT = """
import glob, json, os, stat, sys
script, word, nodes = sys.argv[1], sys.argv[2], sys.argv[3:]
everything = {}
for node in nodes:
    holder = open(f"/srv/lab/nodes/{node}/holder.pid").read().strip()
    scope = {**globals(), "root": f"/proc/{holder}/root", "found": {}}
    exec(script, scope)
    everything[node] = scope["found"]
print(json.dumps(everything))
"""
LIST = """
for name in sorted(os.listdir(root + word)):
    path = os.path.join(word, name)
    there = os.lstat(root + path)
    if stat.S_ISREG(there.st_mode):
        content = open(root + path, errors="replace").read()
        found[path] = (f"{stat.S_IMODE(there.st_mode):04o}", str(there.st_uid), content)
"""


@dataclass(frozen=True)
class Recap:
    """One host's line at the end of a play."""

    ok: int
    changed: int
    unreachable: int
    failed: int


@dataclass(frozen=True)
class Done:
    """A finished command: its exit status and all that it printed."""

    status: int
    output: str
    seconds: float = 0.0

    @cached_property
    def recap(self) -> dict[str, Recap]:
        """Give the last play recap, by host."""
        lines = self.output.rpartition("PLAY RECAP")[2].splitlines()
        matches = [match for match in map(RECAP.match, lines) if match]
        return {
            match["host"]: Recap(*(int(match[key]) for key in ("ok", "changed", "unreachable", "failed")))
            for match in matches
        }

    @property
    def changed(self) -> int:
        return sum(line.changed for line in self.recap.values())

    @property
    def flat(self) -> str:
        """Give the output with all white space folded, so that a sentence is found however it was wrapped."""
        return " ".join(self.output.split())


@dataclass
class Laboratory:
    """A laboratory by its name; `layout` is what it says of itself.

    MANAGED_TOKENS_LABS takes the place of "it" in the names, and each of several workers has names of its own, so that
    sets of tests can go on at once.
    """

    name: str
    layout: dict[str, t.Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name.startswith("it-"):
            own = (os.environ.get("MANAGED_TOKENS_LABS") or "it") + os.environ.get("PYTEST_XDIST_WORKER", "")
            self.name = own + self.name.removeprefix("it")

    def lab(self, *words: str, check: bool = True, timeout: float = 300) -> Done:
        """Run `lab/lab` with `words`."""
        mark = time.monotonic()
        done = subprocess.run(
            [str(LAB), words[0], "--name", self.name, *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
            env={**os.environ, "TERM": "dumb"},
        )
        result = Done(done.returncode, done.stdout.decode("utf-8", "replace"), time.monotonic() - mark)
        if check and result.status:
            raise AssertionError(f"lab {' '.join(words)} ended with {result.status}:\n{result.output}")
        return result

    def up(self, *options: str) -> None:
        """Start it, learn its layout, and let it learn the UIDs of its accounts."""
        self.lab("down", check=False)
        self.lab("up", *options, timeout=600)
        self.layout = json.loads(self.run("cat", "/srv/lab/layout.json").output)
        done = self.refresh()
        if done.status:
            raise AssertionError(f"refresh_uids ended with {done.status}:\n{done.output}")

    def run(self, *argv: str, check: bool = True, user: str = "", timeout: float = 300) -> Done:
        """Run a command in it, as the service account unless told otherwise."""
        return self.lab("run", *(["--user", user] if user else []), "--", *argv, check=check, timeout=timeout)

    def node(self, node: str, *argv: str, check: bool = True) -> Done:
        """Run a command on one of its nodes, as root."""
        return self.lab("node", node, "--", *argv, check=check)

    @contextlib.contextmanager
    def fault(self, *words: str) -> t.Iterator[None]:
        """Break something for the length of a block."""
        self.lab("fault", *words)
        try:
            yield
        finally:
            self.lab("heal")

    def push(self, *options: str, env: t.Mapping[str, str] | None = None, timeout: float = 300) -> Done:
        """Run the token_push playbook."""
        return self.play("fife.managed_tokens.token_push", *options, env=env, timeout=timeout)

    def play(self, *words: str, env: t.Mapping[str, str] | None = None, timeout: float = 300) -> Done:
        """Run ansible-playbook, whatever its exit status."""
        assignments = [f"{key}={value}" for key, value in (env or {}).items()]
        return self.run("env", *assignments, "ansible-playbook", *words, check=False, timeout=timeout)

    def refresh(self, *options: str) -> Done:
        """Run the refresh_uids playbook."""
        return self.play("fife.managed_tokens.refresh_uids", *options)

    def wait_until(self, is_so: t.Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Return as soon as `is_so` says yes.

        Raises: AssertionError naming `what`.
        """
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError(f"in {seconds:g} s it has not come to this: {what}")
            time.sleep(0.1)

    def allow_ssh_to_token_host(self) -> None:
        """Let a node be a second token host, `tokenhost` of the inventory tokenhost.json: reached by ssh as the service
        account, with a key instead of a ticket."""
        host = self.nodes[-1]
        program = f'#!/bin/sh\nPATH=/srv/lab/bin:$PATH exec {VENV}/bin/python "$@"\n'
        remote = {
            "ansible_connection": "ansible.builtin.ssh",
            "ansible_user": "mtokens",
            "ansible_host": host,
            # A login by ssh does not have the laboratory's programs in its PATH.
            "ansible_python_interpreter": "/home/mtokens/python",
        }
        script = (
            "set -e; cd /home/mtokens; mkdir -p -m 0700 .ssh\n"
            "[ -e .ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519\n"
            "cp .ssh/id_ed25519.pub .ssh/authorized_keys; chmod 0600 .ssh/authorized_keys\n"
            "cp /srv/lab/known_hosts .ssh/known_hosts\n"
            'printf %s "$1" > python; chmod 0755 python; printf %s "$2" > tokenhost.json\n'
            'ssh -o BatchMode=yes "$3" true'
        )
        inventory = json.dumps({"ungrouped": {"hosts": {"tokenhost": remote}}})
        self.run("sh", "-c", script, "sh", program, inventory, host)

    # -- what the world looks like ------------------------------------------------------------------------------------

    @property
    def database(self) -> str:
        """Give the setting that names the state database."""
        settings = json.loads(self.run("cat", "/srv/lab/inventory/group_vars/all/settings.yml").output)
        return str(settings["managed_tokens_database"])

    @property
    def services(self) -> list[dict[str, t.Any]]:
        return list(self.layout["services"])

    def service(self, name: str) -> dict[str, t.Any]:
        return next(service for service in self.services if service["name"] == name)

    @property
    def nodes(self) -> list[str]:
        return [node["name"] for node in self.layout["nodes"]]

    def nodes_of(self, service: t.Mapping[str, t.Any]) -> list[str]:
        return [node["name"] for node in self.layout["nodes"] if service["experiment"] in node["experiments"]]

    def services_on(self, node: str) -> list[dict[str, t.Any]]:
        return [service for service in self.services if node in self.nodes_of(service)]

    @property
    def pairs(self) -> int:
        return sum(len(self.nodes_of(service)) for service in self.services)

    def files(self, node: str, directory: str = "/tmp") -> dict[str, tuple[str, str, str]]:
        """Give (mode, owner's UID, content) of every file in a node's directory, by path; hidden ones included."""
        return self._files_of([node], directory)[node]

    def all_files(self) -> dict[str, dict[str, tuple[str, str, str]]]:
        """Give the files of every node, as `files` does."""
        return self._files_of(self.nodes, "/tmp")

    def _files_of(self, nodes: t.Sequence[str], directory: str) -> dict[str, dict[str, tuple[str, str, str]]]:
        plain = self._visit(nodes, LIST, directory)
        return {
            node: {path: (mode, owner, content) for path, (mode, owner, content) in files.items()}
            for node, files in plain.items()
        }

    def spoil(self) -> None:
        """Put other contents into every token file on every node, and leave owner and mode."""
        self._visit(self.nodes, "for path in glob.glob(root + '/tmp/vt_*'): open(path, 'w').write('old\\n')")

    def strip(self) -> None:
        """Remove every file of a service from every node."""
        self._visit(
            self.nodes,
            "for name in ('vt_*', 'default_role_*'): [os.unlink(p) for p in glob.glob(root + '/tmp/' + name)]",
        )

    def _visit(self, nodes: t.Sequence[str], script: str, word: str = "") -> dict[str, t.Any]:
        """Run a script for each node, which finds its files below `root`; give what it leaves in `found`, by node.

        Through the process that holds a node's mounts: to enter every node takes longer.
        """
        done = self.run("/usr/bin/python3", "-c", VISIT, script, word, *nodes, user="root")
        found: dict[str, t.Any] = json.loads(done.output)
        return found

    def kept_tokens(self) -> dict[str, str]:
        """Give the kept tokens' contents by file name."""
        directory = "/srv/lab/state/service-credd-vault-tokens"
        script = (
            "import json,os,sys\nd=sys.argv[1]\n"
            "names=sorted(n for n in os.listdir(d) if n.startswith('vt_')) if os.path.isdir(d) else []\n"
            "print(json.dumps({n: open(os.path.join(d,n)).read() for n in names}))"
        )
        found: dict[str, str] = json.loads(self.run("/usr/bin/python3", "-c", script, directory).output)
        return found

    def accepted_connections(self, node: str) -> int:
        """Count the logins that a node's ssh server has accepted so far."""
        return self.all_connections()[node]

    def all_connections(self) -> dict[str, int]:
        """Count the logins that each node's ssh server has accepted so far."""
        logs = [f"/srv/lab/log/sshd-{node}.log" for node in self.nodes]
        # grep ends with 1 when there are none.
        counts = self.run("grep", "-c", "Accepted gssapi-with-mic for ", *logs, check=False, user="root").output
        found = {line.rpartition(":")[0]: int(line.rpartition(":")[2]) for line in counts.splitlines()}
        return {node: found[log] for node, log in zip(self.nodes, logs, strict=True)}

    def leftovers(self) -> list[str]:
        """Give what a run may never leave behind on the token host: private directories, working copies, bearer
        tokens, caches."""
        script = (
            "import glob\n"
            "print('\\n'.join(p for g in ('/tmp/managed-tokens-*','/run/user/*/managed-tokens-*',"
            "'/tmp/vt_*','/tmp/bt_*','/tmp/krb5cc*','/tmp/.htgettoken*',"
            "'/run/user/*/bt_*','/srv/lab/state/service-credd-vault-tokens/.*') for p in glob.glob(g)))"
        )
        return self.run("/usr/bin/python3", "-c", script, user="root").output.split()

    def node_leftovers(self) -> list[str]:
        """Give temporary files of pushes on all nodes."""
        return [
            path
            for files in self.all_files().values()
            for path in files
            if path.startswith("/tmp/.") and path.endswith(".tmp")
        ]
