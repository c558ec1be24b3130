# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure a refresh of many UIDs against asking in the Go program's way: every account at once, each over a connection
of its own, for which certificate, key and all CA files are loaded again.

Usage: refresh_uids.py [TURNS [ACCOUNTS]]. Ours and the other take turns; prints medians of wall seconds, what the
registry counted, and the ratio. Ours is the whole playbook, Ansible's start and the database included; the other is
a Python program that only asks.
"""

from __future__ import annotations

import json
import statistics
import sys
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from laboratory import VENV, Done, Laboratory

ANSWER_S = "0.02"
LOG = "/srv/lab/log/ferry.jsonl"
DATABASE = "/srv/lab/state/bench.db"
SETTINGS = "/srv/lab/state/bench.json"
CONCURRENCY = 16

ONE_BY_ONE = """
import concurrent.futures, glob, http.client, json, ssl, sys
def ask(account):
    context = ssl.create_default_context(cafile=sorted(glob.glob("/srv/lab/pki/ca/*.pem"))[0])
    for path in glob.glob("/srv/lab/pki/ca/*.pem"):
        context.load_verify_locations(path)
    context.load_cert_chain("/srv/lab/pki/mtokens.crt", "/srv/lab/pki/mtokens.key")
    connection = http.client.HTTPSConnection("ferry.lab.example", 8445, context=context, timeout=60)
    try:
        connection.request("GET", "/getUserInfo?username=" + account)
        return json.loads(connection.getresponse().read())["ferry_output"]["uid"]
    except OSError:
        return 0
    finally:
        connection.close()
accounts = ["bulk%04d" % number for number in range(1, int(sys.argv[1]) + 1)]
with concurrent.futures.ThreadPoolExecutor(len(accounts)) as pool:
    print(sum(uid > 0 for uid in pool.map(ask, accounts)))
"""


def counted(laboratory: Laboratory, work: t.Callable[[], Done]) -> tuple[Done, int, int]:
    """Give how the work ended, and how many connections and requests the registry has seen of it."""
    before = int(laboratory.run("sh", "-c", f"wc -l < {LOG}", user="root").output)
    done = work()
    lines = laboratory.run("tail", "-n", f"+{before + 1}", LOG, user="root").output.splitlines()
    events = [json.loads(line)["event"] for line in lines]
    return done, events.count("connection"), events.count("request")


def prepare(laboratory: Laboratory, accounts: int) -> None:
    """Let the registry have the accounts and answer slowly, and write the configuration that has them."""
    control = laboratory.layout["paths"]["control"]
    laboratory.run("sh", "-c", f"echo {accounts} > {control}/ferry-accounts", user="root")
    laboratory.lab("fault", "ferry-slow", ANSWER_S)
    roles = {f"role{number:04d}": {"account": f"bulk{number:04d}"} for number in range(1, accounts + 1)}
    settings = {
        "managed_tokens_experiments": {"dune": {"roles": roles}},
        "managed_tokens_database": DATABASE,
        "managed_tokens_ferry_concurrency": CONCURRENCY,
    }
    write = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    laboratory.run("/usr/bin/python3", "-c", write, SETTINGS, json.dumps(settings))


def main(words: t.Sequence[str]) -> None:
    """Run both in turns and print a table."""
    turns = int(words[0]) if words else 5
    accounts = int(words[1]) if len(words) > 1 else 1000
    laboratory = Laboratory("bench-refresh")
    laboratory.up("--light", "--experiments", "1", "--roles", "1", "--nodes", "1")
    seconds: dict[str, list[float]] = {"ours": [], "one by one": []}
    seen: dict[str, tuple[int, int, str]] = {}
    try:
        prepare(laboratory, accounts)
        for _turn in range(turns):
            laboratory.run("rm", "-f", DATABASE)
            done, connections, requests = counted(laboratory, lambda: laboratory.refresh("-e", f"@{SETTINGS}"))
            if done.status or f"{accounts} new" not in done.flat:
                raise SystemExit(done.output)
            seconds["ours"].append(done.seconds)
            seen["ours"] = connections, requests, str(accounts)
            done, connections, requests = counted(
                laboratory,
                lambda: laboratory.run(f"{VENV}/bin/python", "-c", ONE_BY_ONE, str(accounts), check=False),
            )
            seconds["one by one"].append(done.seconds)
            seen["one by one"] = connections, requests, done.output.strip().rpartition("\n")[2]
    finally:
        laboratory.lab("down", check=False)
    print(f"{accounts} accounts, {ANSWER_S} s for an answer, medians of {turns} turns, wall seconds")
    print(f"{'':<14}{'seconds':>9}{'(all)':>28}{'connections':>13}{'requests':>10}{'UIDs':>7}")
    for name, found in seconds.items():
        every = " ".join(f"{value:.2f}" for value in found)
        connections, requests, uids = seen[name]
        print(f"{name:<14}{statistics.median(found):>9.2f}{every:>28}{connections:>13}{requests:>10}{uids:>7}")
    ratio = statistics.median(seconds["ours"]) / statistics.median(seconds["one by one"])
    print(f"ours takes {ratio:.2f} of the other's time")


if __name__ == "__main__":
    main(sys.argv[1:])
