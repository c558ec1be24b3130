# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store stage: every service on each of its credds, and a service goes on with the best token it got."""

from __future__ import annotations

import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_store as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_files import Left
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, TokenLives
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, TOKEN, service

CREDDS = (Credd("c1"), Credd("c2"))


class Pool:
    """Take the credential of every service, but not on the dead credds; remember who came."""

    def __init__(self) -> None:
        self.dead: set[str] = set()
        self.came: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.limits: list[float] = []
        self.lock = threading.Lock()

    def run_storer(
        self, storer: StorerRun, _prior: bytes | None, *, run: object, timeout: float
    ) -> tuple[Finished, Left]:
        credd = storer.credd.name if storer.credd else ""
        with self.lock:
            self.came.append((storer.service.config_name, credd))
            self.ids.append(storer.id)
            self.limits.append(timeout)
        if credd in self.dead:
            return Finished(1, "Failed to store condor credentials for x\n", 0.1), Left()
        return Finished(0, "", 0.1), Left(TOKEN)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """Put fakes in the place of the storer and of the vault server."""
    pool = Pool()
    monkeypatch.setattr(stage, "run_storer", pool.run_storer)
    monkeypatch.setattr(TokenLives, "of", lambda _self, _server, _token: Life(time.time() + 600_000))
    return pool


def ready(name: str, tmp_path: Path, **changes: t.Any) -> Service:
    """Give a service with a ticket."""
    return service(name, **{"token_dir": str(tmp_path / "tokens"), "ccache": "FILE:/x", "credds": CREDDS, **changes})


def run_stage(
    tmp_path: Path, services: t.Sequence[Service], run: Run | None = None, check_mode: bool = False, **params: t.Any
) -> dict[str, t.Any]:
    """Run the store stage."""
    run = run or Run("x", time.time(), time.time() + 600, str(tmp_path))
    given = {"services": [item.to_dict() for item in services], "run": run.to_dict(), **params}
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    result = stage.run_stage(checked.validated_parameters, Context(check_mode=check_mode))
    assert CANARY not in str(result)
    return result


def test_run_stage_every_service_is_stored_on_each_of_its_credds(pool: Pool, tmp_path: Path) -> None:
    found = run_stage(tmp_path, [ready("dune_a", tmp_path), ready("nova_b", tmp_path)])
    assert sorted(pool.came) == [("dune_a", "c1"), ("dune_a", "c2"), ("nova_b", "c1"), ("nova_b", "c2")]
    assert len(set(pool.ids)) == 4
    assert found["changed"] is True
    assert [outcome["status"] for outcome in found["outcomes"]] == ["changed"] * 4
    for item in found["services"]:
        assert Path(item["token"]).read_bytes() == TOKEN
        assert 590_000 < item["expires"] - time.time() <= 600_000


def test_run_stage_second_run_changes_nothing(pool: Pool, tmp_path: Path) -> None:
    run_stage(tmp_path, [ready("dune_a", tmp_path)])
    found = run_stage(tmp_path, [ready("dune_a", tmp_path)])
    assert found["changed"] is False
    assert [outcome["status"] for outcome in found["outcomes"]] == ["ok", "ok"]


def test_run_stage_token_that_lives_shorter_than_is_asked_for_is_told(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenLives, "of", lambda _self, _server, _token: Life(time.time() + 7210))
    found = run_stage(tmp_path, [ready("dune_a", tmp_path)], min_token_lifetime="12h")
    assert [(outcome["status"], outcome["message"]) for outcome in found["outcomes"]] == [
        ("changed", "the token lives only 2 h, less than 12 h (managed_tokens_min_token_lifetime)")
    ] * 2


def test_run_stage_dead_credd_is_a_failure_and_the_service_goes_on(pool: Pool, tmp_path: Path) -> None:
    pool.dead.add("c1")
    found = run_stage(tmp_path, [ready("dune_a", tmp_path)])
    assert [(outcome["credd"], outcome["status"]) for outcome in found["outcomes"]] == [
        ("c1", "failed"),
        ("c2", "changed"),
    ]
    (item,) = found["services"]
    assert item["problem"] is None
    assert "-c2-" in item["token"]


def test_run_stage_all_credds_dead_stops_the_service_and_no_other(pool: Pool, tmp_path: Path) -> None:
    pool.dead.update(("c1", "c2"))
    found = run_stage(
        tmp_path, [ready("dune_a", tmp_path), ready("nova_b", tmp_path, credds=(), token_getter="htgettoken")]
    )
    stopped, fine = found["services"]
    assert (stopped["problem"]["stage"], stopped["problem"]["kind"]) == ("store", "credd_unavailable")
    assert fine["problem"] is None
    assert Path(fine["token"]).read_bytes() == TOKEN


def test_run_stage_failed_earlier_is_passed_on_untouched(pool: Pool, tmp_path: Path) -> None:
    stopped = service("nova_b").failed("tickets", "keytab_missing", "no keytab.")
    found = run_stage(tmp_path, [stopped, ready("dune_a", tmp_path)])
    assert found["services"][0] == stopped.to_dict()
    assert {name for name, _credd in pool.came} == {"dune_a"}


