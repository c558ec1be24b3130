# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the report of a run in which very much failed: CPU, memory, and what arrives, in a laboratory's own servers.

Usage: large_report.py [PAIRS]. The failures of 30 experiments are made up and recorded in a database of their own; from
there on everything is real: policy, mails, Slack, Pushgateway, traces, log, Loki, files.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from laboratory import VENV, Laboratory
from report_sinks import ReportSinks

EXPERIMENTS = 30
REPORT = """
import json, resource, sys, time
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import remember_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
pairs, experiments = int(sys.argv[1]), int(sys.argv[2])
given = json.load(open("/srv/lab/inventory/group_vars/all/report.yml"))
values = {name.removeprefix("managed_tokens_"): value for name, value in given.items()}
values["database"] = "/srv/lab/state/large.db"
values["threshold"] = 1
settings = ReportSettings.from_options(lambda name: values.get(name, getattr(ReportSettings(), name)))
status = "failed" if pairs > 1 else "ok"
outcomes = [
    Outcome("push", status, f"exp{n % experiments:02d}_production", f"exp{n % experiments:02d}_production",
            node=f"node{n:05d}.lab.example", kind="node_unreachable", started=time.time(), seconds=1.0,
            message=f"exp{n % experiments:02d}_production on node{n:05d}.lab.example: it did not answer at port 22.")
    for n in range(pairs)
]
contacts = {f"exp{n:02d}_production": Contact(f"exp{n:02d}", (f"exp{n:02d}@lab.example",)) for n in range(experiments)}
run = Run.begin(Timeouts())
collected = Collected(run=run.id, started=run.started, ended=time.time(), outcomes=outcomes, contacts=contacts,
                      was_recorded=True)
def used():
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime, found.ru_maxrss / 1024
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report import report
remember_run(open_state(values["database"], "", 10.0), run, outcomes, program="token-push", owner=None, message="")
before, mark = used(), time.monotonic()
shown, warned = [], []
report(collected, settings, lambda text, is_warning=False: (warned if is_warning else shown).append(text))
after = used()
print(json.dumps({"cpu": after[0] - before[0], "seconds": time.monotonic() - mark, "memory": after[1],
                  "lines": len(shown), "warnings": warned}))
"""


def main(words: t.Sequence[str]) -> None:
    """Print what it took, and what arrived."""
    pairs = int(words[0]) if words else 3000
    laboratory = Laboratory("bench-report")
    laboratory.up("--light", "--report", "--experiments", "1", "--roles", "1", "--nodes", "1")
    try:
        sinks = ReportSinks(laboratory)
        sinks.clear()
        program = ("env", "PYTHONPATH=/srv/ansible", f"{VENV}/bin/python", "-c", REPORT)
        idle = json.loads(laboratory.run(*program, "1", str(EXPERIMENTS)).output)
        sinks.clear()
        found = json.loads(laboratory.run(*program, str(pairs), str(EXPERIMENTS)).output)
        mails, posts = sinks.mails(), sinks.slack()
    finally:
        laboratory.lab("down", check=False)
    recipients = {str(mail["X-Envelope-To"]) for mail in mails}
    print(
        f"{pairs} failed pairs of {EXPERIMENTS} experiments: {found['cpu']:.2f} s CPU, {found['seconds']:.2f} s wall,"
    )
    print(
        f"{found['memory'] - idle['memory']:.0f} MB above the {idle['memory']:.0f} MB of a report with nothing to tell;"
    )
    print(f"{len(mails)} mails to {len(recipients)} recipients,")
    print(f"{len(posts)} posts to Slack, {found['lines']} lines shown, warnings: {found['warnings'] or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
