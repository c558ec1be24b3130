# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login stage: nobody is asked without need, one after another is, and what a login mends has not failed."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_login as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_store as store
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import LoginNotShown, StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import CHANGED, FAILED, LOGIN, Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_files import Left
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, TokenLives
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation, Limits
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import TOKEN, service

CREDDS = (Credd("c1"), Credd("c2"))
NEEDED = Finished(1, "Authentication needed for x\nhtgettoken: Failure getting token from https://v\n", 0.1)


class Site:
    """A vault server with refresh tokens, people who log in or do not, and credds."""

    def __init__(self) -> None:
        self.refresh_tokens: set[str] = set()
        self.away: set[str] = set()
        self.down: set[str] = set()
        self.asked: list[tuple[str, str, tuple[int, int], bool]] = []
        self.limits: list[Limits] = []

    def run_storer(
        self, storer: StorerRun, _prior: bytes | None, *, run: object, timeout: float
    ) -> tuple[Finished, Left]:
        name = storer.service.config_name
        if name in self.down:
            return Finished(1, "Connection refused\n", 0.1), Left()
        if name not in self.refresh_tokens:
            return NEEDED, Left()
        return Finished(0, "", 0.1), Left(TOKEN)

    def login(self, storer: StorerRun, audience: Hall, limits: Limits, place: tuple[int, int]) -> Visit:
        self.limits.append(limits)
        return Visit(self, storer, place)


class Visit:
    """Stand in for one login."""

    def __init__(self, site: Site, storer: StorerRun, place: tuple[int, int]) -> None:
        self._site, self._storer, self._place = site, storer, place

    def run(self, _on_pty: object, _lives: object) -> Outcome:
        name = self._storer.service.config_name
        credd = self._storer.credd.name if self._storer.credd else ""
        self._site.asked.append((name, credd, self._place, self._storer.is_forced))
        if name in self._site.away:
            return Outcome(LOGIN, FAILED, name, name, kind="login_timed_out", message=f"{name}: nobody came.")
        self._site.refresh_tokens.add(name)
        return Outcome(LOGIN, CHANGED, name, name)


class Hall:
    def __init__(self) -> None:
        self.shown: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(text)

    def invite(self, invitation: Invitation) -> None:
        raise AssertionError("the stand-in for a login invites nobody")

    def waited(self) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site()
    monkeypatch.setattr(store, "run_storer", site.run_storer)
    monkeypatch.setattr(stage, "Login", site.login)
    monkeypatch.setattr(TokenLives, "of", lambda _self, _server, _token: Life(time.time() + 600_000))
    return site


def ready(name: str, tmp_path: Path, **changes: t.Any) -> Service:
    """Give a service with a ticket."""
    return service(name, **{"token_dir": str(tmp_path / "tokens"), "ccache": "FILE:/x", "credds": CREDDS, **changes})


def run_stage(
    tmp_path: Path,
    *services: Service,
    hall: Hall | None = None,
    left: float = 5000.0,
    check_mode: bool = False,
    **params: t.Any,
) -> dict[str, t.Any]:
    now = time.time()
    run = Run("x", now, now + left, str(tmp_path), Timeouts())
    given = {"services": [item.to_dict() for item in services], "run": run.to_dict(), **params}
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return stage.run_stage(checked.validated_parameters, Context(check_mode=check_mode), hall or Hall())


def told(found: dict[str, t.Any]) -> list[tuple[str, str, str, str]]:
    return [(o["stage"], o["config_service"], o.get("credd", ""), o["status"]) for o in found["outcomes"]]


def test_run_stage_onboarded_service_is_left_alone(site: Site, tmp_path: Path) -> None:
    site.refresh_tokens.add("dune_a")
    run_stage(tmp_path, ready("dune_a", tmp_path))
    hall = Hall()
    found = run_stage(tmp_path, ready("dune_a", tmp_path), hall=hall)
    assert found["changed"] is False
    assert told(found) == [("store", "dune_a", "c1", "ok"), ("store", "dune_a", "c2", "ok")]
    assert site.asked == []
    assert hall.shown == ["dune_a is onboarded: nobody has to log in."]


def test_run_stage_one_login_serves_all_credds_and_what_it_mends_has_not_failed(site: Site, tmp_path: Path) -> None:
    found = run_stage(tmp_path, ready("dune_a", tmp_path))
    assert site.asked == [("dune_a", "c1", (1, 1), False)]
    assert told(found) == [
        ("login", "dune_a", "", "changed"),
        ("store", "dune_a", "c1", "changed"),
        ("store", "dune_a", "c2", "changed"),
    ]
    (plain,) = found["services"]
    assert plain["problem"] is None
    assert Path(plain["token"]).read_bytes() == TOKEN


def test_run_stage_services_log_in_one_after_another_and_a_failure_costs_only_itself(
    site: Site, tmp_path: Path
) -> None:
    site.away.add("dune_a")
    site.down.add("mu2e_c")
    hall = Hall()
    found = run_stage(tmp_path, *(ready(name, tmp_path) for name in ("dune_a", "nova_b", "mu2e_c")), hall=hall)
    assert [(name, place) for name, _credd, place, _forced in site.asked] == [("dune_a", (1, 2)), ("nova_b", (2, 2))]
    problems = {plain["config_name"]: (plain["problem"] or {}).get("kind") for plain in found["services"]}
    assert problems == {"dune_a": "login_timed_out", "nova_b": None, "mu2e_c": "vault_unavailable"}
    assert ("login", "dune_a", "", "failed") in told(found)
    assert ("store", "dune_a", "c1", "failed") not in told(found)
    assert hall.shown == ["dune_a: nobody came."]


def test_run_stage_force_asks_for_everybody(site: Site, tmp_path: Path) -> None:
    site.refresh_tokens.add("dune_a")
    found = run_stage(tmp_path, ready("dune_a", tmp_path), force=True)
    assert site.asked == [("dune_a", "c1", (1, 1), True)]
    assert [status for _stage, _name, _credd, status in told(found)] == ["changed"] * 3


def test_run_stage_service_with_an_earlier_problem_is_passed_on(site: Site, tmp_path: Path) -> None:
    stopped = ready("dune_a", tmp_path).failed("check", "vault_unavailable", "down")
    found = run_stage(tmp_path, stopped, force=True)
    assert found["outcomes"] == []
    assert [Service.from_dict(plain) for plain in found["services"]] == [stopped]
    assert site.asked == []


def test_run_stage_login_has_no_longer_than_the_run(site: Site, tmp_path: Path) -> None:
    run_stage(tmp_path, ready("dune_a", tmp_path), left=100.0)
    assert site.limits[0].login <= 100.0
    found = run_stage(tmp_path, ready("nova_b", tmp_path), left=-1.0, force=True)
    assert [outcome["kind"] for outcome in found["outcomes"]] == ["deadline"]
    assert len(site.asked) == 1


@pytest.mark.parametrize("force", [True, False])
def test_run_stage_check_mode_asks_nobody_and_stores_nothing(site: Site, tmp_path: Path, force: bool) -> None:
    found = run_stage(tmp_path, ready("dune_a", tmp_path), force=force, check_mode=True)
    assert found["changed"] is True
    assert site.asked == []
    assert not (tmp_path / "tokens").exists()


def test_run_stage_without_an_audience_refuses(site: Site, tmp_path: Path) -> None:
    with pytest.raises(LoginNotShown, match="on another machine"):
        stage.run_stage({}, Context())


def test_run_stage_without_tickets_says_the_order(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StageOrder, match="kinit_service has to run before it"):
        run_stage(tmp_path, ready("dune_a", tmp_path, ccache=""))
