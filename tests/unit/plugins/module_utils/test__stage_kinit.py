# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ticket stage: a cache for each service, and one service's failure is nobody else's."""

from __future__ import annotations

import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_kinit as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, KeytabMissing, StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service

NAMES = ("dune_production", "dune_analysis", "nova_production")


class Kdc:
    """Give a ticket for every principal but the refused ones."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.caches: dict[str, Path] = {}
        self.watched: list[tuple[str, str, int | None]] = []

    def take_ticket(self, principal: str, keytab: Path, ccache: Path) -> float:
        if str(keytab) in self.refused:
            raise KeytabMissing(f"The keytab {keytab} does not exist.")
        self.caches[ccache.name] = ccache
        return 3600.0


@pytest.fixture
def kdc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kdc:
    """Put fakes in the place of libkrb5 and of the guardian."""
    kdc = Kdc()
    monkeypatch.setattr(stage, "take_ticket", kdc.take_ticket)
    monkeypatch.setattr(stage, "need_packages", lambda *_names: None)
    monkeypatch.setattr(
        stage, "watch", lambda directory, run_id, owner, _deadline: kdc.watched.append((directory, run_id, owner))
    )
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return kdc


def run_stage(run: Run | None = None, services: t.Sequence[t.Any] = (), **params: t.Any) -> dict[str, t.Any]:
    """Run the ticket stage."""
    given = {"services": [item.to_dict() for item in services], "run": run.to_dict() if run else None, **params}
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return stage.run_stage(checked.validated_parameters, Context(owner=4711))


def services_of(*names: str) -> list[t.Any]:
    return [service(name, keytab=f"/srv/{name}.keytab") for name in names]


def test_run_stage_every_service_has_a_cache_of_its_own_in_the_private_directory(kdc: Kdc, tmp_path: Path) -> None:
    run = Run.begin(Timeouts())
    found = run_stage(run, services_of(*NAMES))
    directory = Path(found["run"]["directory"])
    assert directory.parent == tmp_path
    assert directory.stat().st_mode & 0o777 == 0o700
    assert [item["ccache"] for item in found["services"]] == [f"FILE:{directory}/krb5cc_{name}" for name in NAMES]
    assert len(set(kdc.caches.values())) == 3
    assert kdc.watched == [(str(directory), run.id, 4711)]
    assert found["changed"] is False


def test_run_stage_failure_stops_that_service_only(kdc: Kdc) -> None:
    kdc.refused.add("/srv/dune_analysis.keytab")
    found = run_stage(None, services_of(*NAMES))
    assert [outcome["status"] for outcome in found["outcomes"]] == ["ok", "failed", "ok"]
    assert [bool(item["ccache"]) for item in found["services"]] == [True, False, True]
    assert found["services"][1]["problem"] == {
        "stage": "tickets",
        "kind": "keytab_missing",
        "message": "dune_analysis: The keytab /srv/dune_analysis.keytab does not exist.",
    }


def test_run_stage_service_that_failed_earlier_is_passed_on_untouched(kdc: Kdc) -> None:
    stopped = service("nova_production").failed("setup", "uid_unknown", "no UID.")
    found = run_stage(None, [stopped, service()])
    assert found["services"][0] == stopped.to_dict()
    assert [outcome["config_service"] for outcome in found["outcomes"]] == ["dune_production"]
    assert list(kdc.caches) == ["krb5cc_dune_production"]


def test_run_stage_kdc_that_hangs_costs_its_time_and_is_told(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(_principal: str, _keytab: Path, _ccache: Path) -> float:
        released.wait()
        return 0.0

    monkeypatch.setattr(stage, "take_ticket", hang)
    try:
        found = run_stage(Run.begin(Timeouts(kerberos=0.02)), [service()])
    finally:
        released.set()
    assert [outcome["kind"] for outcome in found["outcomes"]] == ["timed_out"]
    assert found["outcomes"][0]["message"] == "dune_production: the KDC's answer took longer than 0.02 s."


def test_run_stage_after_the_deadline_asks_nobody(kdc: Kdc) -> None:
    found = run_stage(Run("x", time.time() - 20, time.time() - 10), [service()])
    assert [outcome["kind"] for outcome in found["outcomes"]] == ["deadline"]
    assert kdc.caches == {}


def test_run_stage_directory_of_the_run_is_used_again(kdc: Kdc, tmp_path: Path) -> None:
    run = Run("x", 0.0, time.time() + 60, str(tmp_path))
    assert run_stage(run, [service()])["run"]["directory"] == str(tmp_path)
    assert kdc.watched == []


def test_run_stage_no_directory_can_be_made_is_a_bad_file(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_run_id: str) -> t.NoReturn:
        raise OSError(28, "No space left on device", "/run/x")

    monkeypatch.setattr(stage, "make_run_directory", refuse)
    with pytest.raises(BadFile, match=r"^Cannot make the run's private directory: No space left on device: /run/x\.$"):
        run_stage(None, [service()])


def test_run_stage_without_services_says_that_a_stage_is_missing(kdc: Kdc) -> None:
    with pytest.raises(StageOrder):
        run_stage()


def test_run_stage_absent_removes_the_directory_and_may_be_repeated(kdc: Kdc) -> None:
    run = Run.from_dict(run_stage(None, [service()])["run"])
    assert Path(run.directory).is_dir()
    for _time in range(2):
        found = run_stage(run, state="absent")
        assert found["run"]["directory"] == ""
        assert not Path(run.directory).exists()
    assert run_stage(state="absent")["outcomes"] == []
