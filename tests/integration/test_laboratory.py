# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that a laboratory leaves the machine as it was, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from laboratory import LAB, Laboratory


def machine() -> dict[str, object]:
    """Give what a laboratory must not touch: files, users, sysctls, mounts, names, addresses, rules and processes."""
    etc = {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size, path.lstat().st_mode)
        for directory, _directories, names in os.walk("/etc")
        for path in (Path(directory) / name for name in names)
    }
    sysctls = subprocess.run(["sysctl", "-a"], capture_output=True, text=True, check=False).stdout.splitlines()
    moving = (
        "random",
        "nr",
        "state",
        "file-nr",
        "dentry",
        "inode",
        "cpu",
        "uuid",
        "boot",
        "ns_last_pid",
        "count",
        "usage",
        "sample_rate",
    )
    return {
        "/etc": etc,
        "/tmp": sorted(name for name in os.listdir("/tmp") if name.startswith(("vt_", "bt_", "krb5", "managed"))),
        "/var/lib/krb5kdc": sorted(os.listdir("/var/lib/krb5kdc")),
        "/srv": sorted(os.listdir("/srv")),
        "/home": sorted(os.listdir("/home")),
        "sysctls": [line for line in sysctls if not any(word in line.partition("=")[0] for word in moving)],
        "mounts": sorted(line for line in Path("/proc/mounts").read_text().splitlines()),
        "host name": Path("/proc/sys/kernel/hostname").read_text(),
        "addresses": subprocess.run(["ip", "-brief", "address"], capture_output=True, text=True, check=True).stdout,
        "rules": subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout,
        "laboratories": sorted(path.name for path in Path("/run/managed-tokens-lab").glob("it-own*")),
    }


def processes_in(namespace: str) -> list[str]:
    """Give the command lines of all processes in a PID namespace."""
    found = []
    for path in Path("/proc").glob("[0-9]*/ns/pid"):
        try:
            if os.readlink(path) == namespace:
                found.append((path.parents[1] / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.fixture
def own() -> Laboratory:
    """Give a laboratory that nobody else uses, not yet up."""
    laboratory = Laboratory("it-own")
    laboratory.lab("down", check=False)
    return laboratory


def first_process(laboratory: Laboratory) -> int:
    return int(json.loads(Path(f"/run/managed-tokens-lab/{laboratory.name}.json").read_text())["pid"])


@pytest.mark.condor
@pytest.mark.parametrize("how", ["down", "kill -9"])
def test_the_machine_is_as_it_was_afterwards(own: Laboratory, how: str) -> None:
    before = machine()
    own.up()
    pid = first_process(own)
    namespace = os.readlink(f"/proc/{pid}/ns/pid")
    assert len(processes_in(namespace)) > 20
    assert own.push().status == 0
    own.lab("fault", "node-blackholed", "dunegpvm01")
    own.lab("fault", "disk-full", "dunegpvm02")
    if how == "down":
        own.lab("down")
    else:
        os.kill(pid, signal.SIGKILL)
    for _attempt in range(100):
        if not processes_in(namespace):
            break
        time.sleep(0.1)
    assert processes_in(namespace) == []
    assert own.lab("status", check=False).status == 1
    after = machine()
    assert {key: after[key] for key in after} == before


def test_a_killed_postgresql_leaves_no_shared_memory(own: Laboratory) -> None:
    before = sorted(os.listdir("/dev/shm"))
    own.up("--light", "--postgres", "--experiments", "1", "--roles", "1", "--nodes", "1")
    assert "PostgreSQL" in own.run("ls", "/dev/shm", user="root").output
    pid = first_process(own)
    namespace = os.readlink(f"/proc/{pid}/ns/pid")
    os.kill(pid, signal.SIGKILL)
    for _attempt in range(100):
        if not processes_in(namespace):
            break
        time.sleep(0.1)
    assert processes_in(namespace) == []
    assert sorted(os.listdir("/dev/shm")) == before


def test_an_interrupted_start_leaves_nothing(own: Laboratory) -> None:
    before = machine()
    for delay in (0.05, 0.2, 0.4):
        starting = subprocess.Popen(
            [str(LAB), "up", "--name", own.name, "--experiments", "10", "--roles", "2", "--nodes", "3"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        starting.send_signal(signal.SIGKILL)
        starting.wait()
        for _attempt in range(100):
            listing = subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True, check=True).stdout
            if f"--name {own.name}" not in listing:
                break
            time.sleep(0.1)
        assert f"--name {own.name}" not in listing
    assert machine() == before


def test_two_laboratories_do_not_disturb_each_other(own: Laboratory, light: Laboratory) -> None:
    own.up("--light")
    try:
        assert own.push().status == 0
        own.lab("fault", "vault-down")
        assert light.push().status == 0
        assert own.push().status == 2
    finally:
        own.lab("down")
    assert light.push().status == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["node", "dunegpvm1", "--", "true"], "There is no node 'dunegpvm1'; did you mean 'dunegpvm01'?"),
        (["fault", "node-on-fire"], "There is no fault 'node-on-fire'"),
        (["fault", "node-blackholed"], "The fault node-blackholed is used as: fault node-blackholed NODE"),
        (["fault", "keytab-missing", "nobody"], "There is no account 'nobody'"),
        (["fault", "ferry-500", "0"], "ferry-500 needs a number of requests from 1 on, not '0'."),
        (["fault", "ferry-429", "0.5"], "ferry-429 needs a whole number of seconds, not '0.5'."),
        (["fault", "ferry-slow", "long"], "ferry-slow needs a number of seconds, not 'long'."),
        (["fault", "ferry-unknown", "dunepr"], "There is no account 'dunepr'; did you mean 'dunepro'?"),
        (["fault", "ferry-uid", "dunepro"], "The fault ferry-uid is used as: fault ferry-uid ACCOUNT UID"),
        (["fault", "database-down"], "This laboratory has no PostgreSQL"),
        (["up", "--light"], "The laboratory 'it-light' is up already"),
        (["up", "--nodes", "0"], "The sizes of a laboratory are numbers from 1 on."),
        (["run"], "There is no command to run"),
    ],
)
def test_mistakes_are_told_in_one_sentence(light: Laboratory, words: list[str], sentence: str) -> None:
    done = light.lab(*words, check=False)
    assert done.status == 2
    assert sentence in done.flat
    assert "Traceback" not in done.output


def test_a_laboratory_that_is_not_up_says_how_to_start_it(own: Laboratory) -> None:
    done = own.lab("run", "--", "true", check=False)
    assert done.status == 2
    assert "is not up; start it with: lab/lab up --name it-own" in done.flat
