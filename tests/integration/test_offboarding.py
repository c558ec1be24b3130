# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let services go, with a real pool: nothing of them stays anywhere, and nothing of the others is touched."""

from __future__ import annotations

import json
import typing as t

import pytest
from laboratory import Done, Laboratory
from remembered import MAKE_OTHER, python, state_of

pytestmark = pytest.mark.condor

NAME, ACCOUNT, UID = "dune_production", "dunepro", "50100"
OWN = f"/tmp/vt_u{UID}-{NAME}"
SHARED = f"/tmp/vt_u{UID}"
METRICS = "/srv/lab/state/offboarding.prom"
LAST_KNOWN = "/srv/lab/state/service-credd-vault-tokens/last-known-uids.json"
REPORT = {"ANSIBLE_CALLBACKS_ENABLED": "fife.managed_tokens.report"}
WITH_REPORT = ("-e", json.dumps({"managed_tokens_report": "callback", "managed_tokens_textfile": METRICS}))
SUM = "sha256sum /srv/lab/state/managed-tokens.db | cut -d' ' -f1"


@pytest.fixture(scope="module")
def pool(condor: Laboratory) -> t.Iterator[Laboratory]:
    """Leave the laboratory, at the end, as the other tests want it."""
    yield condor
    condor.lab("heal")
    restore(condor)


@pytest.fixture
def full(pool: Laboratory) -> t.Iterator[Laboratory]:
    """Give a laboratory in which every service is everywhere it has to be."""
    restore(pool)
    yield pool
    pool.lab("heal")
    pool.run("rm", "-f", METRICS)


def restore(laboratory: Laboratory) -> None:
    assert laboratory.refresh().status == 0
    done = laboratory.push()
    assert done.status == 0, done.output


def offboard(laboratory: Laboratory, *options: str, name: str = NAME, env: t.Mapping[str, str] | None = None) -> Done:
    return laboratory.play("fife.managed_tokens.offboarding", "-e", f"managed_tokens_service={name}", *options, env=env)


