# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A good token is only ever exchanged for a better one, whatever the storer does."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _token_store as token_store
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, DeadlineReached, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import look
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_files import Left
from ansible_collections.fife.managed_tokens.plugins.module_utils._token_store import Stored, best_token, preview, store
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, LookUp
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    CANARY,
    OTHER_TOKEN,
    TOKEN,
    outcome,
    service,
)

CREDD = Credd("credd1.lab.example")
GOOD = Finished(0, "", 0.1)
FAILED = Finished(1, "Failed to store condor credentials for dune_production\n", 0.1)
HOUR = 3600.0


def lives(known: dict[bytes, Life]) -> LookUp:
    """Give a look-up that knows these tokens and is silent about others."""

    def of(server: str, token: str) -> Life:
        assert server == "vault.lab.example"
        return known.get(token.encode() + b"\n", Life(remark="silent"))

    return of


def run(
    tmp_path: Path,
    done: Finished | TokensError,
    left_behind: bytes | None,
    known: dict[bytes, Life] | None = None,
    kept: bytes | None = TOKEN,
    remark: str = "",
    minimum: float = 0.0,
) -> tuple[Stored, bytes | None]:
    """Let a fake storer run; give what came of it and what is kept afterwards."""
    owner = service(token_dir=str(tmp_path))
    if kept is not None:
        look(owner, CREDD.name).path.write_bytes(kept)

    def fake(_storer: StorerRun, prior: bytes | None) -> tuple[Finished, Left]:
        assert prior == kept
        if isinstance(done, TokensError):
            raise done
        return done, Left(left_behind, remark)

    stored = store(
        StorerRun(owner, CREDD, "run", tmp_path, "3d"),
        run_storer=fake,
        lives=lives(known or {}),
        timeout=60.0,
        minimum=minimum,
    )
    assert "Canary" not in repr(stored)
    path = look(owner, CREDD.name).path
    return stored, path.read_bytes() if path.exists() else None


def later(hours: float) -> Life:
    """Give a life that ends in some hours."""
    return Life(expires=time.time() + hours * HOUR)


def test_store_same_token_is_ok(tmp_path: Path) -> None:
    stored, kept = run(tmp_path, GOOD, TOKEN, {TOKEN: later(100)})
    assert (stored.outcome.status, kept) == ("ok", TOKEN)
    assert round(stored.outcome.life / HOUR) == 100
    assert stored.path is not None


# Hours that the token lives, hours that are wanted, what is said of it.
SHORT_LIVES: tuple[tuple[float, float, str], ...] = (
    (2.01, 72, "the token lives only 2 h, less than 3 d (managed_tokens_min_token_lifetime)"),
    (11.01, 12, "the token lives only 11 h, less than 12 h (managed_tokens_min_token_lifetime)"),
    # The storer looked before us.
    (71.9, 72, ""),
    (168, 72, ""),
    (2, 0, ""),
)


@pytest.mark.parametrize(("hours", "wanted", "remark"), SHORT_LIVES)
@pytest.mark.parametrize("before", [TOKEN, OTHER_TOKEN])
def test_store_token_that_lives_too_short_is_kept_and_told(
    tmp_path: Path, before: bytes, hours: float, wanted: float, remark: str
) -> None:
    stored, kept = run(tmp_path, GOOD, TOKEN, {TOKEN: later(hours)}, before, minimum=wanted * HOUR)
    assert (stored.outcome.is_failure, kept) == (False, TOKEN)
    assert stored.outcome.message == remark


@pytest.mark.parametrize("before", [None, OTHER_TOKEN, b"rubbish"])
def test_store_new_token_is_a_change_and_kept(tmp_path: Path, before: bytes | None) -> None:
    owner = service(token_dir=str(tmp_path))
    if before is not None:
        look(owner, CREDD.name).path.write_bytes(before)
    storer = StorerRun(owner, CREDD, "run", tmp_path, "3d")
    stored = store(storer, run_storer=lambda _storer, _prior: (GOOD, Left(TOKEN)), lives=lives({}), timeout=60.0)
    assert stored.outcome.status == "changed"
    assert stored.outcome.message == "silent"
    assert look(owner, CREDD.name).content == TOKEN


# A run that went well by its exit status, and did not leave a usable token.
DECEPTIONS: tuple[tuple[bytes | None, dict[bytes, Life]], ...] = (
    (None, {}),
    (b"", {}),
    (b"Error 502", {}),
    (OTHER_TOKEN, {OTHER_TOKEN: Life(refused=True, remark="the vault server does not accept it (HTTP 403)")}),
)


@pytest.mark.parametrize(("left_behind", "known"), DECEPTIONS)
def test_store_good_exit_without_a_usable_token_fails_and_keeps_the_old(
    tmp_path: Path, left_behind: bytes | None, known: dict[bytes, Life]
) -> None:
    stored, kept = run(tmp_path, GOOD, left_behind, known)
    assert (stored.outcome.status, stored.outcome.kind, kept) == ("failed", "token_invalid", TOKEN)
    assert stored.outcome.message.startswith("dune_production on credd credd1.lab.example: ")


