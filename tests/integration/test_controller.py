# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a machine for regular runs, and take it all away again: the real playbook on the files of this machine, of
which it sees and changes a copy of its own."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from dataclasses import dataclass, field

import pytest
from laboratory import ROOT, VENV, Done

SECRET = 'p"4$s`w\\d'
# Runs begin here; the account must be able to read the collection, which may be in somebody's home.
COLLECTIONS = "/srv/collections"
SETTINGS: dict[str, t.Any] = {
    "managed_tokens_controller_create_user": True,
    "managed_tokens_controller_environment": {"ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "SAID": "50% of $HOME"},
    "managed_tokens_controller_inventory": ["nodes.yml"],
    "managed_tokens_controller_options": ["-e", "x='100%' $HOME"],
    "managed_tokens_controller_secrets": {"MANAGED_TOKENS_SMTP_PASSWORD": SECRET},
    "managed_tokens_controller_on_failure": "tell@%n.service",
    "managed_tokens_admin_emails": ["ada@example.org", "bob@example.org"],
    "managed_tokens_log_file": "/var/log/managed-tokens/runs.jsonl",
    "managed_tokens_last_run_file": "/etc/managed-tokens/last_run.json",
}
WORLD = f"""
set -e
# From now on it is found whatever is laid over it.
cd {ROOT}
mount -t tmpfs tmpfs /srv
for place in etc var opt; do
    mkdir -p /srv/upper/$place /srv/scratch/$place
    mount -t overlay -o lowerdir=/$place,upperdir=/srv/upper/$place,workdir=/srv/scratch/$place overlay /$place
done
mkdir -p {COLLECTIONS}/ansible_collections/fife/managed_tokens /srv/program /etc/managed-tokens
mount -c --bind . {COLLECTIONS}/ansible_collections/fife/managed_tokens
echo '{{"experiments": {{"hosts": {{"node.example.org": }}}}}}' > /etc/managed-tokens/nodes.yml
echo ready
exec sleep 900
"""
# Stands for a systemd that runs the machine: remembers what is on, and what it was told.
SYSTEMCTL = """#!/bin/sh
echo "$@" >> /srv/told
unit=$2
case $1 in
    show) if [ -e "/etc/systemd/system/$unit" ]; then echo LoadState=loaded; else echo LoadState=not-found; fi
        if [ -e "/srv/on-$unit" ]; then echo ActiveState=active; else echo ActiveState=inactive; fi ;;
    is-enabled) [ -e "/srv/enabled-$unit" ] && echo enabled ;;
    enable) touch "/srv/enabled-$unit" ;;
    disable) rm "/srv/enabled-$unit" ;;
    start) touch "/srv/on-$unit" ;;
    stop) rm "/srv/on-$unit" ;;
esac
"""
# Stands for ansible-playbook where cron starts it: says what has arrived.
PROGRAM = f"""#!/bin/sh
case "$*" in *--syntax-check*) echo "  python version = 3 (here) ({VENV}/bin/python)"; exit 0 ;; esac
printf '%s|' "$(whoami)" "$PWD" "$MANAGED_TOKENS_SMTP_PASSWORD" "$ANSIBLE_STDOUT_CALLBACK" "$SAID" "$@"
exit 3
"""
FOUND = r"find /srv/upper -mindepth 2 -printf '%P %y %m %u:%g %s %T@ %l\n' | sort"


@dataclass
class Machine:
    """A copy of this machine's files, in which a process waits."""

    holder: subprocess.Popen[str]

    def run(self, *words: str) -> Done:
        """Run a program in it."""
        inside = ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "--", *words]
        done = subprocess.run(
            inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False
        )
        return Done(done.returncode, done.stdout.decode())

    def shell(self, script: str) -> str:
        return self.run("bash", "-c", script).output

    def write(self, path: str, content: str, mode: str = "0755") -> None:
        self.run("bash", "-c", 'printf %s "$2" > "$1"; chmod "$3" "$1"', "bash", path, content, mode)

    def play(self, *options: str, **more: t.Any) -> Done:
        """Run the playbook with the settings and `more` of them."""
        return self.run(
            "env",
            "-C/etc/managed-tokens",
            f"PATH={VENV}/bin:/usr/sbin:/usr/bin",
            f"ANSIBLE_COLLECTIONS_PATH={COLLECTIONS}",
            "ANSIBLE_PIPELINING=true",
            "ansible-playbook",
            "-i",
            "nodes.yml",
            "fife.managed_tokens.controller",
            "-e",
            json.dumps({**SETTINGS, **{f"managed_tokens_controller_{name}": value for name, value in more.items()}}),
            *options,
        )

    def files(self) -> dict[str, str]:
        """Give the mode and owner of all that is not as on the machine, and the content's size and time, by path;
        without what Ansible leaves in every home."""
        found = (line.split(" ", 1) for line in self.shell(FOUND).splitlines())
        return {path: word for path, word in found if "/.ansible" not in path}

    def modes(self) -> dict[str, str]:
        """Give the type, mode and owner of what the role is about."""
        ours = {path: " ".join(word.split()[:3]) for path, word in self.files().items() if "managed-tokens" in path}
        # The directory of the runs is the test's own.
        return {path: word for path, word in ours.items() if not path.endswith(("nodes.yml", "/managed-tokens"))}