def experiments(**dune_roles: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Give the laboratory's configuration with these roles of dune, as it is said on the command line."""
    nova = {"production": {"account": "novapro"}, "analysis": {"account": "novaana"}}
    configured: dict[str, t.Any] = {"nova": {"roles": nova}, "mu2e": {"roles": {"production": {"account": "mu2epro"}}}}
    if dune_roles:
        configured["dune"] = {"roles": dune_roles}
    return ("-e", json.dumps({"managed_tokens_experiments": configured}))


def nodes_with(laboratory: Laboratory, path: str) -> list[str]:
    return [node for node, files in laboratory.all_files().items() if path in files]


def credentials(laboratory: Laboratory, suffix: str = "top") -> list[str]:
    script = f"ls -d /srv/lab/condor/credd?/oauth/*/*.{suffix} 2> /dev/null || true"
    return [
        line.removeprefix("/srv/lab/condor/") for line in laboratory.run("sh", "-c", script, user="root").output.split()
    ]


def remembered(laboratory: Laboratory, name: str = NAME) -> list[tuple[str, str]]:
    """Give the stages and targets that the state database knows of a service."""
    return sorted((row["stage"], row["target"]) for row in state_of(laboratory)["results"] if row["service"] == name)


def check_gone(laboratory: Laboratory) -> None:
    assert nodes_with(laboratory, OWN) == []
    assert [path for path in credentials(laboratory, "top") + credentials(laboratory, "use") if NAME in path] == []
    assert [name for name in laboratory.kept_tokens() if NAME in name] == []
    state = state_of(laboratory)
    assert NAME not in json.dumps([state["results"], state["setup"], state["push"], state["gone"], state["holds"]])
    assert laboratory.leftovers() == []


def test_a_service_goes_everywhere_and_the_others_do_not_notice(full: Laboratory) -> None:
    files, stored = full.all_files(), credentials(full)
    kept = full.kept_tokens()
    # What killed runs leave goes as well.
    for name in (f".vt_u{UID}-{NAME}.managed-tokens.tmp", f".vt_u{UID}.0123456789abcdef.tmp"):
        full.node("dunegpvm02.lab.example", "install", "-m", "0400", "-o", ACCOUNT, "/dev/null", f"/tmp/{name}")
    done = offboard(full, *WITH_REPORT, env=REPORT)
    assert done.status == 0, done.output
    assert "1 of 1 services gone" in done.flat
    assert "managed-tokens.tmp" not in full.node("dunegpvm02.lab.example", "ls", "-A", "/tmp").output
    assert "0123456789abcdef" not in full.node("dunegpvm02.lab.example", "ls", "-A", "/tmp").output
    check_gone(full)
    state = state_of(full)
    assert ACCOUNT not in state["uids"]
    assert ACCOUNT not in full.run("cat", LAST_KNOWN).output
    assert "duneana" in full.run("cat", LAST_KNOWN).output
    metrics = full.run("cat", METRICS).output
    assert 'service="dune_analysis"' in metrics
    assert NAME not in metrics
    assert 'managed_tokens_run_success{executable="offboarding"} 1.0' in metrics
    # Of everything else, everything is still there.
    own = {SHARED, OWN, f"/tmp/default_role_dune_{UID}"}
    assert full.all_files() == {
        node: {path: file for path, file in found.items() if path not in own} for node, found in files.items()
    }
    assert credentials(full) == [path for path in stored if NAME not in path]
    assert full.kept_tokens() == {name: token for name, token in kept.items() if NAME not in name}
    again = offboard(full)
    assert (again.status, again.changed) == (0, 0), again.output
    others = full.push(*experiments(analysis={"account": "duneana"}))
    assert others.status == 0, others.output
    assert others.changed == 0, others.output
    assert "4 of 4 services well" in others.flat


def test_check_mode_lists_everything_and_touches_nothing(full: Laboratory) -> None:
    before = (full.all_files(), credentials(full), full.kept_tokens(), full.run("sh", "-c", SUM).output)
    done = offboard(full, "--check", "--diff")
    assert done.status == 0, done.output
    assert (full.all_files(), credentials(full), full.kept_tokens(), full.run("sh", "-c", SUM).output) == before
    assert "nodes would be removed: dunegpvm01.lab.example, dunegpvm02.lab.example, dunegpvm03.lab.example" in done.flat
    assert "credds would be removed: credd1.lab.example, credd2.lab.example" in done.flat
    assert "1 of 1 services would be gone." in done.flat
    for path in (OWN, f"/tmp/default_role_dune_{UID}", f"vt_u50000-credd2.lab.example-{NAME}"):
        assert path in done.output
    assert full.leftovers() == []


def test_a_dead_node_is_named_the_rest_is_done_and_the_next_run_finishes(full: Laboratory) -> None:
    dead = "dunegpvm02.lab.example"
    with full.fault("node-blackholed", dead):
        done = offboard(full, *WITH_REPORT, env=REPORT)
    assert done.status == 2, done.output
    assert f"NOT REMOVED: {dead}" in done.flat
    assert "0 of 1 services gone" in done.flat
    assert nodes_with(full, OWN) == [dead]
    assert [path for path in credentials(full) if NAME in path] == []
    assert [name for name in full.kept_tokens() if NAME in name] == []
    assert remembered(full) == [("node_removal", dead)]
    assert state_of(full)["uids"][ACCOUNT][0] == int(UID)
    assert NAME not in full.run("cat", METRICS).output
    # It may have left the configuration in the meantime.
    stanza = json.dumps({"managed_tokens_departed": {"dune": {"roles": {"production": {"account": ACCOUNT}}}}})
    second = offboard(full, *experiments(analysis={"account": "duneana"}), "-e", stanza)
    assert second.status == 0, second.output
    check_gone(full)
    assert ACCOUNT not in state_of(full)["uids"]


@pytest.mark.long
def test_a_credd_that_is_down_is_named_and_done_by_the_next_run(full: Laboratory) -> None:
    with full.fault("credd-down", "credd2"):
        # What the collector does not list any more is remembered.
        done = offboard(full)
    assert done.status == 2, done.output
    assert "NOT REMOVED: credd2.lab.example" in done.flat
    assert [path for path in credentials(full) if NAME in path] == [f"credd2/oauth/{ACCOUNT}/{NAME}.top"]
    assert nodes_with(full, OWN) == []
    assert remembered(full) == [("credd_removal", "credd2.lab.example")]
    second = offboard(full)
    assert second.status == 0, second.output
    check_gone(full)


@pytest.mark.long
def test_what_a_service_of_the_same_account_has_stays(full: Laboratory) -> None:
    both = experiments(production={"account": ACCOUNT}, second={"account": ACCOUNT}, analysis={"account": "duneana"})
    # Vault of the laboratory has no such role; its file is there as a run would have left it.
    second = f"/tmp/vt_u{UID}-dune_second"
    nodes = full.nodes_of(full.service(NAME))
    for node in nodes:
        full.node(node, "cp", "-p", OWN, second)
    before = full.all_files()
    done = offboard(full, *both, name="dune_second")
    assert done.status == 0, done.output
    assert f"left to another service, which has it too: {SHARED}" in done.flat
    assert f"{SHARED}, which dune_second has written too, stays on" in done.flat
    assert full.all_files() == {
        node: {path: file for path, file in found.items() if path != second} for node, found in before.items()
    }
    assert state_of(full)["uids"][ACCOUNT][0] == int(UID)
    assert ACCOUNT in full.run("cat", LAST_KNOWN).output
    others = full.push()
    assert (others.status, others.changed) == (0, 0), others.output
    # The other way round: the one that stays has not been pushed yet, and the path is its own all the same.
    done = offboard(full, *both)
    assert done.status == 0, done.output
    assert nodes_with(full, OWN) == []
    assert nodes_with(full, SHARED) == nodes
    assert state_of(full)["uids"][ACCOUNT][0] == int(UID)


@pytest.mark.long
def test_another_token_host_does_the_same(full: Laboratory) -> None:
    full.allow_ssh_to_token_host()
    # Nor does a login by ssh know where HTCondor's configuration is.
    known = "s|^PATH=|CONDOR_CONFIG=/srv/lab/condor/client.conf PATH=|"
    full.run("sed", "-i", known, "/home/mtokens/python")
    elsewhere = (
        "-i",
        "/srv/lab/inventory",
        "-i",
        "/home/mtokens/tokenhost.json",
        "-e",
        "managed_tokens_token_host=tokenhost",
    )
    seen = offboard(full, *elsewhere, "--check")
    assert seen.status == 0, seen.output
    assert "credds would be removed: credd1.lab.example, credd2.lab.example" in seen.flat
    done = offboard(full, *elsewhere)
    assert done.status == 0, done.output
    assert "-> tokenhost" in done.output
    check_gone(full)


@pytest.mark.long
def test_a_service_that_has_left_the_configuration_needs_its_stanza(full: Laboratory) -> None:
    without = experiments(analysis={"account": "duneana"})
    bare = offboard(full, *without)
    assert bare.status == 2, bare.output
    assert f"{NAME}: it is not configured any more" in bare.flat
    assert "managed_tokens_departed" in bare.flat
    assert len(nodes_with(full, OWN)) == 3
    assert len([path for path in credentials(full) if NAME in path]) == 2
    assert [name for name in full.kept_tokens() if NAME in name] == []
    assert [target for stage, target in remembered(full) if stage == "node_removal"] == full.nodes_of(
        full.service(NAME)
    )
    given_up = offboard(full, *without, "-e", "managed_tokens_give_up=true", "--check")
    assert given_up.status == 2
    stanza = json.dumps({"managed_tokens_departed": {"dune": {"roles": {"production": {"account": ACCOUNT}}}}})
    done = offboard(full, *without, "-e", stanza)
    assert done.status == 0, done.output
    check_gone(full)
    unknown = offboard(full, *without)
    assert unknown.status == 2
    assert f"names '{NAME}', which is neither configured nor remembered" in unknown.flat


@pytest.mark.long
def test_what_cannot_be_reached_for_good_is_given_up_when_that_is_said(full: Laboratory) -> None:
    with full.fault("node-blackholed", "dunegpvm02.lab.example"):
        done = offboard(full, "-e", "managed_tokens_give_up=true")
    assert done.status == 2, done.output
    assert "NOT REMOVED: dunegpvm02.lab.example" in done.flat
    assert remembered(full) == []
    assert ACCOUNT not in state_of(full)["uids"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Nothing says which services are to be removed"),
        (("-e", "managed_tokens_service=all"), "everything is never removed at once"),
        (("-e", "managed_tokens_service=dune_prodction"), "did you mean 'dune_production'?"),
        (("-e", "managed_tokens_experiment=dnue"), "did you mean 'dune'?"),
    ],
)
def test_a_selection_that_names_nothing_is_refused(condor: Laboratory, options: tuple[str, ...], sentence: str) -> None:
    kept = condor.kept_tokens()
    done = condor.play("fife.managed_tokens.offboarding", *options)
    assert done.status == 2, done.output
    assert sentence in done.flat
    assert condor.kept_tokens() == kept


