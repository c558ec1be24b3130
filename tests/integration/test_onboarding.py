# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take services in, with a person at a browser who approves, denies, stays away, is somebody else; in a terminal and
in the event stream of ansible-runner."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import Laboratory
from onboarding_scene import (
    ADDRESS,
    OTHER,
    PLAYBOOK,
    SERVICE,
    behave,
    code_of,
    forget,
    login_log,
    no_programs,
    stored,
    watched,
    words,
)
from onboarding_terminal import Terminal
from report_sinks import ReportSinks

pytestmark = pytest.mark.condor


def test_a_new_service_is_named_by_token_push_onboarded_in_a_terminal_and_pushed_without_a_person(
    site: Laboratory,
) -> None:
    forget(site, SERVICE)
    pushed = site.push()
    assert pushed.status == 2
    assert f"ansible-playbook {PLAYBOOK} -e managed_tokens_service={SERVICE}" in pushed.flat
    assert stored(site, SERVICE) == {}
    with Terminal(site, *words(SERVICE)) as terminal:
        shown = terminal.wait_for(ADDRESS)
        code = code_of(site, SERVICE)
        shown = terminal.wait_for(f"When asked for a code, enter {code}")
        # It is still waited for: nobody has approved anything.
        assert f"{ADDRESS}{code}" in shown
        assert "is approved" not in shown
        assert [line["what"] for line in login_log(site) if line["code"] == code] == ["started"]
        site.lab("approve", SERVICE)
        done = terminal.end()
    assert done.status == 0, done.output
    assert f"{SERVICE}: the login is approved." in done.flat
    assert "1 of 1 services onboarded" in done.flat
    assert sorted(stored(site, SERVICE)) == ["credd1", "credd2"]
    logins = len(login_log(site))
    again = site.push()
    assert again.status == 0, again.output
    assert len(login_log(site)) == logins


def test_the_address_is_in_the_event_stream_of_ansible_runner_while_it_waits(site: Laboratory) -> None:
    forget(site, SERVICE)
    home = "/home/mtokens/runner"
    site.run("mkdir", "-p", f"{home}/project")
    runner = ["ansible-runner", "run", home, "-p", PLAYBOOK, "-i", "onboarding"]
    with Terminal(site, *runner, "--cmdline", f"-e managed_tokens_service={SERVICE}") as terminal:
        events = f"cat {home}/artifacts/onboarding/job_events/*.json 2> /dev/null; :"
        terminal.wait_for(ADDRESS)
        code = code_of(site, SERVICE)
        site.wait_until(
            lambda: f"{ADDRESS}{code}" in site.run("sh", "-c", events).output, "the address is in an event", 10
        )
        assert [line["what"] for line in login_log(site) if line["code"] == code] == ["started"]
        site.lab("approve", code)
        done = terminal.end()
    site.run("rm", "-rf", home)
    assert done.status == 0, done.output
    assert "1 of 1 services onboarded" in done.flat


def test_a_service_that_has_all_it_needs_is_left_alone(site: Laboratory) -> None:
    before, logins = stored(site, SERVICE), len(login_log(site))
    done = watched(site, SERVICE)
    assert done.status == 0, done.output
    assert done.changed == 0, done.output
    assert f"{SERVICE} is onboarded: nobody has to log in." in done.flat
    assert (stored(site, SERVICE), len(login_log(site))) == (before, logins)


