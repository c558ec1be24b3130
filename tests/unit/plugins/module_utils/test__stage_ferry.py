# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refresh of the UIDs as a whole: a registry on loopback, a real database, all told and nothing half stored."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_ferry as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadInput,
    PersonNeeded,
    StateUnavailable,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_bearer import Identity
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids, store_uids
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import (
    Pki,
    Registry,
    Reply,
    closed_port,
    good,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.state_files import state_at


class World:
    """A registry, a database, and the settings that lead to both."""

    def __init__(self, pki: Pki, directory: Path) -> None:
        self.registry = Registry(pki)
        self.database = directory / "state.db"
        self.warnings: list[str] = []
        self.params: dict[str, t.Any] = {
            "ferry_url": self.registry.url,
            "ferry_cert": str(pki.client),
            "ferry_ca": str(pki.ca),
            "ferry_retries": 0,
            "database": str(self.database),
        }

    def configure(self, *names: str, **uids: int) -> None:
        """Configure an experiment with one role for each account."""
        self.params["experiments"] = {
            name: {"roles": {"production": {"account": name, **({"uid": uids[name]} if name in uids else {})}}}
            for name in names
        }

    def store(self, **uids: int) -> None:
        with state_at(self.database).write() as db:
            store_uids(db, uids, (), now=1000.0, source="test")

    def stored(self) -> dict[str, int]:
        with state_at(self.database).read() as db:
            return {name: known.uid for name, known in known_uids(db).items()}

    def refresh(self, *, check_mode: bool = False, diff: bool = False, **changes: t.Any) -> dict[str, t.Any]:
        checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate({**self.params, **changes})
        assert not checked.error_messages
        context = Context(check_mode=check_mode, diff=diff, warn=self.warnings.append, owner=4711)
        return stage.run_stage(checked.validated_parameters, context)


@pytest.fixture
def world(pki: Pki, tmp_path: Path) -> t.Iterator[World]:
    """Run a registry while the test runs."""
    made = World(pki, tmp_path)
    made.configure("a1", "b2", "c3")
    yield made
    made.registry.close()


def told(result: dict[str, t.Any], *keys: str) -> dict[str, t.Any]:
    """Give for each account what its outcome says under these keys."""
    return {item.get("account", ""): tuple(item.get(key, "") for key in keys) for item in result["outcomes"]}


def test_run_stage_new_accounts_are_stored(world: World) -> None:
    result = world.refresh(diff=True)
    assert (result["changed"], result.get("failed")) == (True, None)
    assert result["msg"] == "UIDs of 3 accounts: 0 confirmed, 3 new, 0 changed."
    assert result["uids"] == world.stored() == {"a1": 50001, "b2": 50002, "c3": 50003}
    assert result["diff"] == {"before": "", "after": "a1: 50001\nb2: 50002\nc3: 50003\n"}
    assert told(result, "stage", "status")["a1"] == ("registry", "changed")
    assert world.warnings == []


def test_run_stage_again_confirms_and_changes_nothing(world: World) -> None:
    world.store(a1=50001, b2=50002, c3=50003)
    before = time.time()
    result = world.refresh()
    assert result["changed"] is False
    assert "diff" not in result
    assert result["msg"] == "UIDs of 3 accounts: 3 confirmed, 0 new, 0 changed."
    assert told(result, "status", "message") == dict.fromkeys(("a1", "b2", "c3"), ("ok", ""))
    with state_at(world.database).read() as db:
        known = known_uids(db)["a1"]
    assert known.confirmed >= before
    assert known.source == "ferry"


def test_run_stage_changed_uid_is_loud(world: World) -> None:
    world.store(a1=7, b2=50002, c3=50003)
    result = world.refresh()
    assert told(result, "status", "message")["a1"] == (
        "changed",
        (
            "account a1 has a new UID 50001 (before: 7): its tokens go to /tmp/vt_u50001 from now on, and those of the "
            "old name stay until they expire."
        ),
    )
    assert world.warnings == [
        (
            "The account a1 has a new UID 50001 (before: 7): its tokens go to /tmp/vt_u50001 from now on, "
            "and those of the old name stay until they expire."
        )
    ]
    assert result["msg"] == "UIDs of 3 accounts: 2 confirmed, 0 new, 1 changed."


def test_run_stage_check_mode_says_the_same_and_stores_nothing(world: World) -> None:
    result = world.refresh(check_mode=True, diff=True)
    assert result["changed"] is True
    assert result["msg"] == "UIDs of 3 accounts: 0 confirmed, 3 would be new, 0 would change."
    assert result["diff"]["after"].startswith("a1: 50001\n")
    assert not world.database.exists()


def test_run_stage_failed_accounts_keep_their_rows_and_the_others_are_stored(world: World) -> None:
    world.configure("a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8")
    world.store(b2=42, c3=43)
    replies = {
        "b2": Reply({"ferry_status": "failure", "ferry_error": ["no such user"]}),
        "c3": Reply(good(0)),
        "d4": Reply(b"<html>"),
        "e5": Reply(b"", 500),
        "f6": Reply(good(99)),
        "g7": Reply(good(99)),
        "h8": Reply(good(43)),
    }
    world.registry.replies = {name: [reply] for name, reply in replies.items()}
    result = world.refresh()
    assert result["failed"] is True
    assert result["kind"] == "account_unknown"
    assert {name: kind for name, (kind,) in told(result, "kind").items()} == {
        "a1": "",
        "b2": "account_unknown",
        "c3": "uid_invalid",
        "d4": "registry_answer",
        "e5": "registry_unavailable",
        "f6": "uid_conflict",
        "g7": "uid_conflict",
        "h8": "uid_conflict",
    }
    assert told(result, "message")["b2"] == ("account b2: The registry says: no such user; it keeps the UID 42.",)
    assert told(result, "message")["d4"][0].endswith("; no UID is stored for it.")
    assert world.stored() == result["uids"] == {"a1": 50001, "b2": 42, "c3": 43}
    assert result["msg"].startswith(
        "7 of 8 accounts failed: b2: The registry says: no such user; it keeps the UID 42; c3: "
    )
    assert result["msg"].endswith("; and 2 more; of the others 0 confirmed, 1 new, 0 changed.")


def test_run_stage_accounts_may_exchange_their_uids_and_supersede_old_ones(world: World) -> None:
    world.store(a1=50002, b2=50001, gone=50003)
    result = world.refresh()
    assert result["uids"] == world.stored() == {"a1": 50001, "b2": 50002, "c3": 50003}
    assert result["msg"] == "UIDs of 3 accounts: 0 confirmed, 1 new, 2 changed, 1 forgotten."
    assert world.warnings[-1].startswith("The UID 50003 is that of account c3 now; account gone, ")


def test_run_stage_selection_asks_each_account_once_and_leaves_the_others(world: World) -> None:
    world.params["experiments"]["b2"]["roles"]["analysis"] = {"account": "b2"}
    world.store(a1=50002)
    result = world.refresh(experiment=["b2"], service=["c3_production"])
    assert sorted(world.registry.asked) == ["b2", "c3"]
    # It is configured, though not asked for here: its UID is not free.
    assert told(result, "kind") == {"b2": ("uid_conflict",), "c3": ("",)}
    assert world.stored() == {"a1": 50002, "c3": 50003}


def test_run_stage_role_with_another_uid_and_inactive_account_are_warned_of(world: World) -> None:
    world.configure("a1", "b2", a1=7, b2=50002)
    world.registry.replies["b2"] = [Reply(good(50002, ferry_output={"uid": 50002, "status": False}))]
    assert world.refresh().get("failed") is None
    assert world.warnings == [
        (
            "managed_tokens_experiments.a1.roles.production.uid is 7, and the registry gives the account a1 the UID "
            "50001; the role's own one counts."
        ),
        "The account b2 is not active, says the registry.",
    ]


def test_run_stage_many_warnings_are_counted(world: World) -> None:
    names = [f"a{number}" for number in range(1, 16)]
    world.configure(*names)
    world.store(**{name: 100 + number for number, name in enumerate(names)})
    world.refresh()
    assert len(world.warnings) == 11
    assert world.warnings[-1] == "5 more accounts have a new UID."


def test_run_stage_registry_that_is_down_fails_all(world: World) -> None:
    result = world.refresh(ferry_url=f"https://127.0.0.1:{closed_port()}")
    assert {item["kind"] for item in result["outcomes"]} == {"registry_unavailable"}
    assert result["msg"].startswith("3 of 3 accounts failed: a1: ")
    assert result["msg"].endswith(" cannot be reached: Connection refused; no UID is stored for it.")


def test_run_stage_storing_that_fails_is_told_and_stores_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise StateUnavailable("The state database is locked.")

    world.store(a1=7)
    world.registry.replies["b2"] = [Reply(b"", 404)]
    monkeypatch.setattr(stage, "store_uids", refuse)
    result = world.refresh()
    assert (result["failed"], result["changed"], result["kind"]) == (True, False, "state_unavailable")
    assert result["msg"].startswith(
        "The UIDs of 2 accounts were got and not stored: The state database is locked. 1 of 3"
    )
    assert told(result, "kind") == {"b2": ("account_unknown",), "": ("state_unavailable",)}
    assert world.stored() == {"a1": 7}


def test_run_stage_all_problems_are_told_before_anything_is_asked(world: World, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        world.refresh(
            experiments={"d_x": {"roles": {"production": {"account": "9"}}}},
            service=["nobody"],
            timeouts={"ferry": 0},
            ferry_url="ferry",
            ferry_uid="a..b",
            ferry_cert=str(tmp_path / "none"),
            database="relative",
        )
    words = " | ".join(caught.value.problems)
    for part in (
        "d_x",
        "'9'",
        "nobody",
        "timeouts.ferry",
        "ferry_url",
        "ferry_uid",
        "ferry_cert",
        "managed_tokens_database",
    ):
        assert part in words
    assert world.registry.asked == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"experiments": {}}, "managed_tokens_experiments is empty"),
        ({"experiments": {"a": {"roles": 7}}}, "has no roles"),
        ({"experiments": {"a": 7}}, "has to be a dictionary"),
        ({"database": ""}, "there is nowhere to store UIDs"),
        ({"ferry_auth": "token"}, "managed_tokens_ferry_service is not set"),
    ],
)
def test_run_stage_bad_input_of_its_own(world: World, change: dict[str, t.Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        world.refresh(**change)


def test_run_stage_nodes_of_the_inventory_do_not_matter(world: World) -> None:
    world.params["experiments"]["a1"]["roles"]["production"]["nodes"] = ["nowhere.lab.example"]
    assert world.refresh().get("failed") is None


def test_run_stage_token_is_got_once_and_sent_and_never_shown(
    world: World, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.registry.close()
    world.registry = Registry(pki, needs_certificate=False)
    taken: list[tuple[Identity, int | None, str]] = []

    def take(identity: Identity, _run: t.Any, *, owner: int | None, vault_ca: str) -> str:
        taken.append((identity, owner, vault_ca))
        return "eyJcanary"

    monkeypatch.setattr(stage, "take_bearer", take)
    monkeypatch.setattr(stage, "need_packages", lambda *_names: None)
    monkeypatch.setattr(stage, "find_program", lambda name: name)
    result = world.refresh(
        ferry_url=world.registry.url,
        ferry_auth="token",
        ferry_service="a1_production",
        principal="{account}@R",
        vault_server="v",
        vault_ca="/etc/ca.pem",
    )
    assert world.registry.authorisations == ["Bearer eyJcanary"] * 3
    identity = Identity("a1_production", "a1", "production", "a1@R", "/opt/managed-tokens/keytabs/a1.keytab", "v")
    assert taken == [(identity, 4711, "/etc/ca.pem")]
    assert "canary" not in repr(result)


def test_run_stage_token_that_is_not_to_be_had_keeps_its_kind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise PersonNeeded("Nobody logged in.")

    monkeypatch.setattr(stage, "take_bearer", refuse)
    monkeypatch.setattr(stage, "need_packages", lambda *_names: None)
    monkeypatch.setattr(stage, "find_program", lambda name: name)
    with pytest.raises(PersonNeeded):
        world.refresh(ferry_auth="token", ferry_service="a1_production", principal="{account}@R", vault_server="v")
    assert world.registry.asked == []