class Job(t.NamedTuple):
    """A line of a crontab, and what came of starting it: with a program that fails, and with one that does not."""

    when: str
    failed: Done
    well: Done


LINE = re.compile(r"(?P<when>[0-9]+ (?:\*|[0-9]+) \* \* \*) mtokens (?P<command>.*)")
VARIABLE = re.compile(r"(?P<name>[A-Z_]+)=(?P<quote>[\"'])(?P<value>.*)(?P=quote)")


def start_jobs(machine: Machine, crontab: str) -> t.Iterator[Job]:
    """Do what cron does with a file of /etc/cron.d. Source: crontab(5)."""
    environment: list[str] = []
    for line in crontab.splitlines():
        if not line or line.startswith("#") or line == "SHELL=/bin/sh":
            continue
        if variable := VARIABLE.fullmatch(line):
            environment.append(f"{variable['name']}={variable['value']}")
            continue
        job = LINE.fullmatch(line)
        assert job, line
        assert not re.search(r"(?<!\\)%", job["command"])
        command = job["command"].replace(r"\%", "%")
        start = ("runuser", "-u", "mtokens", "--", "env", "-i", *environment, "sh", "-c")
        well = machine.run(*start, command.replace("/srv/program/ansible-playbook", "echo"))
        yield Job(job["when"], machine.run(*start, command), well)


@dataclass
class Story:
    """What came of each run, and how the machine looked then."""

    done: dict[str, Done] = field(default_factory=dict)
    modes: dict[str, dict[str, str]] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    untouched: dict[str, bool] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)


@pytest.fixture(scope="module")
def machine() -> t.Iterator[Machine]:
    """Give a machine whose files nobody else sees."""
    command = ["unshare", "--mount", "--propagation", "private", "bash", "-c", WORLD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            yield Machine(holder)
        finally:
            holder.kill()


@pytest.fixture(scope="module")
def story(machine: Machine) -> Story:
    """Go through the life of such a machine once."""
    found = Story()

    def play(name: str, *options: str, **more: t.Any) -> None:
        before = machine.files()
        found.done[name] = machine.play(*options, **more)
        found.untouched[name] = before == machine.files()
        found.modes[name] = machine.modes()

    machine.write("/srv/program/systemctl", SYSTEMCTL)
    machine.write("/srv/program/ansible-playbook", PROGRAM)
    play("wrong", user="root", push_minutes=[17, 60])
    play("check", "--check", "--diff", schedule="systemd")
    machine.shell("echo systemd > /srv/comm; mount --bind /srv/comm /proc/1/comm")
    machine.shell("mount --bind /srv/program/systemctl /usr/bin/systemctl; mkdir -m 0775 -p /var/log/managed-tokens")
    play("systemd", "-vvv")
    found.text["on"] = machine.shell("cd /srv; ls -d on-* enabled-*")
    found.text["verified"] = machine.shell("systemd-analyze verify /etc/systemd/system/managed-tokens-* 2>&1; echo $?")
    found.text["service"] = machine.shell("cat /etc/systemd/system/managed-tokens-push.service")
    found.text["timers"] = machine.shell("grep -h ^OnCalendar= /etc/systemd/system/managed-tokens-*.timer")
    found.text["rotation"] = machine.shell("logrotate -d /etc/logrotate.d/fife-managed-tokens; echo $?")
    play("again", "--diff")
    machine.shell(": > /srv/told")
    play(
        "cron",
        schedule="cron",
        refresh_time="6:05",
        ansible_playbook="/srv/program/ansible-playbook",
        directories=False,
    )
    found.text["told"] = machine.shell(
        "grep -v -e ^show -e ^is-enabled /srv/told; ls /srv/on-* /srv/enabled-* 2> /dev/null"
    )
    found.text["crontab"] = machine.shell("cat /etc/cron.d/fife-managed-tokens")
    found.jobs = list(start_jobs(machine, found.text["crontab"]))
    machine.shell("touch /opt/managed-tokens/keytabs/dunepro.keytab /etc/systemd/system/managed-tokens-status.timer")
    play("absent", state="absent")
    return found


UNITS = {f"etc/systemd/system/managed-tokens-push.{kind}": "f 644 root:root" for kind in ("service", "timer")}
STAYS = {
    "opt/managed-tokens/keytabs": "d 700 mtokens:mtokens",
    "var/lib/managed-tokens/service-credd-vault-tokens": "d 700 mtokens:mtokens",
}
ROTATION = {"etc/logrotate.d/fife-managed-tokens": "f 644 root:root"}
SECRETS = {"etc/managed-tokens/secrets.env": "f 600 mtokens:mtokens"}


def test_check_mode_shows_all_and_touches_nothing(story: Story) -> None:
    done = story.done["check"]
    assert done.status == 0, done.output
    assert story.untouched["check"]
    assert done.changed == 5
    for path in (*UNITS, *ROTATION):
        assert f"(item=/{path})" in done.output
    assert "+ExecStart=" in done.output
    assert "is not run by systemd" in done.flat
    assert "systemctl enable --now managed-tokens-push.timer start them" in done.flat


def test_files_and_directories_have_the_right_modes_and_owners(story: Story) -> None:
    assert story.done["systemd"].status == 0, story.done["systemd"].output
    assert story.modes["systemd"] == {**UNITS, **ROTATION, **SECRETS, **STAYS}


def test_units_are_good_to_systemd(story: Story) -> None:
    assert story.text["verified"] == "0\n"
    assert story.text["timers"] == "OnCalendar=*:17\n"
    lines = story.text["service"].splitlines()
    start = f'"{VENV}/bin/ansible-playbook" "-i" "nodes.yml" "-e" "x=\'100%%\' $$HOME" "fife.managed_tokens.token_push"'
    for line in (
        f"ExecStart={start}",
        "User=mtokens",
        "OnFailure=tell@%n.service",
        "EnvironmentFile=/etc/managed-tokens/secrets.env",
        'Environment="SAID=50%% of $HOME"',
        "TimeoutStartSec=1800s",
        'ReadWritePaths="-/etc/managed-tokens"',
    ):
        assert line in lines


def test_timer_is_on(story: Story) -> None:
    assert story.text["on"].split() == ["enabled-managed-tokens-push.timer", "on-managed-tokens-push.timer"]


def test_secrets_are_shown_nowhere(story: Story) -> None:
    for name, done in story.done.items():
        for form in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(json.dumps(SECRET))[2:-2]):
            assert form not in done.output, name


