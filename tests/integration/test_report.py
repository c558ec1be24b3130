# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told what and when, over whole runs: by mail, Slack, metrics, traces, log and files, with real servers where
there are any."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from laboratory import ROOT, Laboratory
from remembered import state_of
from report_scene import ENABLED, SQLITE, Scene, begin

REPORT_SETTINGS = "@/srv/lab/inventory/group_vars/all/report.yml"
SAMPLES = ("ok", "faults", "refresh-uids")


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, reporting: Laboratory) -> t.Iterator[Scene]:
    """Give a scene in which all is well, nobody has been told anything, and the UIDs are known."""
    found = Scene(reporting, SQLITE if request.param == "sqlite" else "")
    if not state_of(reporting, found.database)["uids"]:
        assert found.run(play="refresh_uids").status == 0
    begin(found)
    yield found
    reporting.lab("heal")


def test_failures_are_told_at_the_threshold_reminded_of_and_their_end_is_told_once(scene: Scene) -> None:
    node = scene.lab.nodes_of(scene.lab.service("dune_production"))[0]
    scene.fault("account-refused", "dunepro", node)
    scene.fault("keytab-missing", "novapro")
    told = []
    for _run in range(6):
        assert scene.run().status == 2
        told.append(scene.told())
    assert [len(mails) for mails in told] == [0, 0, 2, 0, 0, 2]
    (admins, of_admins), (people, of_dune) = told[2]
    assert (admins, people) == ("admins@lab.example", "dune@lab.example")
    assert of_admins == "[managed tokens] 1 service failed, 1 node did not get its token (3 runs in a row)"
    assert of_dune.startswith("[managed tokens] dune: dunegpvm01.lab.example did not get its token (3 runs in a row)")
    scene.lab.lab("heal")
    assert scene.run().status == 0
    mails = scene.sinks.mails()
    assert sorted(str(mail["X-Envelope-To"]) for mail in mails) == ["admins@lab.example", "dune@lab.example"]
    assert all("well again" in str(mail["Subject"]).lower() for mail in mails)
    scene.told()
    assert scene.run().status == 0
    assert scene.told() == []
    assert set(state_of(scene.lab, scene.database)["push"].values()) == {0}


def test_what_could_not_be_delivered_is_told_by_the_next_run(scene: Scene) -> None:
    scene.fault("account-refused", "dunepro")
    slack_is_off = ("-e", '{"managed_tokens_slack_webhook": ""}')
    for _run in range(2):
        scene.run(*slack_is_off)
    scene.fault("smtp-down")
    done = scene.run(*slack_is_off)
    assert done.status == 2
    assert "[WARNING]: " in done.output
    assert "mail.lab.example" in done.flat
    assert [count for count in state_of(scene.lab, scene.database)["push"].values() if count] == [3, 3, 3]
    scene.lab.lab("heal", "smtp-down")
    scene.run(*slack_is_off)
    assert [to for to, _subject in scene.told()] == ["admins@lab.example", "dune@lab.example"]
    assert set(state_of(scene.lab, scene.database)["push"].values()) == {0}


def test_slack_gets_what_the_administrators_get(one: Scene) -> None:
    one.fault("account-refused", "dunepro")
    one.run("-e", "managed_tokens_threshold=1")
    (message,) = one.sinks.slack()
    text = json.dumps(message)
    assert "dune_production" in text
    assert "dunegpvm01.lab.example" in text


def test_nobody_is_told_when_they_are_not_to_be(one: Scene) -> None:
    one.fault("account-refused", "dunepro")
    done = one.run("-e", "managed_tokens_threshold=1", "-e", "managed_tokens_notify=false")
    assert one.told() == []
    assert "3 troubles told to nobody: managed_tokens_notify is off" in done.flat
    last = json.loads(one.lab.run("cat", "/srv/lab/state/last_run.json").output)
    assert last["untold"] == {"below_threshold": 0, "reminder_not_due": 0, "notify_off": 3}