LEFT = "dunegpvm03.lab.example"
STAY = ["dunegpvm01.lab.example", "dunegpvm02.lab.example"]
# It is left by one service of the experiment, and by both.
ONE_LEAVES = experiments(production={"account": ACCOUNT, "nodes": STAY}, analysis={"account": "duneana"})
BOTH_LEAVE = experiments(production={"account": ACCOUNT, "nodes": STAY}, analysis={"account": "duneana", "nodes": STAY})
OLD_PUSH = "UPDATE mt_results SET attempted = attempted - 7200 WHERE stage = 'push' AND target = ?"


def take_off(laboratory: Laboratory, *options: str) -> Done:
    return laboratory.play("fife.managed_tokens.offboarding", "-e", f"managed_tokens_node={LEFT}", *options)


def world(laboratory: Laboratory) -> tuple[object, ...]:
    return (
        laboratory.all_files(),
        credentials(laboratory),
        laboratory.kept_tokens(),
        laboratory.run("sh", "-c", SUM).output,
    )


def test_a_node_loses_a_service_that_goes_on_elsewhere_and_nothing_else(full: Laboratory) -> None:
    files, stored, kept, before = full.all_files(), credentials(full), full.kept_tokens(), state_of(full)
    full.node(LEFT, "install", "-m", "0400", "-o", ACCOUNT, "/dev/null", f"/tmp/.vt_u{UID}-{NAME}.managed-tokens.tmp")
    done = take_off(full, *ONE_LEAVES)
    assert done.status == 0, done.output
    assert f"1 of 1 services taken off {LEFT}." in done.flat
    assert f"dune_analysis is still configured for {LEFT}, and not taken off it" in done.flat
    own = {SHARED, OWN, f"/tmp/default_role_dune_{UID}"}
    assert own <= files[LEFT].keys()
    assert full.all_files() == files | {LEFT: {path: file for path, file in files[LEFT].items() if path not in own}}
    assert (credentials(full), full.kept_tokens()) == (stored, kept)
    after = state_of(full)
    assert [row for row in after["results"] if row["service"]] == [
        row
        for row in before["results"]
        if row["service"] and (row["service"], row["stage"], row["target"]) != (NAME, "push", LEFT)
    ]
    assert (after["uids"], after["gone"], after["holds"]) == (before["uids"], before["gone"], [])
    assert ACCOUNT in full.run("cat", LAST_KNOWN).output
    again = take_off(full, *ONE_LEAVES, "-e", f"managed_tokens_service={NAME}")
    assert (again.status, again.changed) == (0, 0), again.output
    others = full.push(*ONE_LEAVES)
    assert (others.status, others.changed) == (0, 0), others.output
    assert "left tokens" not in others.flat


