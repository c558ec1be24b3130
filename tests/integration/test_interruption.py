# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop a run in every stage: nothing of it stays, on the token host or on any node, and nothing good is lost."""

from __future__ import annotations

import time

import pytest
from laboratory import Laboratory
from remembered import state_of

# The line with which each stage begins, and how long after its worker has begun the signal comes.
STAGES = {
    "setup": ("TASK [fife.managed_tokens.token_push : Read the services of this run]", "0.01"),
    "tickets": ("TASK [fife.managed_tokens.token_push : Take Kerberos tickets]", "0.03"),
    "store": ("TASK [fife.managed_tokens.token_push : Bring vault tokens up to date on the credds]", "1.5"),
    "ahead": ("TASK [fife.managed_tokens.token_push : Bring vault tokens up to date on the credds]", "2.0"),
    "ping": ("TASK [fife.managed_tokens.token_push : Find out which nodes answer]", "0.8"),
    "push": ("TASK [fife.managed_tokens.token_push : Put the tokens on the nodes]", "0.4"),
    "results": ("TASK [fife.managed_tokens.token_push : Show what came of the node]", "0"),
    "registry": ("TASK [fife.managed_tokens.refresh_uids : Refresh the UIDs from the registry]", "1.0"),
    "removal": ("TASK [fife.managed_tokens.offboarding : Remove the files from the nodes]", "0.4"),
}
OF_TOKEN_PUSH = [stage for stage, (line, _delay) in STAGES.items() if "token_push" in line]
# A signal that comes while Ansible forks the worker would try Ansible, not the stage. A worker begins with a session of
# its own.
RUNNER = """
import os, pathlib, signal, subprocess, sys, time
def has_worker(pid):
    for number in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            words = pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, session = words[0], words[3]
        if session == number and state != "Z":
            return True
    return False
playbook, stage, signum, delay = *sys.argv[1:3], getattr(signal, sys.argv[3]), float(sys.argv[4])
run = subprocess.Popen(["ansible-playbook", f"fife.managed_tokens.{playbook}", "-v", *sys.argv[5:]],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
for line in run.stdout:
    print(line, end="")
    if line.startswith(stage):
        until = time.monotonic() + 5
        while not has_worker(run.pid) and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(run.pid, signum)
        break
try:
    print(run.communicate(timeout=30)[0])
except subprocess.TimeoutExpired:
    print("had to be signalled again")
    os.kill(run.pid, signum)
    print(run.communicate()[0])
print("ended with", run.returncode)
"""


def remains(laboratory: Laboratory) -> list[str]:
    """Give the service account's processes that belong to a run."""
    words = ("ansible", "htgettoken", "storer", "guardian", "ping")
    listed = laboratory.run("ps", "-ww", "-u", "mtokens", "-o", "comm=,args=", user="root", check=False)
    # A connection that Ansible keeps open to a token host, for later runs as well, is none of this one's.
    lines = [line for line in listed.output.splitlines() if not line.endswith("[mux]")]
    return [line for line in lines if any(word in line for word in words)]


def settle(laboratory: Laboratory) -> None:
    """Wait until everything of a run has ended: what cleans up outlives the run itself for a moment."""
    for _attempt in range(100):
        if not remains(laboratory) and not laboratory.leftovers():
            return
        time.sleep(0.1)


def stop(laboratory: Laboratory, stage: str, signal: str, *options: str) -> str:
    """Stop a run in a stage, mend what was broken for it, and give its output when everything of it has ended."""
    laboratory.run("/usr/bin/python3", "-c", f"open('/home/mtokens/runner.py', 'w').write({RUNNER!r})")
    line, delay = STAGES[stage]
    playbook = line.partition("fife.managed_tokens.")[2].partition(" :")[0]
    done = laboratory.run("/usr/bin/python3", "/home/mtokens/runner.py", playbook, line, signal, delay, *options)
    laboratory.lab("heal")
    settle(laboratory)
    assert "ended with" in done.output
    assert remains(laboratory) == []
    assert laboratory.leftovers() == []
    return done.output


# Stages in which nothing is under way that could stay half done: one signal shows it, the long form has them all.
LOOKING = ("setup", "ping")