def test_a_test_of_the_notifications_leaves_what_real_people_are_told(one: Scene) -> None:
    one.fault("keytab-missing", "dunepro")
    testing = "{managed_tokens_notifications_test: true, managed_tokens_test_admin_emails: [tests@lab.example]}"
    one.run("-e", "managed_tokens_threshold=1", "-e", testing)
    assert [to for to, _subject in one.told()] == ["tests@lab.example"]
    one.run("-e", "managed_tokens_threshold=2")
    ((to, subject),) = one.told()
    assert to == "admins@lab.example"
    assert "2 runs in a row" in subject


def test_in_check_mode_nothing_is_sent_counted_or_stored(one: Scene) -> None:
    one.fault("account-refused", "dunepro")
    before = state_of(one.lab)
    pushed = ours_of(one.sinks.pushed())
    done = one.run("--check", "-e", "managed_tokens_threshold=1")
    assert "Would be told" in done.output
    assert "administrators by mail: 3 troubles" in done.flat
    assert one.told() == []
    assert (one.sinks.slack(), one.sinks.spans(), one.sinks.loki(), one.sinks.pings()) == ([], [], [], [])
    assert ours_of(one.sinks.pushed()) == pushed
    assert state_of(one.lab) == before


def test_every_sender_down_at_once_changes_no_result(one: Scene) -> None:
    one.fault("report-down")
    done = one.run("-e", "managed_tokens_send_timeout=5")
    assert done.status == 0, done.output
    warnings = [line for line in done.output.splitlines() if line.startswith("[WARNING]")]
    assert len(warnings) == len(set(warnings))
    for place in ("pushgateway.lab.example", "otlp.lab.example", "loki.lab.example"):
        assert any(place in line for line in warnings), place
    assert "Traceback" not in done.output


def test_the_metrics_of_the_go_service_are_there_after_the_same_scenes(one: Scene) -> None:
    node = one.lab.nodes_of(one.lab.service("mu2e_production"))[0]
    assert one.run(play="refresh_uids").status == 0
    one.fault("keytab-missing", "dunepro")
    one.fault("account-refused", "mu2epro", node)
    one.fault("vault-403", "nova_analysis")
    for _run in range(3):
        one.run("-e", "managed_tokens_min_token_lifetime=160h", "-e", "managed_tokens_token_getter=condor")
    ours = families(one.sinks.pushed())
    for sample in SAMPLES:
        theirs = families(sample_of(sample))
        for name, (kind, labels) in theirs.items():
            if not name.startswith("managed_tokens_"):
                continue
            assert name in ours, f"{sample}: {name}"
            assert ours[name][0] == kind, name
            assert labels <= ours[name][1], name
    one.lab.wait_until(lambda: bool(one.sinks.query("managed_tokens_failed_kinit_count")), "Prometheus has read it")
    ((series, value),) = one.sinks.query("managed_tokens_failed_kinit_count")
    assert (series["service"], value) == ("dune_production", 1.0)


def ours_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if "managed_tokens" in line]


def sample_of(name: str) -> str:
    return (ROOT / "tests" / "fixtures" / f"metrics-{name}.txt").read_text(encoding="utf-8")


