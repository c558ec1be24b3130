# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The push stage: every planned pair has an outcome, and only usable tokens go out."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _push as push
from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_push as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, StageOrder
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import Interrupted
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import look
from ansible_collections.fife.managed_tokens.plugins.module_utils._push import Change, Pushed
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_handover import NAME, hand_over
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import Pair
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_settings import PushSettings
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, TokenLives
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, TOKEN, node, outcome, service


class FakePush:
    """Take every pair for served, and remember what was asked for."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self.settings: PushSettings | None = None

    async def __call__(
        self, pairs: t.Sequence[Pair], _run: Run, settings: PushSettings, _progress: object
    ) -> list[Pushed]:
        self.pairs, self.settings = list(pairs), settings
        return [
            Pushed(
                pair,
                outcome("push", "changed", config_service=pair.service.config_name, node=pair.node.name),
                (Change("/tmp/x", "absent", "file, mode 0400"),),
            )
            for pair in pairs
        ]


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> FakePush:
    """Put a fake in the place of the network."""
    fake = FakePush()
    monkeypatch.setattr(push, "push_all", fake)
    monkeypatch.setattr(stage, "need_packages", lambda *_names: None)
    return fake


@pytest.fixture
def ready(tmp_path: Path) -> Service:
    """Give a service with ticket and token on two nodes."""
    (tmp_path / "token").write_bytes(TOKEN)
    return service(
        ccache="FILE:/x", token=str(tmp_path / "token"), token_dir=str(tmp_path), nodes=(node("a"), node("b"))
    )


def run_stage(services: t.Sequence[Service], context: Context | None = None, **params: t.Any) -> dict[str, t.Any]:
    """Run the push stage."""
    given = {
        "services": [item.to_dict() for item in services],
        "run": Run("x", time.time(), time.time() + 60, "", Timeouts()).to_dict(),
        **params,
    }
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    result = stage.run_stage(checked.validated_parameters, context or Context())
    assert CANARY not in str(result)
    return result


def contents(pushed: FakePush) -> set[bytes | None]:
    """Give what would be written anywhere."""
    return {content for pair in pushed.pairs for _path, content in pair.contents}


def test_run_stage_every_pair_gets_the_token_and_every_node_its_outcomes(pushed: FakePush, ready: Service) -> None:
    found = run_stage([ready], unanswered=["b"], concurrency=7, per_node=3, retries=1, retry_delay=0.5)
    assert [(pair.node.name, pair.is_unanswered) for pair in pushed.pairs] == [("a", False), ("b", True)]
    assert contents(pushed) == {TOKEN, b"production\n"}
    assert found["changed"] is True
    assert found["nodes"] == {"a": [0], "b": [1]}
    assert pushed.settings is not None
    assert (pushed.settings.concurrency, pushed.settings.per_node) == (7, 3)
    assert (pushed.settings.retries, pushed.settings.retry_delay) == (1, 0.5)
    assert "diff" not in found


def test_run_stage_failed_service_has_a_skipped_outcome_on_each_of_its_nodes(pushed: FakePush, ready: Service) -> None:
    stopped = service("nova_production", nodes=(node("b"), node("c"))).failed(
        "store", "credd_unavailable", "nova_production: no credd."
    )
    found = run_stage([stopped, ready])
    assert {pair.service.config_name for pair in pushed.pairs} == {"dune_production"}
    assert [(item["status"], item["node"]) for item in found["outcomes"]] == [
        ("skipped", "b"),
        ("skipped", "c"),
        ("changed", "a"),
        ("changed", "b"),
    ]
    assert found["outcomes"][0]["message"].startswith("nova_production on b: not tried: no credd.")
    assert found["outcomes"][0]["kind"] == "not_attempted"
    assert found["nodes"] == {"b": [0, 3], "c": [1], "a": [2]}
    assert "shown_nodes" not in found
    assert run_stage([stopped, ready], node_results="failed")["shown_nodes"] == ["a", "b", "c"]


def make_bad(path: Path) -> None:
    path.write_bytes(b"rubbish")


def make_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


@pytest.mark.parametrize("spoil", [make_bad, make_link, os.unlink])
def test_run_stage_token_that_is_none_is_not_pushed(
    pushed: FakePush, ready: Service, spoil: t.Callable[[Path], object]
) -> None:
    spoil(Path(ready.token))
    found = run_stage([ready])
    assert pushed.pairs == []
    assert {item["kind"] for item in found["outcomes"]} == {"not_attempted"}


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> dict[str, Life]:
    """Put a fake in the place of the vault server, which knows these tokens and is silent on others."""
    known: dict[str, Life] = {}
    monkeypatch.setattr(TokenLives, "of", lambda _self, _server, token: known.get(token, Life(remark="silent")))
    return known


def test_run_stage_without_the_store_stage_takes_the_kept_token(
    pushed: FakePush, ready: Service, looked_up: dict[str, Life]
) -> None:
    without = service(ccache="FILE:/x", token_dir=ready.token_dir, nodes=ready.nodes)
    found = run_stage([without])
    assert found["outcomes"][0]["message"].endswith("no usable token is kept for it; the store stage has to run first.")
    look(without, without.credds[0].name).path.write_bytes(TOKEN)
    run_stage([without])
    assert contents(pushed) == {TOKEN, b"production\n"}


def test_run_stage_without_the_store_stage_pushes_nothing_that_vault_refuses(
    pushed: FakePush, ready: Service, looked_up: dict[str, Life]
) -> None:
    without = service(ccache="FILE:/x", token_dir=ready.token_dir, nodes=ready.nodes)
    look(without, without.credds[0].name).path.write_bytes(TOKEN)
    looked_up[CANARY] = Life(refused=True, remark="the vault server does not accept it (HTTP 403)")
    found = run_stage([without, ready])
    assert {pair.service.token for pair in pushed.pairs} == {ready.token}
    assert [(item["status"], item.get("kind")) for item in found["outcomes"]][:2] == [("skipped", "token_refused")] * 2


def test_run_stage_of_chosen_tokens_asks_no_vault_server(
    pushed: FakePush, ready: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*_arguments: object) -> t.NoReturn:
        raise AssertionError

    monkeypatch.setattr(stage, "TokenLives", made)
    run_stage([ready, service("nova_production").failed("store", "credd_unavailable", "nova_production: no credd.")])
    assert len(pushed.pairs) == 2
    without = service(ccache="FILE:/x", token_dir=ready.token_dir)
    run_stage([without], Context(check_mode=True))
    run_stage([without], state="absent")


def test_run_stage_in_check_mode_without_a_token_pushes_an_unknown_one(pushed: FakePush, ready: Service) -> None:
    without = service(ccache="FILE:/x", token_dir=ready.token_dir, nodes=ready.nodes)
    found = run_stage([without], Context(check_mode=True, diff=True))
    assert all(pair.is_unknown for pair in pushed.pairs)
    assert pushed.settings is not None
    assert pushed.settings.check_mode
    assert found["diff"][0] == {
        "before_header": "dune_production on a",
        "after_header": "dune_production on a",
        "before": "/tmp/x: absent\n",
        "after": "/tmp/x: file, mode 0400\n",
    }


def test_run_stage_takes_over_what_was_pushed_ahead_and_does_what_is_left(
    pushed: FakePush, ready: Service, tmp_path: Path
) -> None:
    def hand_over_a() -> None:
        done = outcome("push", "failed", node="a", kind="account_refused", message="dune_production on a: no.")
        hand_over(str(tmp_path), [Pushed(Pair(ready, node("a"), ()), done)])

    run = Run("x", time.time(), time.time() + 60, str(tmp_path), Timeouts()).to_dict()
    hand_over_a()
    found = run_stage([ready], run=run)
    assert [pair.node.name for pair in pushed.pairs] == ["b"]
    assert [(item["node"], item["status"]) for item in found["outcomes"]] == [("a", "failed"), ("b", "changed")]
    assert found["nodes"] == {"a": [0], "b": [1]}
    run_stage([ready], run=run)
    assert [pair.node.name for pair in pushed.pairs] == ["a", "b"]
    for others in ({"state": "absent"}, {"context": Context(check_mode=True)}):
        hand_over_a()
        run_stage([ready], run=run, **others)
        assert [pair.node.name for pair in pushed.pairs] == ["a", "b"]
        assert (tmp_path / NAME).exists()
        (tmp_path / NAME).unlink()


def test_run_stage_with_everything_pushed_ahead_needs_neither_library_nor_network(
    pushed: FakePush, ready: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_names: str) -> t.NoReturn:
        raise AssertionError

    monkeypatch.setattr(stage, "need_packages", refuse)
    done = [
        Pushed(
            Pair(ready, there, ()), outcome("push", "changed", node=there.name), (Change("/tmp/x", "absent", "file"),)
        )
        for there in ready.nodes
    ]
    hand_over(str(tmp_path), done)
    run = Run("x", time.time(), time.time() + 60, str(tmp_path), Timeouts()).to_dict()
    found = run_stage([ready], Context(diff=True), run=run)
    assert found["changed"] is True
    assert [item["before_header"] for item in found["diff"]] == ["dune_production on a", "dune_production on b"]
    assert found["diff"][0]["after"] == "/tmp/x: file\n"
    assert pushed.pairs == []


def test_run_stage_absent_removes_and_needs_no_token(pushed: FakePush, ready: Service) -> None:
    os.unlink(ready.token)
    run_stage([ready], state="absent")
    assert contents(pushed) == {None}
    assert not any(pair.is_unknown for pair in pushed.pairs)


def test_run_stage_absent_is_no_push_and_says_what_it_left_to_another_service(pushed: FakePush, ready: Service) -> None:
    spared = replace(ready, yields=(("a", "/tmp/vt_u50100"),), nodes=(node("a"), node("b")))
    stopped = ready.failed("tickets", "keytab_missing", "no keytab")
    outcomes = run_stage([spared, stopped], state="absent")["outcomes"]
    assert {pair.node.name: pair.remark for pair in pushed.pairs} == {
        "a": "left to another service, which has it too: /tmp/vt_u50100",
        "b": "",
    }
    assert {pair.stage for pair in pushed.pairs} == {"node_removal"}
    assert {plain["stage"] for plain in outcomes if plain["status"] == "skipped"} == {"node_removal"}


def test_run_stage_without_the_tickets_stage_says_so(pushed: FakePush, ready: Service) -> None:
    with pytest.raises(StageOrder, match="push_vault_token got services without tickets"):
        run_stage([service(nodes=ready.nodes)])


def test_run_stage_numbers_that_are_too_small_are_told_all_at_once(pushed: FakePush, ready: Service) -> None:
    with pytest.raises(BadInput) as caught:
        run_stage([ready], concurrency=0, per_node=-1, retries=-2)
    assert caught.value.problems == (
        "managed_tokens_push_concurrency is 0; it has to be at least 1.",
        "managed_tokens_push_per_node is -1; it has to be at least 1.",
        "managed_tokens_push_retries is -2; it has to be at least 0.",
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_run_stage_signal_lets_every_push_end_before_it_interrupts(
    monkeypatch: pytest.MonkeyPatch, pushed: FakePush, ready: Service, signum: signal.Signals
) -> None:
    cleaned: list[str] = []

    async def push_all(*_arguments: object) -> list[Pushed]:
        try:
            os.kill(os.getpid(), signum)
            await asyncio.sleep(600)
        finally:
            # A second signal must not cut the clean-up short.
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)
            cleaned.append("a")
        return []

    monkeypatch.setattr(push, "push_all", push_all)
    with pytest.raises(Interrupted, match=f"^{signum.name}$"):
        run_stage([ready])
    assert cleaned == ["a"]