# A failed run: what it left, what vault says, what is kept afterwards.
FAILURES: tuple[tuple[bytes | None, dict[bytes, Life], bytes | None, bytes | None], ...] = (
    (None, {}, TOKEN, TOKEN),
    (TOKEN, {}, TOKEN, TOKEN),
    (b"rubbish", {}, TOKEN, TOKEN),
    (OTHER_TOKEN, {}, TOKEN, TOKEN),
    (OTHER_TOKEN, {OTHER_TOKEN: later(10), TOKEN: later(20)}, TOKEN, TOKEN),
    (OTHER_TOKEN, {OTHER_TOKEN: later(20), TOKEN: later(10)}, TOKEN, OTHER_TOKEN),
    (OTHER_TOKEN, {OTHER_TOKEN: Life(refused=True), TOKEN: later(10)}, TOKEN, TOKEN),
    (OTHER_TOKEN, {OTHER_TOKEN: later(20)}, None, OTHER_TOKEN),
    (OTHER_TOKEN, {}, None, None),
    (None, {}, None, None),
)


@pytest.mark.parametrize(("left_behind", "known", "before", "after"), FAILURES)
def test_store_failed_run_keeps_the_better_token(
    tmp_path: Path, left_behind: bytes | None, known: dict[bytes, Life], before: bytes | None, after: bytes | None
) -> None:
    stored, kept = run(tmp_path, FAILED, left_behind, known, before)
    assert (stored.outcome.status, stored.outcome.kind) == ("failed", "credd_unavailable")
    assert kept == after
    assert (stored.path is not None) == (after is not None)


@pytest.mark.parametrize(("done", "left_behind"), [(GOOD, TOKEN), (GOOD, None), (FAILED, None), (FAILED, OTHER_TOKEN)])
def test_store_what_stays_behind_is_told_however_it_ended(
    tmp_path: Path, done: Finished, left_behind: bytes | None
) -> None:
    stored, _kept = run(tmp_path, done, left_behind, {TOKEN: later(100)}, remark="/tmp/vt_x could not be removed (y)")
    assert stored.outcome.message.endswith("/tmp/vt_x could not be removed (y)")
    assert stored.outcome.is_failure == (done is FAILED or left_behind is None)


def test_store_error_of_the_runner_is_a_failed_outcome(tmp_path: Path) -> None:
    stored, kept = run(tmp_path, DeadlineReached("the run is being stopped."), None)
    assert (stored.outcome.kind, kept) == ("deadline", TOKEN)
    assert stored.outcome.message == "dune_production on credd credd1.lab.example: the run is being stopped."


def test_store_token_that_cannot_be_kept_is_a_failed_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_kept: object, _content: bytes) -> None:
        raise BadFile("Cannot write: no space.")

    monkeypatch.setattr(token_store, "keep", full)
    stored, kept = run(tmp_path, GOOD, OTHER_TOKEN)
    assert (stored.outcome.status, stored.outcome.kind, kept) == ("failed", "bad_file", TOKEN)


# What is kept, how many seconds the token has left, or what else vault says, and what would happen.
PREVIEWS: tuple[tuple[bytes | None, dict[bytes, Life], str, str], ...] = (
    (None, {}, "changed", "would obtain a new token: no token is kept yet"),
    (b"rubbish", {}, "changed", "would obtain a new token: "),
    (TOKEN, {TOKEN: Life(refused=True)}, "changed", "would obtain a new token: the kept token is no longer accepted"),
    (TOKEN, {TOKEN: Life(10 * HOUR)}, "changed", "would obtain a new token: the kept token has only 10.0 h left"),
    (TOKEN, {TOKEN: Life(100 * HOUR)}, "ok", ""),
    (TOKEN, {}, "ok", "silent"),
)


@pytest.mark.parametrize(("kept", "known", "status", "message"), PREVIEWS)
def test_preview_says_what_would_happen_and_does_nothing(
    tmp_path: Path, kept: bytes | None, known: dict[bytes, Life], status: str, message: str
) -> None:
    owner = service(token_dir=str(tmp_path))
    if kept is not None:
        look(owner, CREDD.name).path.write_bytes(kept)
    before = [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]
    now = time.time()
    ends = {token: replace(life, expires=now + life.expires) if life.expires else life for token, life in known.items()}
    found = preview(owner, CREDD, minimum=72 * HOUR, lives=lives(ends))
    assert found.outcome.status == status
    assert found.outcome.message.startswith(message)
    assert found.will_change == (status == "changed")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == before
    assert CANARY not in repr(found)


def stored(path: str, expires: float | None, status: str = "ok") -> Stored:
    """Give the result of one credd."""
    record: Outcome = outcome("store", status)
    return Stored(record, Path(path), Life(expires))


BEST: tuple[tuple[list[Stored], str | None], ...] = (
    ([], None),
    ([stored("a", 5.0, "failed")], None),
    ([stored("b", 5.0), stored("a", 9.0)], "a"),
    ([stored("b", None), stored("a", None)], "a"),
    ([stored("b", 5.0), stored("a", None)], "b"),
    ([stored("b", 5.0), stored("a", 9.0, "failed")], "b"),
)


@pytest.mark.parametrize(("all_stored", "wanted"), BEST)
def test_best_token_is_the_longest_living_of_those_that_went_well(all_stored: list[Stored], wanted: str | None) -> None:
    best = best_token(all_stored)
    assert (str(best.path) if best else None) == wanted


def test_store_without_credd_names_the_service_only(tmp_path: Path) -> None:
    owner: Service = service(token_dir=str(tmp_path), credds=(), token_getter="htgettoken")
    storer = StorerRun(owner, None, "run", tmp_path, "3d")
    found = store(storer, run_storer=lambda _storer, _prior: (FAILED, Left()), lives=lives({}), timeout=60.0)
    assert found.outcome.message.startswith("dune_production: ")
    assert found.outcome.credd == ""