def families(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Give type and label names of every family, those of the Pushgateway's own grouping left out."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels: dict[str, set[str]] = {name: set() for name in kinds}
    for name, inside in re.findall(r"^([a-z_]+)(?:\{([^}]*)\})? ", text, re.MULTILINE):
        family = name if name in kinds else re.sub(r"_(bucket|sum|count)$", "", name)
        if family in labels:
            labels[family] |= set(re.findall(r"([a-z_]+)=\"", inside)) - {"job", "instance"}
    return {name: (kind, frozenset(labels[name])) for name, kind in kinds.items()}


def test_a_limited_run_keeps_the_series_of_the_others(one: Scene) -> None:
    before = families(one.sinks.pushed())
    if not before:
        one.run()
    assert one.run("--limit", "dune").status == 0
    series = {
        labels["service"] for labels, _value in parsed(one.sinks.pushed(), "managed_tokens_last_token_push_timestamp")
    }
    assert series == {service["name"] for service in one.lab.services}


def parsed(text: str, name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (dict(re.findall(r'([a-z_]+)="([^"]*)"', labels)), float(value))
        for labels, value in re.findall(rf"^{name}\{{([^}}]*)\}} (\S+)$", text, re.MULTILINE)
    ]


def test_traces_log_and_file_tell_of_the_run(one: Scene) -> None:
    done = one.run()
    assert done.status == 0
    last = json.loads(one.lab.run("cat", "/srv/lab/state/last_run.json").output)
    assert (last["verdict"], last["counts"]["pairs"]) == ("ok", one.lab.pairs)
    names = [span["name"] for span in one.sinks.spans()]
    assert "token-push" in names
    assert len(names) > one.lab.pairs
    log = one.lab.run("tail", "-n", "1", "/srv/lab/state/report.jsonl").output
    assert last["run"] in log
    assert one.sinks.loki()
    assert [entry for entry in one.sinks.pings() if "start" in json.dumps(entry)]


PUSH, REFRESH = ("token_push", "token-push"), ("refresh_uids", "refresh-uids-from-ferry")
NO_NODES = "The inventory has no group experiments with hosts"


@pytest.mark.parametrize(
    ("play", "words", "said"),
    [
        (PUSH, ("-e", "managed_tokens_vault_sever=typo"), "managed_tokens_vault_sever"),
        (PUSH, ("-e", "{managed_tokens_experiments: {}}"), "managed_tokens_experiments is empty"),
        pytest.param(
            PUSH,
            ("-e", "{managed_tokens_experiments: {dune: {roles: {}}}}"),
            "dune has no roles",
            marks=pytest.mark.long,
        ),
        (PUSH, ("-e", "managed_tokens_service=dune_produktion"), "did you mean 'dune_production'"),
        pytest.param(
            PUSH,
            ("-e", "managed_tokens_service=dune_production", "--limit", "nova"),
            "no service to work on",
            marks=pytest.mark.long,
        ),
        (PUSH, ("-i", "/dev/null", "-e", REPORT_SETTINGS), NO_NODES),
        pytest.param(PUSH, ("-i", "/home/mtokens/without-group"), NO_NODES, marks=pytest.mark.long),
        pytest.param(PUSH, ("-i", "/home/mtokens/without-hosts"), NO_NODES, marks=pytest.mark.long),
        pytest.param(
            REFRESH,
            ("-e", "{managed_tokens_experiments: {}}"),
            "managed_tokens_experiments is empty",
            marks=pytest.mark.long,
        ),
        pytest.param(
            REFRESH,
            ("-e", "managed_tokens_service=dune_produktion"),
            "did you mean 'dune_production'",
            marks=pytest.mark.long,
        ),
        (REFRESH, ("-i", "/dev/null", "-e", REPORT_SETTINGS), "managed_tokens_experiments is not defined"),
    ],
)
def test_a_run_that_could_not_begin_is_told_of_and_is_never_well(
    one: Scene, play: tuple[str, str], words: tuple[str, ...], said: str
) -> None:
    make_inventories_without_nodes(one.lab)
    playbook, program = play
    done = one.run(*words, play=playbook)
    assert done.status == 2
    assert said in done.flat
    assert one.sinks.pings()[-1]["signal"] == "fail"
    ((to, _subject),) = one.told()
    assert to == "admins@lab.example"
    last = json.loads(one.lab.run("cat", "/srv/lab/state/last_run.json").output)
    assert (last["verdict"], last["program"]) == ("refused", program)
    assert one.run(play=playbook).status == 0
    assert json.loads(one.lab.run("cat", "/srv/lab/state/last_run.json").output)["verdict"] == "ok"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("-i", "/home/mtokens/without-hosts", "--limit", "dune"), marks=pytest.mark.long),
        ("-i", "/home/mtokens/without-hosts", "--limit", "localhost"),
        pytest.param(
            ("-i", "/srv/lab/inventory", "-i", "/home/mtokens/without-group", "--limit", "others"),
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_limit_without_a_node_is_refused(one: Scene, words: tuple[str, ...]) -> None:
    """Ansible would skip the play, and call that a success."""
    make_inventories_without_nodes(one.lab)
    done = one.run(*words)
    assert done.status != 0
    assert "No host of the group experiments is in the inventory and --limit" in done.flat


def make_inventories_without_nodes(laboratory: Laboratory) -> None:
    """Make two that have all settings and no node."""
    hosts = {"without-group": {"others": {"hosts": {"other": {}}}}, "without-hosts": {"experiments": {"hosts": {}}}}
    for name, content in hosts.items():
        script = (
            'rm -rf "$1" && mkdir "$1" && cp -r /srv/lab/inventory/group_vars "$1" && printf %s "$2" > "$1/hosts.yml"'
        )
        laboratory.run("sh", "-c", script, "sh", f"/home/mtokens/{name}", json.dumps(content))


def test_the_quiet_mode_says_nothing_unless_something_failed(one: Scene) -> None:
    quiet = {"ANSIBLE_STDOUT_CALLBACK": "fife.managed_tokens.quiet", "MANAGED_TOKENS_SUMMARY": "quiet"}
    assert one.run(env=quiet).output.strip() == ""
    one.fault("account-refused", "dunepro")
    done = one.run(env=quiet)
    lines = done.output.strip().splitlines()
    assert done.status == 2
    assert 0 < len(lines) <= 20
    assert "node administrators:" in done.output


def test_the_report_is_missed_when_the_callback_is_not_enabled_and_a_task_can_do_it(one: Scene) -> None:
    plain = one.lab.push()
    assert "the callback fife.managed_tokens.report is not enabled" in plain.flat
    one.fault("account-refused", "dunepro")
    done = one.lab.push("-e", "managed_tokens_report=task", "-e", "managed_tokens_threshold=1")
    assert done.status == 2
    assert "Managed tokens: token-push" in done.output
    assert [to for to, _subject in one.told()] == ["admins@lab.example", "dune@lab.example"]


def test_no_secret_of_the_report_is_shown(one: Scene) -> None:
    settings = json.loads(one.lab.run("cat", "/srv/lab/inventory/group_vars/all/report.yml").output)
    secrets = [
        settings["managed_tokens_slack_webhook"].rpartition("/")[2],
        settings["managed_tokens_ping_url"].rpartition("/")[2],
    ]
    one.fault("account-refused", "dunepro")
    for fault in ("report-down", "slack-500"):
        one.fault(fault)
        done = one.run(
            "-vvvv", "-e", "managed_tokens_threshold=1", env={"ANSIBLE_LOG_PATH": "/home/mtokens/ansible.log"}
        )
        written = one.lab.run("sh", "-c", "cat /home/mtokens/ansible.log /srv/lab/state/report.jsonl").output
        for secret in secrets:
            assert secret not in done.output + written
        one.lab.lab("heal", fault)
    one.lab.run("rm", "-f", "/home/mtokens/ansible.log")


def test_the_report_works_under_ansible_runner(one: Scene) -> None:
    """What AWX runs; it sets the callbacks that it needs by itself."""
    one.fault("account-refused", "dunepro")
    words = ("ansible-runner", "run", "/home/mtokens/runner", "-p", "fife.managed_tokens.token_push", "--cmdline")
    options = "-e managed_tokens_threshold=1 -e managed_tokens_token_getter=htgettoken"
    one.lab.run("mkdir", "-p", "/home/mtokens/runner/project")
    assignments = [f"{name}={value}" for name, value in ENABLED.items()]
    done = one.lab.run("env", *assignments, *words, options, check=False)
    assert done.status == 2, done.output
    assert "Managed tokens: token-push" in done.output
    assert "What failed, and what to do" in done.output
    assert [to for to, _subject in one.told()] == ["admins@lab.example", "dune@lab.example"]
    one.lab.run("rm", "-rf", "/home/mtokens/runner")
