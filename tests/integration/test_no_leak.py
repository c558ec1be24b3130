# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for every token of a run in all that it prints, logs, keeps or shows to other users."""

from __future__ import annotations

import pytest
from laboratory import Laboratory

# Sees the command line of every process on the machine, over and over, while a run goes on.
WATCHER = """
import glob, os
seen = set()
while not os.path.exists("/home/mtokens/end"):
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            seen.add(open(path, "rb").read())
        except OSError:
            pass
open("/home/mtokens/seen", "wb").write(b"\\n".join(seen))
"""
OWN_FILES = (
    "find / -xdev -path /proc -prune -o -user mtokens -type f -newer /srv/lab/layout.json "
    "! -path '*service-credd-vault-tokens/*' -print0 | xargs -0 -r cat; "
    "find /home /tmp /var/tmp /run /srv/lab/state -user mtokens -type f "
    "! -path '*service-credd-vault-tokens/*' -print0 | xargs -0 -r cat"
)


def secrets_of(laboratory: Laboratory) -> dict[str, str]:
    """Give everything that must stay where it belongs, by what it is."""
    found = {f"kept token {name}": token.strip() for name, token in laboratory.kept_tokens().items()}
    bearer = laboratory.run(
        "sh", "-c", "for f in /srv/lab/condor/credd?/oauth/*/*.use; do cat $f; echo; done", user="root"
    ).output
    found |= {f"bearer token {number}": line for number, line in enumerate(bearer.split())}
    top = laboratory.run("sh", "-c", "cat /srv/lab/condor/credd?/oauth/*/*.top", user="root").output
    long_lived = [word.strip('",') for word in top.split() if word.startswith('"hvs.')]
    return found | {f"long-lived token {number}": word for number, word in enumerate(long_lived)}


@pytest.mark.condor
def test_a_run_with_everything_turned_on_shows_no_secret(condor: Laboratory) -> None:
    condor.run("sh", "-c", "rm -rf /srv/lab/state/service-credd-vault-tokens /home/mtokens/*")
    condor.run("/usr/bin/python3", "-c", f"open('/home/mtokens/watcher.py', 'w').write({WATCHER!r})")
    condor.run("sh", "-c", "/usr/bin/python3 /home/mtokens/watcher.py > /dev/null 2>&1 &", user="root")
    everything = {
        "ANSIBLE_DEBUG": "1",
        "ANSIBLE_LOG_PATH": "/home/mtokens/ansible.log",
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": "/home/mtokens/facts",
    }
    done = condor.push("-vvvv", "--diff", env=everything)
    with condor.fault("vault-403"):
        refused = condor.push("-vvvv", "-e", "managed_tokens_min_token_lifetime=167h", env=everything)
    condor.run(
        "sh",
        "-c",
        "touch /home/mtokens/end; for i in $(seq 50); do [ -e /home/mtokens/seen ] && break; sleep 0.1; done",
    )
    assert done.status == 0, done.output[-3000:]
    assert refused.status == 2
    secrets = secrets_of(condor)
    for kind in ("kept", "bearer", "long"):
        assert len([name for name in secrets if name.startswith(kind)]) == 10, (kind, sorted(secrets))
    shown = {
        "output": done.output,
        "output of the refused run": refused.output,
        "log": condor.run("cat", "/home/mtokens/ansible.log").output,
        "command lines": condor.run("cat", "/home/mtokens/seen").output,
        "files": condor.run("sh", "-c", OWN_FILES, user="root").output,
    }
    assert "htgettoken" in shown["command lines"]
    assert "service-credd-vault-tokens" in shown["log"]
    leaks = [
        f"{what} in the {where}"
        for what, secret in secrets.items()
        for where, text in shown.items()
        if secret[:24] in text
    ]
    assert leaks == []


@pytest.mark.condor
def test_the_search_itself_finds_a_planted_token(condor: Laboratory) -> None:
    """Prove that the search above is one that can find something."""
    assert condor.push().status == 0
    token = next(iter(condor.kept_tokens().values())).strip()
    condor.run("sh", "-c", f"umask 077; echo {token} > /home/mtokens/planted")
    found = condor.run("sh", "-c", OWN_FILES, user="root").output
    condor.run("rm", "/home/mtokens/planted")
    assert token[:24] in found


HOSTILE = """#!/bin/sh
printf 'line {{ 7 * 7 }} %%s \\033[31mred\\033[0m hvs.CAESIJ0123456789abcdefgh ../../x\\n' >&2
head -c 1000000 /dev/zero | tr '\\0' 'x' >&2
printf '\\nlast {{ lookup("pipe", "id") }} \\001 word\\n' >&2
exit 1
"""


def test_hostile_words_of_programs_break_nothing(light: Laboratory) -> None:
    """Prove that they are shown redacted, on one line, without control characters, and never taken for a template."""
    light.lab("heal")
    plant = (
        "import os; os.makedirs('/home/mtokens/evil', exist_ok=True); p = '/home/mtokens/evil/htgettoken'; "
        f"open(p, 'w').write({HOSTILE!r}); os.chmod(p, 0o755)"
    )
    light.run("/usr/bin/python3", "-c", plant)
    path = light.run("sh", "-c", "echo $PATH").output.strip()
    done = light.push("-vv", env={"PATH": f"/home/mtokens/evil:{path}"})
    light.run("rm", "-r", "/home/mtokens/evil")
    assert done.status == 2, done.output[-2000:]
    assert "last {{ lookup(" in done.flat
    assert "uid=50000" not in done.output
    assert "\x1b[31m" not in done.output
    assert "\x01" not in done.output
    assert "hvs.CAESIJ" not in done.output
    assert "x" * 2000 not in done.output
    assert light.push().status == 0
