# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login is shown, counted down, begun anew, and ends with an error of its own or with a token."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _storer
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import keep, look
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import (
    Invitation,
    Limits,
    Login,
    clock_words,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import OTHER_TOKEN, TOKEN, service
from ansible_collections.fife.managed_tokens.tests.unit.plugins.login_words import ADDRESS, ASKED, VAULT

APPROVED = "Saving refresh token ... done\n"
GAVE_UP = "htgettoken: Polling for response took longer than 2 minutes\n"
DENIED = f"htgettoken: error in response from {VAULT}: access_denied\n"
STORAGE = f"Saving refresh token ... failed\nhtgettoken: Refresh token storage to {VAULT} failed: "


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Hall:
    """Remember all that is shown, in order."""

    def __init__(self) -> None:
        self.seen: list[str | Invitation] = []

    def show(self, text: str) -> None:
        self.seen.append(text)

    def invite(self, invitation: Invitation) -> None:
        self.seen.append(invitation)

    def waited(self) -> None:
        pass

    @property
    def invitations(self) -> list[Invitation]:
        return [item for item in self.seen if isinstance(item, Invitation)]


# What the program does: says words, lets seconds go by, ends with a status, leaves a token.
Step: t.TypeAlias = "str | float | int | bytes"


class Program:
    """Be the storer on its terminal: each run takes one script."""

    def __init__(self, clock: Clock, working_copy: Path, *scripts: t.Sequence[Step]) -> None:
        self._clock = clock
        self._working_copy = working_copy
        self._scripts = list(scripts)
        self.runs: list[dict[str, t.Any]] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        env: t.Mapping[str, str],
        until: t.Callable[[], float],
        said: t.Callable[[bytes], None],
        waited: t.Callable[[], None],
    ) -> Finished:
        self.runs.append({"argv": list(argv), "env": dict(env), "staged": self._working_copy.exists()})
        output = ""
        for step in self._scripts.pop(0):
            if isinstance(step, str):
                output += step
                said(step.encode())
            elif isinstance(step, bytes):
                self._working_copy.write_bytes(step)
                self._working_copy.chmod(0o600)
            elif isinstance(step, float):
                for _half in range(round(step * 2)):
                    self._clock.now += 0.5
                    if self._clock.now >= until():
                        return Finished(-15, output, 0.0, timed_out=True)
                    waited()
            else:
                return Finished(step, output, 0.0)
        return Finished(0, output, 0.0)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give directories and programs of the test's own."""
    for name in ("run", "tmp", "bin", "tokens"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "bin" / "condor_vault_storer").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "bin" / "condor_vault_storer").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(_storer, "WORKING_DIRECTORY", tmp_path / "tmp")
    return tmp_path


class Scene(t.NamedTuple):
    outcome: Outcome
    hall: Hall
    program: Program
    kept: bytes | None


def led(places: Path, *scripts: t.Sequence[Step], login: float = 600.0, kept: bytes | None = None) -> Scene:
    """Lead a login in which the program follows the scripts, with this token kept from before."""
    owner = service(token_dir=str(places / "tokens"), ccache="FILE:/x")
    storer = StorerRun(owner, owner.credds[0], "abc", places / "run", "3d", is_forced=True)
    if kept is not None:
        keep(look(owner, owner.credds[0].name), kept)
    clock, hall = Clock(), Hall()
    program = Program(clock, storer.working_copy, *scripts)
    found = Login(storer, hall, Limits(login, 60.0), (1, 2), clock).run(
        program, lambda _server, _token: Life(time.time() + 600_000)
    )
    assert not list((places / "tmp").iterdir())
    assert not list((places / "run").iterdir())
    path = next(iter(Path(owner.token_dir).glob("vt_*")), None)
    return Scene(found, hall, program, path.read_bytes() if path else None)


def test_run_approved_login_is_a_change_and_its_token_is_kept(places: Path) -> None:
    scene = led(places, [ASKED, 2.0, APPROVED, TOKEN])
    assert (scene.outcome.stage, scene.outcome.status, scene.outcome.credd) == ("login", "changed", "")
    assert scene.kept == TOKEN
    (invitation,) = scene.hall.invitations
    assert (invitation.address, invitation.code) == (ADDRESS, "D134-7ABC")
    assert (invitation.life, invitation.left, invitation.number, invitation.total) == (120.0, 600.0, 1, 2)
    assert scene.hall.seen[-1] == "dune_production: the login is approved."


