# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every node of a service has a pair, or an outcome that says why not."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import keep, look
from ansible_collections.fife.managed_tokens.plugins.module_utils._push_plan import contents_for, plan
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import TOKEN, node, service

ROLE_FILE = "/tmp/default_role_dune_50100"


@pytest.fixture
def ready(tmp_path: Path) -> Service:
    """Give a service with a token on two nodes."""
    (tmp_path / "token").write_bytes(TOKEN)
    return service(token=str(tmp_path / "token"), token_dir=str(tmp_path), nodes=(node("a"), node("b")))


def test_plan_gives_every_node_the_token_and_the_role(ready: Service) -> None:
    pairs, outcomes = plan(ready, unanswered=["b"])
    assert outcomes == []
    assert [(pair.node.name, pair.is_unanswered, pair.stage) for pair in pairs] == [
        ("a", False, "push"),
        ("b", True, "push"),
    ]
    for pair in pairs:
        assert dict(pair.contents) == {
            "/tmp/vt_u50100": TOKEN,
            "/tmp/vt_u50100-dune_production": TOKEN,
            ROLE_FILE: b"production\n",
        }
        assert not pair.is_unknown


@pytest.mark.parametrize(("life", "expires"), [(Life(4e9), 4e9), (Life(remark="silent"), 0.0)])
def test_plan_says_when_the_token_expires_if_that_is_known(ready: Service, life: Life, expires: float) -> None:
    pairs, _outcomes = plan(replace(ready, expires=5.0))
    assert {pair.expires for pair in pairs} == {5.0}
    kept = replace(ready, token="", credds=())
    keep(look(kept, ""), TOKEN)
    pairs, _outcomes = plan(kept, lives=lambda _server, _token: life)
    assert {pair.expires for pair in pairs} == {expires}
    pairs, _outcomes = plan(replace(ready, expires=5.0), present=False)
    assert {pair.expires for pair in pairs} == {0.0}


def test_plan_absent_wants_every_file_gone(ready: Service) -> None:
    pairs, outcomes = plan(ready, present=False)
    assert outcomes == []
    assert {content for pair in pairs for _path, content in pair.contents} == {None}
    assert {(pair.stage, pair.is_unknown) for pair in pairs} == {("node_removal", False)}


@pytest.mark.parametrize(
    ("state", "stage"), [({}, "push"), ({"present": False}, "node_removal"), ({"check_mode": True}, "push")]
)
def test_plan_for_a_service_that_failed_says_why(ready: Service, state: dict[str, bool], stage: str) -> None:
    stopped = ready.failed("tickets", "keytab_missing", "dune_production: The keytab /k does not exist.")
    pairs, outcomes = plan(stopped, **state)  # type: ignore[arg-type]
    assert pairs == []
    assert [(item.node, item.stage, item.status, item.kind) for item in outcomes] == [
        ("a", stage, "skipped", "not_attempted"),
        ("b", stage, "skipped", "not_attempted"),
    ]
    assert outcomes[0].message.startswith("dune_production on a: not tried: The keytab /k does not exist. ")


def test_plan_of_a_kept_token_asks_vault_and_tells_what_it_does_not_know(ready: Service) -> None:
    kept = service(token_dir=ready.token_dir, nodes=(node("a"),))
    keep(look(kept, kept.credds[0].name), TOKEN)
    (pair,), outcomes = plan(kept, lives=lambda _server, _token: Life(remark="vault is silent"))
    assert (dict(pair.contents)["/tmp/vt_u50100"], pair.remark, outcomes) == (TOKEN, "vault is silent", [])


def test_plan_of_a_kept_token_that_vault_refuses_pushes_nothing(ready: Service) -> None:
    kept = service(token_dir=ready.token_dir, nodes=(node("a"), node("b")))
    keep(look(kept, kept.credds[0].name), TOKEN)
    pairs, outcomes = plan(kept, lives=lambda _server, _token: Life(refused=True, remark="vault does not accept it"))
    assert pairs == []
    assert [(item.node, item.status, item.kind) for item in outcomes] == [
        ("a", "skipped", "token_refused"),
        ("b", "skipped", "token_refused"),
    ]
    assert outcomes[0].message == (
        "dune_production on a: not tried: the token that is kept for it cannot be used: vault does not accept it."
    )


def test_plan_asks_nothing_of_a_token_that_is_chosen_nor_for_a_removal_nor_in_check_mode(ready: Service) -> None:
    def asked(server: str, token: str) -> t.NoReturn:
        raise AssertionError

    kept = service(token_dir=ready.token_dir, nodes=(node("a"),))
    keep(look(kept, kept.credds[0].name), TOKEN)
    assert len(plan(ready, lives=asked)[0]) == 2
    assert len(plan(kept, lives=asked, present=False)[0]) == 1
    assert len(plan(kept, lives=asked, check_mode=True)[0]) == 1


def test_plan_in_check_mode_without_a_token_wants_an_unknown_one(ready: Service) -> None:
    without = service(token_dir=ready.token_dir, nodes=(node("a"),))
    (pair,), outcomes = plan(without, check_mode=True)
    assert (pair.is_unknown, outcomes) == (True, [])
    pairs, (outcome,) = plan(without)
    assert pairs == []
    assert outcome.message.endswith("no usable token is kept for it; the store stage has to run first.")


def test_contents_for_each_path_and_none_for_what_is_yielded_or_removed() -> None:
    owner = service(yields=(("a", "/tmp/vt_u50100"),))
    assert contents_for(owner, node("a"), TOKEN, present=True) == (
        ("/tmp/vt_u50100-dune_production", TOKEN),
        ("/tmp/default_role_dune_50100", b"production\n"),
    )
    assert len(contents_for(owner, node("b"), TOKEN, present=True)) == 3
    assert {content for _path, content in contents_for(service(), node("a"), TOKEN, present=False)} == {None}
