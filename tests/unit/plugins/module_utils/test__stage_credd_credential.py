# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages that remove credentials and kept tokens: one outcome each, whatever became of the stage before."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_credd_credential as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._credd_credential import Client, Removed
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    CredentialNotRemoved,
    StageOrder,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service

READY = service(ccache="FILE:/run/cc", credds=(Credd("c1"), Credd("c2")))


class Credds:
    """c2 does not answer; the others hold a credential."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool, str]] = []

    def remove(self, client: Client, *, check_mode: bool) -> Removed:
        credd = client.work.credd.name if client.work.credd else ""
        self.asked.append((credd, check_mode, client.work.id))
        if credd == "c2":
            raise CredentialNotRemoved(f"{client.what}: silent")
        return Removed(True, "a remark")


@pytest.fixture(autouse=True)
def credds(monkeypatch: pytest.MonkeyPatch) -> Credds:
    """Put a fake in the place of HTCondor's client."""
    found = Credds()
    monkeypatch.setattr(stage, "remove", found.remove)
    monkeypatch.setattr(stage, "uses_bearer_tokens", lambda _run, _timeout: False)
    return found


def run(
    services: t.Sequence[Service], directory: str = "/run/x", context: Context | None = None, **params: t.Any
) -> dict[str, t.Any]:
    given = {
        "services": [item.to_dict() for item in services],
        "run": {**Run.begin(Timeouts()).to_dict(), "directory": directory},
        "state": "absent",
        **params,
    }
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return stage.run_stage(checked.validated_parameters, context or Context())


def test_run_stage_gives_one_outcome_for_each_credd(credds: Credds) -> None:
    result = run([READY])
    first, second = result["outcomes"]
    assert (first["stage"], first["status"], first["credd"], first["message"]) == (
        "credd_removal",
        "changed",
        "c1",
        "a remark",
    )
    assert (second["status"], second["kind"]) == ("failed", "credential_not_removed")
    assert second["message"] == "dune_production on credd c2: silent"
    assert result["changed"]
    assert len({work for _credd, _check, work in credds.asked}) == 2


def test_run_stage_in_check_mode_with_diff_shows_what_would_go(credds: Credds) -> None:
    result = run([READY], context=Context(check_mode=True, diff=True))
    assert all(check for _credd, check, _work in credds.asked)
    (diff,) = result["diff"]
    assert (diff["before"], diff["after"]) == (
        "credential dune_production: stored\n",
        "credential dune_production: absent\n",
    )


def test_run_stage_tries_nothing_for_a_service_that_failed_before(credds: Credds) -> None:
    stopped = READY.failed("tickets", "keytab_missing", "dune_production: no keytab.")
    outcomes = run([stopped], "")["outcomes"]
    assert [(plain["status"], plain["kind"]) for plain in outcomes] == [("skipped", "not_attempted")] * 2
    assert "not tried: no keytab. Install the keytab" in outcomes[0]["message"]
    assert credds.asked == []


def test_run_stage_after_the_deadline_asks_nobody(credds: Credds) -> None:
    over = {**Run.begin(Timeouts()).to_dict(), "directory": "/run/x", "deadline": 1.0}
    assert {plain["kind"] for plain in run([READY], run=over)["outcomes"]} == {"deadline"}
    assert credds.asked == []


@pytest.mark.parametrize(
    ("services", "params", "error"),
    [
        ([], {}, StageOrder),
        ([service()], {}, StageOrder),
        ([READY], {"directory": ""}, StageOrder),
        ([READY], {"concurrency": 0}, BadInput),
    ],
)
def test_run_stage_refuses_to_begin(services: list[Service], params: dict[str, t.Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(services, **params)


def test_a_service_without_credds_needs_no_htcondor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert run([service(ccache="FILE:/run/cc", credds=())])["outcomes"] == []