def test_a_node_that_a_service_left_is_told_by_every_run_and_touched_by_none(full: Laboratory) -> None:
    python(full, "-c", MAKE_OTHER, full.database, OLD_PUSH, LEFT)
    for options in ((*ONE_LEAVES, "--limit", "nova"), (*ONE_LEAVES, "--check")):
        done = full.push(*options)
        assert done.status == 0, done.output
        assert done.flat.count(f"{NAME} left tokens on {LEFT}, no longer configured there") == 1, done.output
        assert f"fife.managed_tokens.offboarding -e managed_tokens_node={LEFT}" in done.flat
        assert nodes_with(full, OWN) == [*STAY, LEFT]
    status = full.play("fife.managed_tokens.status")
    assert f"{NAME} on {LEFT}" in status.flat
    assert "no longer configured for this node" in status.flat
    # Whoever leaves it out only for this run has not left it.
    python(full, "-c", MAKE_OTHER, full.database, OLD_PUSH, LEFT)
    for limit in (("-e", "managed_tokens_service=nova_production"), ("--limit", STAY[0])):
        done = full.push(*limit)
        assert done.status == 0, done.output
        assert "left tokens" not in done.flat


def test_a_node_in_check_mode_or_refused_is_as_it_was(full: Laboratory) -> None:
    before = world(full)
    done = take_off(full, *ONE_LEAVES, "--check", "--diff")
    assert done.status == 0, done.output
    assert f"1 of 1 services would be taken off {LEFT}." in done.flat
    assert f"nodes would be removed: {LEFT}" in done.flat
    assert OWN in done.output
    for options, sentence in (
        ((), f"dune_analysis, dune_production are still configured for {LEFT}, and nothing else is remembered there"),
        ((*ONE_LEAVES, "-e", "managed_tokens_service=dune_analysis"), f"dune_analysis is still configured for {LEFT}"),
        (("-e", "managed_tokens_node=dunegpvm04.lab.example"), "neither in the inventory nor remembered; did you mean"),
    ):
        done = take_off(full, *options)
        assert done.status == 2, done.output
        assert sentence in done.flat
    assert world(full) == before
    assert full.leftovers() == []