def test_run_program_is_told_to_open_nothing_and_has_no_earlier_token(places: Path) -> None:
    scene = led(places, [ASKED, APPROVED, TOKEN], kept=OTHER_TOKEN)
    (run,) = scene.program.runs
    options = run["env"]["_condor_SEC_CREDENTIAL_GETTOKEN_OPTS"].split()
    assert options[-1] == "--nokerberos"
    assert "--web-open-command=" in options
    assert any(option.startswith(f"--configdir={places}/run/") for option in options)
    assert run["staged"] is False


def test_run_countdown_is_shown_every_half_minute(places: Path) -> None:
    scene = led(places, [ASKED, 65.0, APPROVED, TOKEN])
    assert [text for text in scene.hall.seen if isinstance(text, str) and text.startswith("Waiting")] == [
        "Waiting for the approval of dune_production: 9 min 30 s left",
        "Waiting for the approval of dune_production: 9 min left",
    ]


def test_run_address_that_has_expired_is_replaced_until_the_time_is_over(places: Path) -> None:
    second = ASKED.replace("D134-7ABC", "FFFF-0000")
    scene = led(places, [ASKED, 121.0, GAVE_UP, 1], [second, 5.0, APPROVED, TOKEN])
    assert scene.outcome.status == "changed"
    first, renewed = scene.hall.invitations
    assert (first.is_renewed, renewed.is_renewed, renewed.code) == (False, True, "FFFF-0000")
    between = scene.hall.seen[scene.hall.seen.index(renewed) - 1]
    assert isinstance(between, str)
    assert "the address above no longer counts" in between


def test_run_no_new_address_is_asked_for_when_nobody_could_open_it_in_time(places: Path) -> None:
    scene = led(places, [ASKED, 121.0, GAVE_UP, 1], login=125.0)
    assert (scene.outcome.kind, len(scene.program.runs)) == ("login_timed_out", 1)
    assert scene.outcome.message == "dune_production: nobody approved the login within 2 min 5 s."


def test_run_address_without_a_word_of_waiting_is_shown_all_the_same(places: Path) -> None:
    silent = ASKED.replace("Waiting for response in web browser\n", "")
    scene = led(places, [silent, 2.0, APPROVED, TOKEN])
    assert [item.code for item in scene.hall.invitations] == ["D134-7ABC"]


def test_run_whoever_has_approved_is_not_cut_off(places: Path) -> None:
    scene = led(places, [ASKED, 5.0, APPROVED, 20.0, TOKEN], login=10.0)
    assert scene.outcome.status == "changed"


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ([ASKED, DENIED, 1], "login_denied", "the login was refused: access_denied"),
        ([ASKED, 20.0, 1], "login_timed_out", "nobody approved the login within 10 s"),
        ([ASKED, STORAGE + "HTTPError: Forbidden:\n\t* permission denied\n", 1], "login_by_stranger", "store"),
        (
            [ASKED, f'error in response from {VAULT}: claim "groups" does not match any bound claim values\n', 1],
            "login_by_stranger",
            "does not let in whoever logged in",
        ),
        ([ASKED, STORAGE + "HTTPError: Bad Gateway\n", 1], "vault_unavailable", "did not answer properly"),
        (["htgettoken: Initiating authentication failed: Connection refused\n", 1], "vault_unavailable", "refused"),
        ([20.0, 1], "timed_out", "did not finish within 10 s"),
        ([ASKED, APPROVED, 1], "changed", ""),
        (["what is this\n", 1], "storer_failed", "what is this"),
    ],
)
@pytest.mark.parametrize("kept", [None, OTHER_TOKEN])
def test_run_login_that_does_not_come_about_costs_nothing(
    places: Path, script: list[Step], kind: str, words: str, kept: bytes | None
) -> None:
    scene = led(places, script, login=10.0, kept=kept)
    if kind == "changed":
        # The person has done their part: what the credd lacks is told by the store.
        assert (scene.outcome.status, scene.outcome.kind, scene.outcome.message) == ("changed", "", "")
    else:
        assert (scene.outcome.status, scene.outcome.kind) == ("failed", kind)
        assert words in scene.outcome.message
    assert scene.kept == kept


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (-3, "0 s"), (45.4, "45 s"), (60, "1 min"), (570, "9 min 30 s"), (3661, "61 min 1 s")],
)
def test_clock_words_table(seconds: float, words: str) -> None:
    assert clock_words(seconds) == words
