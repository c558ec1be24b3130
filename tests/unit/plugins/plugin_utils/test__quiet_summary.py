# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cron's mail and the dead man's switch say: whom it is about, what to do, who does it, in few lines."""

from __future__ import annotations

import typing as t
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Refusal
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._quiet_summary import LINE_LIMIT, MOST_LINES, quiet
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_origin import Origin
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import good_run, refresh_run, refused_run

DUNE = "dune_production"
REFUSED = outcome("push", "failed", node="n1", kind="account_refused", message=f"{DUNE} on n1: not let in")
KEYTAB = "/opt/managed-tokens/keytabs/mu2epro.keytab"
KDC = (
    "Getting a ticket for mu2epro/managed-tokens/push.example.org@EXAMPLE.ORG from "
    f"{KEYTAB}: the KDC answered: Preauthentication failed; look at the key version of the keytab, at the clock, and "
    "at whether the principal has expired or has been locked"
)


def run(*outcomes: Outcome, **more: t.Any) -> Collected:
    return Collected(run="abc", started=1.0, ended=13.0, outcomes=list(outcomes), **more)


def test_quiet_says_nothing_when_all_is_well() -> None:
    assert quiet(good_run(), ("administrators by mail: 1 trouble",)) == []


def test_quiet_groups_by_who_has_to_act() -> None:
    lines = quiet(run(REFUSED, outcome("tickets", "failed", kind="keytab_missing", message="no keytab")), ("told",))
    assert lines[0] == "managed tokens: 1 of 1 services not well, 1 of 1 tokens on nodes not in place (run abc)"
    assert lines[1:3] == ["node administrators:", f"  {DUNE} on n1: not let in"]
    assert "operator:" in lines
    assert lines[-3] == "(told)"
    assert [line.startswith(beginning) for line, beginning in zip(lines[-2:], ("(fife", "look further: "), strict=True)]


# What failed, and how its line begins.
WHOM: tuple[tuple[Outcome, str], ...] = (
    (outcome("tickets", "failed", config_service="mu2e_production", message=KDC), "mu2e_production: Getting a ticket"),
    (outcome("store", "failed", credd="c1", message="no"), f"{DUNE}, c1: no"),
    (outcome("push", "failed", node="n1", message="no"), f"{DUNE}, n1: no"),
    (outcome("push", "failed", node="n1", message=f"{DUNE} on n1: no"), f"{DUNE} on n1: no"),
    (outcome("push", "failed", node="n1", message="x" * 5000), f"{DUNE}, n1: xxx"),
    (outcome("push", "failed", node="n" * 500, message="no"), f"{DUNE}, ... nnn"),
    (Outcome("state", "failed", message="not remembered"), "not remembered"),
)


@pytest.mark.parametrize(("failed", "beginning"), WHOM)
def test_quiet_line_begins_with_whom_it_is_about(failed: Outcome, beginning: str) -> None:
    line = quiet(run(failed), ())[2]
    assert line.startswith(f"  {beginning}")
    assert len(line) <= LINE_LIMIT


def test_quiet_line_that_is_too_long_is_cut_in_its_middle() -> None:
    line = quiet(run(outcome("tickets", "failed", config_service="mu2e_production", message=KDC)), ())[2]
    assert line.startswith(
        "  mu2e_production: Getting a ticket for mu2epro/managed-tokens/push.example.org@EXAMPLE.ORG"
    )
    assert " ... " in line
    assert line.endswith("or has been locked")


def test_quiet_run_that_was_refused_says_why_and_counts_nothing() -> None:
    assert quiet(refused_run(), ())[:-2] == [
        "managed tokens: nothing was done, the run was refused: No experiment x.",
        "operator:",
        f"  -> {KINDS['bad_input'].advice}",
    ]


def test_quiet_run_that_was_refused_after_something_was_done_counts_that() -> None:
    lines = quiet(run(REFUSED, refusals=[Refusal("Push", "stage_order", "No tokens.")]), ())
    assert lines[0].startswith("managed tokens: 1 of 1 services not well, ")
    assert "  No tokens." in lines


def test_quiet_run_that_said_nothing_is_not_well() -> None:
    assert quiet(run(), ())[:-2] == ["managed tokens: nothing was done, and no error said why"]


def test_quiet_refresh_of_uids_counts_accounts() -> None:
    assert quiet(refresh_run(), ())[0] == "managed tokens: 1 of 2 accounts without a good answer (run 0123456789ab)"


def test_quiet_says_what_it_is_for_users_and_where_to_look_further_whatever_else_there_is() -> None:
    failed = [
        outcome("push", "failed", node=f"n{number}", kind=kind, message="no") for number, kind in enumerate(KINDS)
    ]
    found = run(*failed, origin=Origin("push.example.org", ("inventory",), "1.2.3"))
    lines = quiet(found, ("told",) * 30, "Users fail now.", "/var/www/tokens.html")
    assert len(lines) == MOST_LINES
    assert lines[1] == "Users fail now."
    assert lines[-3].startswith("... and ")
    assert lines[-2:] == [
        (
            "(written by push.example.org, inventory inventory, fife.managed_tokens 1.2.3, "
            "status page /var/www/tokens.html)"
        ),
        f"look further: ansible-playbook -i inventory fife.managed_tokens.status -e managed_tokens_service={DUNE}",
    ]


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.text(max_size=300)), min_size=1, max_size=60))
def test_quiet_is_never_longer_and_no_text_breaks_its_lines(failures: list[tuple[str, str]]) -> None:
    found = [
        outcome("push", "failed", node=f"n{n}", kind=kind, message=text) for n, (kind, text) in enumerate(failures)
    ]
    lines = quiet(run(*found), ())
    assert 0 < len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= LINE_LIMIT
    assert not [line for line in lines if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in line)]