def test_run_stage_in_check_mode_runs_nothing_and_says_what_would_change(pool: Pool, tmp_path: Path) -> None:
    found = run_stage(tmp_path, [ready("dune_a", tmp_path)], check_mode=True)
    assert pool.came == []
    assert found["changed"] is True
    assert found["outcomes"][0]["message"] == "would obtain a new token: no token is kept yet"
    assert (found["services"][0]["token"], found["services"][0]["problem"]) == ("", None)
    assert not (tmp_path / "tokens").exists()


def test_run_stage_directory_that_cannot_be_used_is_told_for_its_services(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    found = run_stage(
        tmp_path, [ready("dune_a", tmp_path, token_dir=str(tmp_path / "file")), ready("nova_b", tmp_path)]
    )
    assert [item["problem"] is None for item in found["services"]] == [False, True]
    assert found["services"][0]["problem"]["kind"] == "bad_file"
    assert {name for name, _credd in pool.came} == {"nova_b"}


def test_run_stage_after_the_deadline_starts_nothing(pool: Pool, tmp_path: Path) -> None:
    run = Run("x", 0.0, time.time() - 1, str(tmp_path))
    found = run_stage(tmp_path, [ready("dune_a", tmp_path)], run)
    assert [outcome["kind"] for outcome in found["outcomes"]] == ["deadline", "deadline"]
    assert pool.came == []


def test_run_stage_time_of_a_storer_ends_with_the_run(pool: Pool, tmp_path: Path) -> None:
    run = Run("x", time.time(), time.time() + 20, str(tmp_path), Timeouts(store=60.0))
    run_stage(tmp_path, [ready("dune_a", tmp_path)], run)
    assert all(0 < limit <= 20 for limit in pool.limits)


@pytest.mark.parametrize("directory", ["", "here"])
def test_run_stage_without_the_tickets_stage_says_so(pool: Pool, tmp_path: Path, directory: str) -> None:
    run = Run("x", 0.0, time.time() + 60, str(tmp_path) if directory else "")
    changes = {"ccache": ""} if directory else {}
    with pytest.raises(StageOrder, match="kinit_service has to run before it"):
        run_stage(tmp_path, [ready("dune_a", tmp_path, **changes)], run)


def test_run_stage_bad_lifetime_is_bad_input(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="managed_tokens_min_token_lifetime is '8d'"):
        run_stage(tmp_path, [ready("dune_a", tmp_path)], min_token_lifetime="8d")
    assert pool.came == []


class FakeAhead:
    """Take every service for pushed, and remember when it was offered."""

    made: t.ClassVar[list[FakeAhead]] = []

    def __init__(self, options: dict[str, t.Any], _run: Run, _progress: object) -> None:
        self.options = options
        self.offered: list[Service] = []
        self.has_one = threading.Event()
        self.ended_with: type[BaseException] | None = None
        self.made.append(self)

    def __enter__(self) -> FakeAhead:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self.ended_with = kind

    def offer(self, item: Service) -> None:
        self.offered.append(item)
        self.has_one.set()

    def stop(self) -> None:
        return


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeAhead]:
    """Put a fake in the place of what serves nodes."""
    monkeypatch.setattr(FakeAhead, "made", [])
    monkeypatch.setattr(stage, "PushAhead", FakeAhead)
    return FakeAhead.made


def test_run_stage_offers_a_service_to_be_pushed_when_all_its_credds_were_tried(
    pool: Pool, made: list[FakeAhead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered_before: list[str] = []

    def run_storer(storer: StorerRun, *arguments: t.Any, **named: t.Any) -> tuple[Finished, Left]:
        if storer.service.config_name == "nova_b":
            made[0].has_one.wait(10)
            offered_before.extend(item.config_name for item in made[0].offered)
        return pool.run_storer(storer, *arguments, **named)

    monkeypatch.setattr(stage, "run_storer", run_storer)
    pool.dead.add("c1")
    only_dead = ready("mu2e_c", tmp_path, credds=(Credd("c1"),))
    found = run_stage(
        tmp_path, [ready("dune_a", tmp_path), only_dead, ready("nova_b", tmp_path)], push={"unanswered": ["n1"]}
    )
    assert set(offered_before) == {"dune_a"}
    (ahead,) = made
    assert ahead.options["unanswered"] == ["n1"]
    assert (ahead.options["concurrency"], ahead.options["per_node"]) == (40, 8)
    assert ahead.ended_with is None
    given = {item["config_name"]: item for item in found["services"]}
    assert [item.to_dict() for item in ahead.offered] == [given["dune_a"], given["nova_b"]]
    assert "-c2-" in given["dune_a"]["token"]
    assert given["mu2e_c"]["problem"]["kind"] == "credd_unavailable"


@pytest.mark.parametrize(
    ("params", "check_mode"),
    [({}, False), ({"push": {"enabled": False}}, False), ({"push": {"enabled": True}}, True)],
)
def test_run_stage_pushes_nothing_ahead_unless_it_is_wanted_and_real(
    pool: Pool, made: list[FakeAhead], tmp_path: Path, params: dict[str, t.Any], check_mode: bool
) -> None:
    run_stage(tmp_path, [ready("dune_a", tmp_path)], check_mode=check_mode, **params)
    assert made == []


def test_run_stage_that_is_interrupted_ends_what_is_pushed_ahead(
    pool: Pool, made: list[FakeAhead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object, **_named: object) -> t.NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "run_storer", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_stage(tmp_path, [ready("dune_a", tmp_path)], push={})
    assert made[0].ended_with is KeyboardInterrupt