@pytest.mark.parametrize(
    ("stage", "signal"),
    [
        pytest.param(
            stage,
            signal,
            marks=[pytest.mark.long] if stage in LOOKING and signal != "SIGTERM" else [],
            id=f"{stage}-{signal}",
        )
        for stage in OF_TOKEN_PUSH
        for signal in ("SIGINT", "SIGTERM", "SIGKILL")
        if (stage, signal) != ("results", "SIGINT")
    ],
)
def test_a_stopped_run_leaves_nothing_and_loses_nothing(light: Laboratory, stage: str, signal: str) -> None:
    light.lab("heal")
    assert light.push().status == 0
    kept, on_nodes = light.kept_tokens(), light.all_files()
    options: list[str] = []
    if stage == "store":
        light.lab("fault", "slow-storer", "5")
    if stage == "ahead":
        light.lab("fault", "slow-storer", "1")
    if stage == "ping":
        light.lab("fault", "node-blackholed", light.nodes[-1])
    if stage in ("ahead", "push"):
        # Other contents everywhere, so that there is much to write when the signal comes.
        light.spoil()
        options = ["-e", "managed_tokens_push_concurrency=1", "-e", f"managed_tokens_push_ahead={stage == 'ahead'}"]
    output = stop(light, stage, signal, *options)
    assert "ended with 0" not in output, output
    assert "had to be signalled again" not in output
    if signal != "SIGKILL":
        assert light.node_leftovers() == []
    assert light.kept_tokens() == kept
    if stage not in ("ahead", "push"):
        assert light.all_files() == on_nodes
    assert light.push().status == 0
    settle(light)
    assert {node: whole(files) for node, files in light.all_files().items()} == on_nodes


# The others are of the long form: what a signal does to a stage is the same in all playbooks.
SIGNALS = ["SIGTERM", pytest.param("SIGINT", marks=pytest.mark.long), pytest.param("SIGKILL", marks=pytest.mark.long)]


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_stopped_refresh_changes_no_uid_and_leaves_nothing(light: Laboratory, signal: str) -> None:
    light.lab("heal")
    assert light.refresh().status == 0
    known = state_of(light)["uids"]
    light.lab("fault", "ferry-uid", "dunepro", "60123")
    light.lab("fault", "ferry-slow", "5")
    output = stop(light, "registry", signal)
    assert "ended with 0" not in output, output
    assert "had to be signalled again" not in output
    assert state_of(light)["uids"] == known
    assert light.refresh().status == 0


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_stopped_offboarding_leaves_nothing_half_done_and_is_finished_by_the_next(
    light: Laboratory, signal: str
) -> None:
    light.lab("heal")
    assert light.refresh().status == 0
    assert light.push().status == 0
    own = f"/tmp/vt_u{light.service('dune_production')['uid']}-dune_production"
    others = {node: {path for path in files if path != own} for node, files in light.all_files().items()}
    options = ("-e", "managed_tokens_service=dune_production")
    output = stop(light, "removal", signal, *options, "-e", "managed_tokens_push_concurrency=1")
    assert "ended with 0" not in output, output
    assert light.node_leftovers() == []
    again = light.play("fife.managed_tokens.offboarding", *options)
    assert again.status == 0, again.output
    assert "1 of 1 services gone" in again.flat
    left = light.all_files()
    assert [node for node, files in left.items() if own in files] == []
    assert all(set(left[node]) >= {path for path in others[node] if "50100" not in path} for node in others)
    # The account's UID was forgotten with it.
    assert light.refresh().status == 0
    assert light.push().status == 0


def test_ctrl_c_during_the_node_results_leaves_nothing(light: Laboratory) -> None:
    """Prove it for the one case in which ansible-core may not hear the first Ctrl-C: while it forks a worker.

    Its KeyboardInterrupt is then raised in a function that logging has run after the fork, where Python ignores
    exceptions. So this run may go on to its end or wait for a second Ctrl-C, and only what it leaves can be asserted.
    """
    light.lab("heal")
    assert light.push().status == 0
    kept, on_nodes = light.kept_tokens(), light.all_files()
    stop(light, "results", "SIGINT")
    assert light.node_leftovers() == []
    assert light.kept_tokens() == kept
    assert light.all_files() == on_nodes


def whole(files: dict[str, tuple[str, str, str]]) -> dict[str, tuple[str, str, str]]:
    return {path: there for path, there in files.items() if not path.endswith(".tmp")}


def test_what_a_killed_push_left_on_a_node_goes_with_a_later_write(light: Laboratory) -> None:
    """Prove that a worker killed in the middle of a write leaves a private file that does not stay for ever."""
    service = light.services[0]
    node = light.nodes_of(service)[0]
    stale = f"/tmp/.vt_u{service['uid']}.managed-tokens.tmp"
    make = f"echo half > {stale}; chown {service['uid']} {stale}; chmod 0600 {stale}; touch -d '2 hours ago' {stale}"
    light.node(node, "sh", "-c", make)
    light.node(node, "rm", f"/tmp/vt_u{service['uid']}")
    assert light.push().status == 0
    assert stale not in light.files(node)