def test_rotation_is_good_to_logrotate(story: Story) -> None:
    assert story.text["rotation"].endswith("\n0\n")
    assert 'rotating pattern: "/var/log/managed-tokens/runs.jsonl"  weekly (8 rotations)' in story.text["rotation"]
    assert "error" not in story.text["rotation"]


def test_second_run_changes_nothing(story: Story) -> None:
    assert (story.done["again"].status, story.done["again"].changed) == (0, 0), story.done["again"].output
    assert story.untouched["again"]


def test_cron_takes_the_place_of_units(story: Story) -> None:
    assert story.done["cron"].status == 0, story.done["cron"].output
    cron = {"etc/cron.d/fife-managed-tokens": "f 644 root:root"}
    assert story.modes["cron"] == {**cron, **ROTATION, **SECRETS, **STAYS}
    assert story.text["told"].splitlines() == [
        "disable managed-tokens-push.timer",
        "stop managed-tokens-push.timer",
        "daemon-reload",
    ]


def test_cron_starts_the_playbooks_and_mails_only_failures(story: Story) -> None:
    assert 'MAILTO="ada@example.org,bob@example.org"\n' in story.text["crontab"]
    assert [job.when for job in story.jobs] == ["17 * * * *", "5 6 * * *"]
    for job, playbook in zip(story.jobs, ("token_push", "refresh_uids"), strict=True):
        assert job.well == Done(0, "")
        arrived, _end, said = job.failed.output.rpartition("|\n")
        assert (job.failed.status, said) == (3, f"fife.managed_tokens.{playbook} ended with status 3.\n")
        assert arrived.split("|") == [
            "mtokens",
            "/etc/managed-tokens",
            SECRET,
            "fife.managed_tokens.quiet",
            "50% of $HOME",
            "-i",
            "nodes.yml",
            "-e",
            "x='100%' $HOME",
            f"fife.managed_tokens.{playbook}",
        ]


def test_absent_removes_what_was_made_and_nothing_else(story: Story) -> None:
    assert story.done["absent"].status == 0, story.done["absent"].output
    others = ("opt/managed-tokens/keytabs/dunepro.keytab", "etc/systemd/system/managed-tokens-status.timer")
    assert story.modes["absent"] == {**STAYS, **dict.fromkeys(others, "f 644 root:root")}


def test_wrong_settings_are_refused_before_anything_is_touched(story: Story) -> None:
    done = story.done["wrong"]
    assert done.status == 2
    assert "managed_tokens_controller_user is 'root'; it has to be the name of an ordinary account" in done.flat
    assert "managed_tokens_controller_push_minutes has 60; a minute is between 0 and 59." in done.flat
    assert story.untouched["wrong"]