@pytest.mark.long
def test_a_node_that_is_dead_stays_remembered_until_it_is_done_or_given_up(full: Laboratory) -> None:
    files = full.all_files()
    with full.fault("node-blackholed", LEFT):
        done = take_off(full, *BOTH_LEAVE)
        assert done.status == 2, done.output
        assert f"NOT REMOVED: {LEFT}" in done.flat
        assert f"0 of 2 services taken off {LEFT}" in done.flat
        assert [item for item in remembered(full) if item[1] == LEFT] == [("node_removal", LEFT)]
        status = full.play("fife.managed_tokens.status")
        assert f"{NAME}, to be taken off {LEFT}" in status.flat
        given_up = take_off(
            full, *BOTH_LEAVE, "-e", "managed_tokens_give_up=true", "-e", "managed_tokens_service=dune_analysis"
        )
        assert given_up.status == 2, given_up.output
    assert full.all_files() == files
    assert [item for item in remembered(full, "dune_analysis") if item[1] == LEFT] == []
    second = take_off(full, *BOTH_LEAVE)
    assert second.status == 0, second.output
    assert f"1 of 1 services taken off {LEFT}." in second.flat
    assert nodes_with(full, OWN) == STAY
    assert [item for item in remembered(full) if item[1] == LEFT] == []
    # Nobody is configured for it any more.
    assert LEFT not in json.dumps(state_of(full)["results"])


@pytest.mark.long
def test_a_node_keeps_what_a_service_of_the_same_account_has_there(full: Laboratory) -> None:
    before = full.all_files()
    other = {"second": {"account": ACCOUNT}, "analysis": {"account": "duneana"}}
    done = take_off(full, *experiments(production={"account": ACCOUNT, "nodes": STAY}, **other))
    assert done.status == 0, done.output
    assert f"{SHARED}, which {NAME} has written too, stays on {LEFT}: dune_second writes it" in done.flat
    assert full.all_files() == before | {LEFT: {path: file for path, file in before[LEFT].items() if path != OWN}}
