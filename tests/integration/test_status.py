# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is everything well? The page, the playbook and the module say it alike, red and green in the same run as all else."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from laboratory import Done, Laboratory
from remembered import python, state_of
from report_sinks import ReportSinks

ENABLED = {"ANSIBLE_CALLBACKS_ENABLED": "fife.managed_tokens.report"}
PAGE = "/srv/lab/state/status.html"
OTHER_PAGE = "/srv/lab/state/other.html"
LAST_RUN = "/srv/lab/state/status-last-run.json"
# Lets everything that is remembered be so many seconds longer ago.
AGE = """
import sys
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import open_state
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
with open_state(sys.argv[1], "", 30.0).write() as db:
    for table, names in ((schema().results, ("attempted", "succeeded")), (schema().runs, ("started", "ended"))):
        db.execute(table.update().values({name: table.c[name] - float(sys.argv[2]) for name in names}))
"""


class Scene:
    """A laboratory in which every run writes the page and what other programs read."""

    def __init__(self, laboratory: Laboratory) -> None:
        self.lab = laboratory
        self.sinks = ReportSinks(laboratory)

    def run(self, *options: str, play: str = "token_push", getter: str = "condor") -> Done:
        written = {"managed_tokens_status_page": PAGE, "managed_tokens_last_run_file": LAST_RUN}
        more = ("-e", json.dumps(written), "-e", f"managed_tokens_token_getter={getter}", *options)
        return self.lab.play(f"fife.managed_tokens.{play}", *more, env=ENABLED)

    def status(self, *options: str) -> Done:
        return self.lab.play("fife.managed_tokens.status", *options, env=ENABLED)

    def page(self, path: str = PAGE) -> str:
        return self.lab.run("cat", path).output

    def title(self, path: str = PAGE) -> str:
        return "".join(re.findall(r"<title>(.*)</title>", self.page(path)))

    def colour(self, path: str = PAGE) -> str:
        return "".join(re.findall(r'<header class="(\w+)">', self.page(path)))

    def last_run(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads(self.lab.run("cat", LAST_RUN).output)
        return found

    def prometheus(self, question: str) -> float:
        """Give the one value that Prometheus answers with, -1 for none."""
        found = self.sinks.query(question)
        return found[0][1] if len(found) == 1 else -1.0


@pytest.fixture
def scene(reporting: Laboratory) -> t.Iterator[Scene]:
    """Give a scene in which all is well."""
    found = Scene(reporting)
    reporting.lab("heal")
    done = found.run()
    assert done.status == 0, done.output
    assert found.run(play="refresh_uids").status == 0
    assert found.title() == "Tokens: all well"
    yield found
    reporting.lab("heal")


def test_a_fault_turns_all_red_and_the_run_after_it_all_green(scene: Scene) -> None:
    node = scene.lab.nodes_of(scene.lab.service("dune_production"))[0]
    well = 'managed_tokens_run_success{executable="token-push"}'
    failed = "managed_tokens_failed_services_push_count"
    scene.lab.lab("fault", "account-refused", "dunepro", node)
    scene.lab.lab("fault", "keytab-missing", "novapro")
    bad = scene.run()
    assert bad.status == 2
    assert (scene.colour(), scene.title()) == ("red", "Tokens: 2 problems")
    text = scene.page()
    assert f"<b>dune_production on {node}</b>" in text
    assert "<b>nova_production, ticket</b>" in text
    assert "Install the keytab at the path in the message." in text
    assert scene.last_run()["verdict"] == "partial"
    assert state_of(scene.lab)["push"][f"dune_production@{node}"] > 0
    scene.lab.wait_until(lambda: scene.prometheus(well) == 0.0, "Prometheus has read of the failure")
    told = scene.status("-e", "managed_tokens_status_fail=true")
    assert told.status == 2
    assert "RED: 2 problems" in told.output
    assert scene.status().status == 0

    scene.lab.lab("heal")
    good = scene.run()
    assert good.status == 0
    assert (scene.colour(), scene.title()) == ("green", "Tokens: all well")
    assert scene.last_run()["verdict"] == "ok"
    assert scene.last_run()["run"] in scene.page()
    after = state_of(scene.lab)
    assert {row["status"] for row in after["results"]} <= {"ok", "changed"}
    assert set(after["push"].values()) | set(after["setup"].values()) <= {0}
    scene.lab.wait_until(lambda: scene.prometheus(well) == 1.0, "Prometheus has read of the recovery")
    assert scene.prometheus(failed) == 0.0
    told = scene.status("-e", "managed_tokens_status_fail=true")
    assert told.status == 0
    assert "GREEN: all well" in told.output


@pytest.mark.long
def test_a_failed_refresh_is_red_until_the_next_good_one(scene: Scene) -> None:
    scene.lab.lab("fault", "ferry-unknown", "dunepro")
    assert scene.run(play="refresh_uids").status == 2
    assert scene.colour() == "red"
    assert "account dunepro" in scene.page()
    scene.lab.lab("heal")
    assert scene.run(play="refresh_uids").status == 0
    assert scene.title() == "Tokens: all well"


@pytest.mark.long
def test_a_run_that_is_refused_or_not_remembered_is_never_green(scene: Scene) -> None:
    assert scene.run("-e", "managed_tokens_vault_servr=x").status == 2
    assert scene.colour() == "red"
    assert "managed_tokens_vault_servr is unknown" in scene.page()
    scene.run(getter="htgettoken")
    assert scene.colour() == "green"
    with scene.lab.fault("database-down"):
        assert scene.run("-e", "managed_tokens_database_timeout=2", getter="htgettoken").status == 2
        assert scene.colour() == "red"
        assert "state database" in scene.page()
        told = scene.status("-e", "managed_tokens_status_fail=true", "-e", "managed_tokens_database_timeout=2")
        assert told.status == 2
        assert "RED" in told.output
    assert scene.run(getter="htgettoken").status == 0
    assert scene.title() == "Tokens: all well"


@pytest.mark.long
def test_time_alone_turns_it_red_and_a_run_that_was_killed_too(scene: Scene) -> None:
    script = (
        "import os, sys, signal, subprocess, time\n"
        "run = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)\n"
        "for line in run.stdout:\n"
        "    if 'Find out which nodes answer' in line: break\n"
        "run.kill(); run.wait()"
    )
    words = ("ansible-playbook", "fife.managed_tokens.token_push", "-e", "managed_tokens_token_getter=htgettoken")
    scene.lab.lab("fault", "node-blackholed", scene.lab.nodes[-1])
    scene.lab.run("env", "PYTHONUNBUFFERED=1", "/usr/bin/python3", "-c", script, *words)
    scene.lab.lab("heal")
    told = scene.status("-e", "managed_tokens_status_fail=true")
    assert told.status == 2
    assert "The last run was interrupted" in told.flat
    assert scene.run(getter="htgettoken").status == 0
    assert scene.title() == "Tokens: all well"
    python(scene.lab, "-c", AGE, scene.lab.database, "7200")
    assert scene.status("-e", "managed_tokens_status_fail=true").status == 0
    told = scene.status("-e", "managed_tokens_status_fail=true", "-e", "managed_tokens_status_max_age=1h")
    assert told.status == 2
    assert "No run has been well for 2 h, longer than 60 min; 20 places of 5 services had no token since" in told.flat


def test_check_mode_writes_no_page_and_says_so(scene: Scene) -> None:
    before = scene.page()
    scene.lab.lab("fault", "account-refused", "dunepro")
    done = scene.run("--check")
    assert f"the status page {PAGE} would be written" in done.flat
    assert scene.page() == before


@pytest.mark.long
def test_a_page_that_cannot_be_written_is_one_warning(scene: Scene) -> None:
    done = scene.run("-e", "managed_tokens_status_page=/srv/lab/nowhere/status.html", getter="htgettoken")
    assert done.status == 0
    warnings = [line for line in done.output.splitlines() if line.startswith("[WARNING]")]
    assert len(warnings) == 1
    assert "The status page /srv/lab/nowhere/status.html cannot be written: its directory does not exist" in done.flat


@pytest.mark.long
def test_the_playbook_writes_the_page_reads_only_and_reports_to_nobody(scene: Scene) -> None:
    scene.sinks.clear()
    before, last_run = state_of(scene.lab), scene.last_run()
    done = scene.status(
        "-e", f"managed_tokens_status_page={OTHER_PAGE}", "-e", f"managed_tokens_last_run_file={LAST_RUN}"
    )
    assert done.status == 0
    assert scene.title(OTHER_PAGE) == "Tokens: all well"
    assert scene.lab.run("stat", "-c", "%a", OTHER_PAGE).output.strip() == "644"
    assert state_of(scene.lab) == before
    assert scene.last_run() == last_run
    assert (scene.sinks.pings(), scene.sinks.spans(), scene.sinks.raw_mails()) == ([], [], [])
    assert "Managed tokens: token-push" not in done.output


@pytest.mark.long
def test_every_line_fits_eighty_columns(scene: Scene) -> None:
    scene.lab.lab("fault", "account-refused", "dunepro")
    scene.run(getter="htgettoken")
    output = scene.status().output
    shown = [line for line in output.splitlines() if line.startswith("    ")]
    assert any("RED: 3 problems" in line for line in shown)
    assert max(map(len, shown)) <= 80


@pytest.mark.long
def test_the_module_on_a_token_host_says_the_same(scene: Scene) -> None:
    scene.lab.allow_ssh_to_token_host()
    scene.lab.lab("fault", "account-refused", "dunepro")
    scene.run(getter="htgettoken")
    here = scene.status()
    there = scene.status(
        "-i", "/srv/lab/inventory", "-i", "/home/mtokens/tokenhost.json", "-e", "managed_tokens_token_host=tokenhost",
        "-e", f"managed_tokens_status_page={OTHER_PAGE}",
    )  # fmt: skip
    assert there.status == 0, there.output
    assert "-> tokenhost" in there.output

    def table(done: Done) -> list[str]:
        return re.findall(r"^ +(\w+_\w+ +\d+ +\S+ +\d/\d)", done.output, re.MULTILINE)

    assert len(table(here)) == len(scene.lab.services)
    assert table(here) == table(there)
    assert scene.title(OTHER_PAGE) == scene.title() == "Tokens: 3 problems"


@pytest.mark.long
def test_quiet_says_one_line_when_all_is_not_well(scene: Scene) -> None:
    quiet = {"ANSIBLE_STDOUT_CALLBACK": "fife.managed_tokens.quiet"}
    words = ("fife.managed_tokens.status", "-e", "managed_tokens_status_fail=true")
    assert (scene.lab.play(*words, env=quiet).output, scene.lab.play(*words, env=quiet).status) == ("", 0)
    scene.lab.lab("fault", "account-refused", "mu2epro", scene.lab.nodes[-1])
    scene.run(getter="htgettoken")
    done = scene.lab.play(*words, env=quiet)
    assert done.status == 2
    assert done.output == f"red: 1 problem: mu2e_production on {scene.lab.nodes[-1]}.\n"