@pytest.mark.parametrize(
    ("behaviour", "options", "sentence"),
    [
        ("deny", {}, "the login was refused: access_denied"),
        pytest.param(
            "wrong-person", {}, "vault does not let whoever logged in store the refresh token", marks=pytest.mark.long
        ),
        pytest.param(
            "never", {"timeouts": {"login": 3}}, "nobody approved the login within 3 s", marks=pytest.mark.long
        ),
    ],
)
@pytest.mark.parametrize("is_new", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_login_that_does_not_come_about_says_why_and_costs_nothing(
    site: Laboratory, behaviour: str, options: dict[str, t.Any], sentence: str, is_new: bool
) -> None:
    if is_new:
        forget(site, SERVICE)
    behave(site, behaviour)
    before, kept = stored(site, SERVICE), site.kept_tokens()
    done = watched(site, SERVICE, onboarding_force=not is_new, **options)
    assert done.status == 2, done.output
    assert sentence in done.flat
    assert "0 of 1 services onboarded" in done.flat
    assert (stored(site, SERVICE), site.kept_tokens()) == (before, kept)
    assert no_programs(site) == []
    site.lab("heal")
    assert site.push().status == 0


@pytest.mark.long
def test_a_forced_login_of_a_working_service_replaces_its_token(site: Laboratory) -> None:
    behave(site, "slow_down")
    kept, logins = site.kept_tokens(), len(login_log(site))
    done = watched(site, SERVICE, onboarding_force=True)
    assert done.status == 0, done.output
    assert [line["what"] for line in login_log(site)[logins:]] == ["started", "approved"]
    changed = {name for name, token in site.kept_tokens().items() if kept[name] != token}
    assert changed == {name for name in kept if name.endswith(f"credd1.lab.example-{SERVICE}")}
    assert site.push().status == 0


@pytest.mark.parametrize("is_new", [True, pytest.param(False, marks=pytest.mark.long)])
def test_ctrl_c_while_it_waits_leaves_nothing(site: Laboratory, is_new: bool) -> None:
    if is_new:
        forget(site, SERVICE)
    before, kept = stored(site, SERVICE), site.kept_tokens()
    with Terminal(site, *words(SERVICE, onboarding_force=not is_new)) as terminal:
        terminal.wait_for(ADDRESS)
        terminal.press_ctrl_c()
        done = terminal.end(30)
    assert done.status not in (0, 2, 4), done.output
    assert no_programs(site) == []
    assert site.leftovers() == []
    assert (stored(site, SERVICE), site.kept_tokens()) == (before, kept)
    site.lab("heal")
    assert site.push().status == 0


@pytest.mark.long
def test_a_killed_run_ends_its_login(site: Laboratory) -> None:
    forget(site, SERVICE)
    with Terminal(site, *words(SERVICE)) as terminal:
        terminal.wait_for(ADDRESS)
        # The playbook and its worker at once, so that the kernel alone is left to end the login.
        listed = site.run("ps", "-ww", "-u", "mtokens", "-o", "pid=,comm=,args=", user="root").output.splitlines()
        run = [line.split()[0] for line in listed if f"ansible-playbook {PLAYBOOK}" in line and "mt-guard" not in line]
        site.run("kill", "-KILL", *run, user="root")
        terminal.end(30)
    assert no_programs(site) == []
    assert site.leftovers() == []


def test_two_onboardings_of_different_services_do_not_disturb_each_other(site: Laboratory) -> None:
    for service in (SERVICE, OTHER):
        forget(site, service)
    with Terminal(site, *words(SERVICE)) as first, Terminal(site, *words(OTHER)) as second:
        first.wait_for(ADDRESS)
        second.wait_for(ADDRESS)
        # The one that began later ends first.
        site.lab("approve", OTHER)
        assert second.end().status == 0, second.text
        assert "is approved" not in first.text
        site.lab("approve", SERVICE)
        assert first.end().status == 0, first.text
    for terminal, own, foreign in ((first, SERVICE, OTHER), (second, OTHER, SERVICE)):
        assert code_of(site, own) in terminal.text
        assert code_of(site, foreign) not in terminal.text
    tops = {service: stored(site, service) for service in (SERVICE, OTHER)}
    assert [sorted(found) for found in tops.values()] == [["credd1", "credd2"]] * 2
    assert site.push().status == 0


@pytest.mark.long
def test_several_services_log_in_one_after_another_and_one_that_is_denied_costs_only_itself(site: Laboratory) -> None:
    for service in (SERVICE, OTHER):
        forget(site, service)
    site.lab("heal", "oidc")
    site.lab("fault", "oidc", "deny", SERVICE)
    logins = len(login_log(site))
    done = watched(site, SERVICE, OTHER)
    assert done.status == 2, done.output
    assert f"{SERVICE}: the login was refused: access_denied" in done.flat
    assert f"{OTHER}: somebody of nova has to log in with a web browser (login 2 of 2)." in done.flat
    assert "1 of 2 services onboarded" in done.flat
    events = [(line["what"], line["service"]) for line in login_log(site)[logins:]]
    assert events == [("started", SERVICE), ("denied", SERVICE), ("started", OTHER), ("approved", OTHER)]
    assert stored(site, SERVICE) == {}
    assert sorted(stored(site, OTHER)) == ["credd1", "credd2"]


@pytest.mark.long
def test_the_address_is_sent_by_mail_and_to_slack_and_stakeholders_hear_nothing(site: Laboratory) -> None:
    forget(site, SERVICE)
    sinks = ReportSinks(site)
    sinks.clear()
    # Nobody watches: what is sent is enough.
    argv = words(SERVICE, onboarding_mail="somebody@lab.example", onboarding_slack=True, threshold=1)
    with Terminal(site, "env", "ANSIBLE_CALLBACKS_ENABLED=fife.managed_tokens.report", *argv) as terminal:
        terminal.wait_for("The address was sent to somebody@lab.example.")
        terminal.wait_for("The address was sent to Slack.")
        code = code_of(site, SERVICE)
        site.lab("fault", "oidc", "deny", SERVICE)
        done = terminal.end()
    assert done.status == 2, done.output
    (mail,) = sinks.mails()
    assert mail["X-Envelope-To"] == "somebody@lab.example"
    assert mail["Subject"] == f"[managed tokens] {SERVICE} needs your login"
    assert f"{ADDRESS}{code}" in mail.get_content()
    (post,) = sinks.slack()
    assert f"{ADDRESS}{code}" in json.dumps(post)


@pytest.mark.long
def test_push_goes_on_to_the_nodes(site: Laboratory) -> None:
    forget(site, SERVICE)
    behave(site, "approve")
    service = site.service(SERVICE)
    path = f"/tmp/vt_u{service['uid']}-{SERVICE}"
    there = site.all_files()
    before = {there[node][path][2] for node in site.nodes_of(service)}
    done = watched(site, SERVICE, push=True)
    assert done.status == 0, done.output
    there = site.all_files()
    after = {node: there[node][path][2] for node in site.nodes_of(service)}
    assert set(after.values()) <= set(site.kept_tokens().values())
    assert not set(after.values()) & before
    assert f"{len(after)} of {len(after)} nodes have the token" in done.flat


@pytest.mark.long
def test_a_credd_that_is_down_gets_the_token_later_and_the_login_counts(site: Laboratory) -> None:
    forget(site, SERVICE)
    behave(site, "approve")
    site.lab("fault", "credd-down", "credd1")
    done = watched(site, SERVICE, credds=["credd1.lab.example", "credd2.lab.example"])
    assert done.status == 2, done.output
    assert f"{SERVICE}: is onboarded, but has its token only on credd2.lab.example" in done.flat
    logins = len(login_log(site))
    site.lab("heal")
    assert site.push().status == 0
    assert sorted(stored(site, SERVICE)) == ["credd1", "credd2"]
    assert len(login_log(site)) == logins
