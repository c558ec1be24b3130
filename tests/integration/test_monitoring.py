# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alerts fire when they should and are silent otherwise, the dashboard shows data, and the role puts both in place:
with a real Prometheus."""

from __future__ import annotations

import itertools
import json
import math
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from alert_cases import CASES, INTERVAL, Case
from laboratory import Done
from monitoring_scene import Prometheus, Site, prometheus, wait_until

if t.TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "managed_tokens_"
ALERT = "ManagedTokens"
DASHBOARD: dict[str, t.Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "roles/monitoring/files/managed_tokens.json").read_text(encoding="utf-8")
)
EXPRESSIONS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Give a site without rules."""
    return Site.new(tmp_path_factory.mktemp("monitoring"))


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Prometheus]:
    """Give a Prometheus that has read the metrics of runs with all sorts of trouble."""
    with prometheus(site, site.write_metrics()) as found:
        yield found


@pytest.fixture(scope="module")
def rules(site: Site, server: Prometheus) -> dict[str, dict[str, t.Any]]:
    """Give the rules by the alerts' names, as the role has put them in place and Prometheus has loaded them."""
    # In check mode first: it says what would be, and does nothing.
    looked = site.play("--check", "--diff")
    assert (looked.status, looked.changed) == (0, 2), looked.output
    assert "+      - alert: ManagedTokensRunsStopped" in looked.output
    assert "Prometheus on localhost knows of the other rules when it has been reloaded" in looked.output
    assert not site.rules.exists()
    assert not site.dashboard.exists()
    assert server.rules() == []
    url = f"{server.address}/-/reload"
    done = site.play(times=2, reload="http", reload_url=url)
    assert (done.status, changes(done)) == (0, [2, 0]), done.output
    wait_until(lambda: bool(server.rules()), "Prometheus has loaded the rules")
    (group,) = yaml.safe_load(site.rules.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def changes(done: Done) -> list[int]:
    """Give how many tasks have changed something in each playbook of a run; a recap counts those before it too."""
    sums = [int(number) for number in re.findall(r"^localhost +:.* changed=(\d+)", done.output, re.MULTILINE)]
    return [after - before for before, after in itertools.pairwise([0, *sums])]


# -- alerts ---------------------------------------------------------


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(rules: dict[str, t.Any]) -> None:
    for fires in (True, False):
        assert {ALERT + case.alert for case in CASES if bool(case.summary) is fires} == rules.keys()


def test_alerts_fire_and_are_silent_as_they_should(site: Site, rules: dict[str, t.Any]) -> None:
    # Each test is a database of its own: cases with the same series share one.
    alike: dict[tuple[tuple[str, str], ...], list[Case]] = {}
    for case in CASES:
        alike.setdefault(tuple(case.series.items()), []).append(case)
    tests = [
        {
            "interval": INTERVAL,
            "input_series": [{"series": PREFIX + name, "values": values} for name, values in series],
            "alert_rule_test": [
                {"eval_time": case.at, "alertname": ALERT + case.alert, "exp_alerts": expected(case, rules)}
                for case in cases
            ],
        }
        for series, cases in alike.items()
    ]
    path = site.directory / "cases.yml"
    path.write_text(json.dumps({"rule_files": [str(site.rules)], "evaluation_interval": INTERVAL, "tests": tests}))
    done = site.run("promtool", "test", "rules", str(path))
    assert done.status == 0, done.output


def expected(case: Case, rules: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Give what promtool has to find; it wants every word of the annotations."""
    if not case.summary:
        return []
    rule = rules[ALERT + case.alert]
    said = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: case.labels[found[1]], rule["annotations"]["description"])
    annotations = {**rule["annotations"], "summary": case.summary, "description": said}
    return [{"exp_labels": {**case.labels, **rule["labels"]}, "exp_annotations": annotations}]


def test_every_rule_is_evaluated_without_trouble_on_real_metrics(server: Prometheus, rules: dict[str, t.Any]) -> None:
    def are_evaluated() -> bool:
        return all(not rule["lastEvaluation"].startswith("0001") for rule in server.rules())

    wait_until(are_evaluated, "Prometheus has evaluated the rules")
    found = {rule["name"]: rule for rule in server.rules()}
    assert found.keys() == rules.keys()
    assert {name: rule.get("lastError") for name, rule in found.items() if rule["health"] != "ok"} == {}


# -- the dashboard ---------------------------------------------------------


def test_dashboard_is_the_one_that_was_put_in_place(site: Site, rules: dict[str, t.Any]) -> None:
    assert rules
    assert json.loads(site.dashboard.read_text(encoding="utf-8")) == DASHBOARD


def test_every_expression_of_the_dashboard_has_data(server: Prometheus) -> None:
    assert len(EXPRESSIONS) > 30
    for title, expression in EXPRESSIONS:
        found = server.query(re.sub(r"\$\w+", ".*", expression))
        assert found, (title, expression)
        assert not any(math.isnan(value) for _labels, value in found), (title, expression)


def test_every_expression_of_the_dashboard_obeys_the_choice_of_an_installation(server: Prometheus) -> None:
    always = {"count(count by (node) ", "count("}
    for title, expression in EXPRESSIONS:
        found = server.query(re.sub(r"\$\w+", "another", expression))
        # What counts failures says 0 when there are none.
        if " or vector(0)" in expression:
            assert any(expression.startswith(word) for word in always), title
            assert [value for _labels, value in found] == [0.0], title
        else:
            assert found == [], title


def test_variables_of_the_dashboard_have_values(server: Prometheus) -> None:
    queries = [item["definition"] for item in DASHBOARD["templating"]["list"] if item["type"] == "query"]
    assert len(queries) == 2
    for query in queries:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
        assert found, query
        assert all(found[2] in labels for labels, _value in server.query(found[1].replace("$job", ".*"))), query
        assert server.query(found[1].replace("$job", ".*")), query


# -- the role ---------------------------------------------------------


def test_role_refuses_rules_that_promtool_refuses_and_leaves_the_old_ones(site: Site, rules: dict[str, t.Any]) -> None:
    before = site.rules.read_bytes()
    # An own program in promtool's place, which finds everything wrong.
    program = site.directory / "fussy"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no good: $*" >&2\nexit 1\n')
    program.chmod(0o755)
    done = site.play(promtool=str(program), margin_hours=1, dashboards_dir="")
    assert rules
    assert done.status == 2, done.output
    assert "no good: check rules /" in done.output
    assert site.rules.read_bytes() == before


MISTAKES: tuple[tuple[dict[str, t.Any], str], ...] = (
    ({"rules_dir": "/nonexistent", "promtool": ""}, "/nonexistent is no directory on localhost."),
    (
        {
            "margin_ours": 1,
            "alerts": {"ManagedTokensOlld": {}, "ManagedTokensOld": {"four": 1, "for": "soon", "labels": {"a-b": "c"}}},
            "labels": {"0": "d"},
            "reload": "command",
        },
        (
            "There is no setting managed_tokens_monitoring_margin_ours. "
            "managed_tokens_monitoring_alerts: there is no alert ManagedTokensOlld. "
            "managed_tokens_monitoring_alerts: an alert has no four; it has enabled, severity, for and labels. "
            "No name for a label: 0, a-b. "
            "managed_tokens_monitoring_alerts: for is no time such as 10m: soon. "
            "managed_tokens_monitoring_reload is command, and managed_tokens_monitoring_reload_command names none."
        ),
    ),
)


@pytest.mark.parametrize(("settings", "sentence"), MISTAKES, ids=["directory", "settings"])
def test_role_says_what_is_wrong_with_its_settings(tmp_path: Path, settings: dict[str, t.Any], sentence: str) -> None:
    site = Site.new(tmp_path / "site")
    done = site.play("--check", **settings)
    assert done.status == 2
    assert sentence in " ".join(done.output.split())
    assert not site.rules.exists()


def test_role_takes_rules_and_dashboard_away(site: Site, server: Prometheus, rules: dict[str, t.Any]) -> None:
    assert rules
    settings = {"state": "absent", "reload": "command", "reload_command": ["touch", str(site.directory / "reloaded")]}
    done = site.play(times=2, **settings)
    # The handler's command is a change too.
    assert (done.status, changes(done)) == (0, [3, 0]), done.output
    assert (site.directory / "reloaded").exists()
    assert not site.rules.exists()
    assert not site.dashboard.exists()
    assert server.query("up")
