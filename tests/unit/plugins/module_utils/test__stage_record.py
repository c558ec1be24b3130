# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last stage: what came of the run is remembered, or it is said that it is not."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import begin
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import of_run
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_record import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import push_counters
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome, service

OUTCOMES = (
    outcome("setup", "ok"),
    outcome("store", "ok", credd="c1"),
    outcome("push", "changed", node="n1"),
    outcome("push", "failed", node="n2", kind="account_refused", message="refused"),
)
GOOD = OUTCOMES[:3]


def record(database: str | Path, *, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
    """Run the stage with validated options, for a run of this process."""
    given = {
        "run": Run.begin(Timeouts()).to_dict(),
        "outcomes": [item.to_dict() for item in OUTCOMES],
        "database": str(database),
        "database_timeout": 5.0,
        **params,
    }
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return run_stage(checked.validated_parameters, Context(check_mode=check_mode, owner=os.getpid()))


def test_run_stage_remembers_the_run(state: State) -> None:
    run = Run.begin(Timeouts())
    result = record(state.label, run=run.to_dict())
    (plain,) = result["outcomes"]
    assert (plain["stage"], plain["status"], result["changed"]) == ("state", "ok", False)
    with state.read() as db:
        (row,) = db.execute(sa.select(schema().runs)).all()
        assert push_counters(db) == {("dune_production", "n2"): 1}
    assert (row.id, row.state, row.well, row.failed, row.pid) == (run.id, "ended", 3, 1, os.getpid())
    assert row.message == of_run(OUTCOMES).msg


NOTHING: dict[str, dict[str, t.Any]] = {
    "check mode": {"check_mode": True},
    "no database": {"database": ""},
    "no run": {"run": None},
}


@pytest.mark.parametrize("name", sorted(NOTHING))
def test_run_stage_writes_nothing(tmp_path: Path, name: str) -> None:
    assert record(**{"database": tmp_path / "state.db", **NOTHING[name]}) == {"changed": False, "outcomes": []}
    assert list(tmp_path.iterdir()) == []


def test_run_stage_onboarding_counts_no_failures_and_remembers_no_login(state: State) -> None:
    outcomes = [*OUTCOMES, outcome("login", "failed", kind="login_denied", message="no"), outcome("check", "ok")]
    record(state.label, program="onboarding", outcomes=[item.to_dict() for item in outcomes])
    with state.read() as db:
        (row,) = db.execute(sa.select(schema().runs)).all()
        stages = {found.stage for found in db.execute(sa.select(schema().results))}
        assert push_counters(db) == {}
    assert (row.program, row.state, row.failed) == ("onboarding", "ended", 2)
    assert stages == {"setup", "store", "push"}


def test_run_stage_forgets_a_run_that_only_looked(state: State) -> None:
    run = Run.begin(Timeouts())
    begin(state, run, [service()], [], program="token-push", owner=os.getpid(), forget_after=60.0, take_over=False)
    assert record(state.label, run=run.to_dict(), outcomes=[outcome("ping", node="n1").to_dict()])["outcomes"] == []
    with state.read() as db:
        assert [db.execute(sa.select(table)).all() for table in (schema().runs, schema().holds)] == [[], []]


def test_run_stage_without_outcomes_ends_the_run(state: State) -> None:
    assert record(state.label, outcomes=None)["outcomes"][0]["status"] == "ok"
    with state.read() as db:
        assert [row.state for row in db.execute(sa.select(schema().runs))] == ["ended"]


TROUBLES: tuple[tuple[t.Callable[[Path], object], str], ...] = (
    (Path.mkdir, "state_unavailable"),
    (lambda path: path.write_text("no database " * 100), "state_unusable"),
)


@pytest.mark.parametrize(("make", "kind"), TROUBLES)
def test_run_stage_database_in_trouble_is_an_outcome_that_fails_the_verdict(
    tmp_path: Path, make: t.Callable[[Path], object], kind: str
) -> None:
    make(tmp_path / "state.db")
    result = record(tmp_path / "state.db", outcomes=[item.to_dict() for item in GOOD])
    assert "failed" not in result
    failure = Outcome.from_dict(result["outcomes"][0])
    assert (failure.stage, failure.status, failure.kind, failure.config_service) == ("state", "failed", kind, "")
    assert failure.message.endswith(". What came of this run is not remembered.")
    for told in (True, False):
        verdict = of_run([*GOOD, failure], nodes_are_told=told)
        assert verdict.failed
        assert verdict.msg == (
            "1 of 1 services well, 1 of 1 (service, node) pairs in place, 1 of them renewed. "
            f"{failure.message} {explain(kind).advice}"
        )


@pytest.mark.parametrize("check_mode", [True, False])
def test_run_stage_bad_setting_is_bad_input(check_mode: bool) -> None:
    with pytest.raises(BadInput, match=r"^managed_tokens_database is no absolute path and no URL"):
        record("state.db", check_mode=check_mode)
