# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Concurrent storer runs share nothing, are told everything, and leave nothing behind."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _storer
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._guardian import working_id
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun, describe, run_storer
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_files import Left
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, OTHER_TOKEN, TOKEN, service

CREDD = Credd("credd1.lab.example", "collector.lab.example")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the run a private directory, a working directory and programs of its own."""
    for name in ("run", "tmp", "bin"):
        (tmp_path / name).mkdir()
    for name in ("condor_vault_storer", "htgettoken"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(_storer, "WORKING_DIRECTORY", tmp_path / "tmp")
    return tmp_path


def storer(places: Path, **changes: t.Any) -> StorerRun:
    """Give one run of the storer."""
    settings = {key: changes.pop(key) for key in ("htgettoken_options", "verbose") if key in changes}
    owner = service(ccache="FILE:/run/x/krb5cc_dune_production", **changes)
    credd = CREDD if owner.token_getter == "condor" else None
    return StorerRun(owner, credd, "abc", places / "run", "3d", **settings)


def test_argv_of_the_storer_is_the_service_alone(places: Path) -> None:
    assert storer(places).argv() == [str(places / "bin" / "condor_vault_storer"), "dune_production"]
    assert storer(places, verbose=True).argv()[1:] == ["-v", "dune_production"]


def test_argv_newer_name_of_the_storer_serves(places: Path) -> None:
    (places / "bin" / "condor_vault_storer").rename(places / "bin" / "condor_credential_storer")
    assert storer(places).argv()[0].endswith("/condor_credential_storer")


def test_argv_no_storer_is_missing(places: Path) -> None:
    (places / "bin" / "condor_vault_storer").unlink()
    with pytest.raises(Missing, match="condor_vault_storer or condor_credential_storer is not installed"):
        storer(places).argv()


def test_argv_of_htgettoken_names_issuer_role_and_files(places: Path) -> None:
    run = storer(places, token_getter="htgettoken", name="fermilab_production")
    assert run.argv() == [
        str(places / "bin" / "htgettoken"),
        "--nooidc",
        "-a",
        "vault.lab.example",
        "-i",
        "fermilab",
        "-r",
        "production",
        f"--vaulttokenfile={run.private / 'vt'}",
        f"--outfile={run.private / 'bt'}",
    ]


def test_environment_is_complete_and_the_runs_own(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/tmp/krb5cc_somebody")
    monkeypatch.setenv("HTGETTOKENOPTS", "--credkey=somebody")
    monkeypatch.setenv("BEARER_TOKEN", CANARY)
    monkeypatch.setenv("_condor_CREDD_HOST", "elsewhere")
    run = storer(places, gettoken_options="--x")
    env = run.environment()
    assert env["KRB5CCNAME"] == "FILE:/run/x/krb5cc_dune_production"
    assert env["HTGETTOKENOPTS"] == ("--vaulttokenminttl=3d --credkey=dunepro/managed-tokens/push.lab.example")
    assert env["CONDOR_VAULT_STORER_ID"] == run.id
    assert env["_condor_SEC_CREDENTIAL_GETTOKEN_OPTS"] == "--x -a vault.lab.example"
    assert env["_condor_CREDD_HOST"] == "credd1.lab.example"
    assert env["_condor_COLLECTOR_HOST"] == "collector.lab.example"
    assert env["XDG_RUNTIME_DIR"] == str(run.private)
    assert env["BEARER_TOKEN_FILE"] == str(run.private / "bt")
    assert CANARY not in str(env)


def test_environment_local_pool_and_htgettoken_name_no_collector(places: Path) -> None:
    local = StorerRun(service(), Credd("c"), "abc", places, "3d").environment()
    assert "_condor_COLLECTOR_HOST" not in local
    alone = storer(places, token_getter="htgettoken").environment()
    assert not {"_condor_CREDD_HOST", "CONDOR_VAULT_STORER_ID"} & alone.keys()


@pytest.mark.parametrize("is_forced", [True, False])
def test_login_opens_and_writes_nothing_here_whatever_the_site_says(places: Path, is_forced: bool) -> None:
    options: dict[str, t.Any] = {
        "htgettoken_options": "--web-open-command=firefox",
        "gettoken_options": "--web-open-command=lynx",
    }
    login = replace(storer(places, **options), is_login=True, is_forced=is_forced)
    words = login.environment()["_condor_SEC_CREDENTIAL_GETTOKEN_OPTS"].split()
    # The storer's own words come after those of the environment, and the last one counts.
    assert [word for word in words if word.startswith("--web-open-command")][-1] == "--web-open-command="
    assert f"--configdir={login.private}/config" in words
    assert ("--nokerberos" in words) is is_forced


def test_login_by_htgettoken_alone_may_ask_a_person(places: Path) -> None:
    login = replace(storer(places, token_getter="htgettoken"), is_login=True)
    assert "--nooidc" not in login.argv()
    assert "--web-open-command=" in login.argv()


def test_environment_options_of_the_site_win(places: Path) -> None:
    given = "--credkey=own --vaulttokenminttl=1h --debug"
    assert storer(places, htgettoken_options=given).environment()["HTGETTOKENOPTS"] == given


def test_runs_share_no_file_and_no_name(places: Path) -> None:
    one, other = storer(places), storer(places)
    shared = ("CONDOR_VAULT_STORER_ID", "XDG_RUNTIME_DIR", "BEARER_TOKEN_FILE")
    assert all(one.environment()[name] != other.environment()[name] for name in shared)
    assert not {one.private, one.working_copy, one.files.second_copy} & {
        other.private,
        other.working_copy,
        other.files.second_copy,
    }


def test_id_of_a_run_cannot_be_foreseen_and_is_found_by_the_run_it_belongs_to(places: Path) -> None:
    ids = {storer(places).id for _turn in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(f"{working_id('abc')}[0-9a-f]{{16}}", found) for found in ids)


class FakeProgram:
    """Behave like a storer: see the staged token, leave another one."""

    def __init__(self, leaves: bytes | None = None, error: BaseException | None = None) -> None:
        self.leaves, self.error = leaves, error
        self.staged: bytes | None = None
        self.mode = 0
        self.second_copy: tuple[bytes, int] | None = None

    def __call__(self, argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        assert env["LC_ALL"] == "C"
        assert timeout == 7.0
        assert CANARY not in f"{argv}{env}"
        private = Path(env["XDG_RUNTIME_DIR"])
        working_copy, second_copy = private / "vt", private.parent.parent / "tmp" / f"vt_{private.name}"
        if "CONDOR_VAULT_STORER_ID" in env:
            assert private.name == env["CONDOR_VAULT_STORER_ID"]
            working_copy = second_copy.with_name(f"{second_copy.name}-dune_production")
            self.second_copy = second_copy.read_bytes(), second_copy.stat().st_mode & 0o777
        if working_copy.exists():
            self.staged = working_copy.read_bytes()
            self.mode = working_copy.stat().st_mode & 0o777
            working_copy.unlink()
        (private / "bt").write_bytes(b"bearer")
        second_copy.write_bytes(b"second copy")
        if self.leaves is not None:
            working_copy.write_bytes(self.leaves)
        if self.error is not None:
            raise self.error
        if "CONDOR_VAULT_STORER_ID" not in env:
            second_copy.unlink()
        return Finished(0, "", 0.1)


def remaining(places: Path) -> list[Path]:
    """List what is left of a run."""
    return [*(places / "run").iterdir(), *(places / "tmp").iterdir()]


@pytest.mark.parametrize("getter", ["condor", "htgettoken"])
@pytest.mark.parametrize("prior", [None, TOKEN])
@pytest.mark.parametrize("leaves", [None, OTHER_TOKEN])
def test_run_storer_stages_the_prior_token_and_leaves_nothing(
    places: Path, getter: str, prior: bytes | None, leaves: bytes | None
) -> None:
    program = FakeProgram(leaves)
    done, left = run_storer(storer(places, token_getter=getter), prior, run=program, timeout=7.0)
    assert done.is_good
    assert left == Left(leaves)
    assert program.staged == prior
    assert program.mode == (0o600 if prior else 0)
    # Where the storer moves its second copy, nobody else can have put anything.
    assert program.second_copy == ((b"", 0o600) if getter == "condor" else None)
    assert remaining(places) == []


@pytest.mark.parametrize("error", [Missing("no program."), KeyboardInterrupt()])
def test_run_storer_whatever_ends_it_leaves_nothing(places: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        run_storer(storer(places), TOKEN, run=FakeProgram(OTHER_TOKEN, error), timeout=7.0)
    assert remaining(places) == []


def test_run_storer_link_left_in_place_of_the_token_is_no_token(places: Path) -> None:
    run = storer(places)
    (places / "secret").write_bytes(TOKEN)

    def program(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        run.working_copy.symlink_to(places / "secret")
        return Finished(0, "", 0.1)

    _done, left = run_storer(run, None, run=program, timeout=7.0)
    assert left.content is None
    assert left.remark == f"Cannot read {run.working_copy}: Too many levels of symbolic links"
    assert (places / "secret").exists()
    assert remaining(places) == []


# What somebody else has put in the place of which file.
SQUATTERS: tuple[tuple[str, bytes | None], ...] = (
    ("", None),
    ("", TOKEN),
    ("-dune_production", None),
    ("-dune_production", TOKEN),
)


@pytest.mark.parametrize(("suffix", "prior"), SQUATTERS)
@pytest.mark.parametrize("sort", ["directory", "file", "link"])
def test_run_storer_runs_under_another_name_where_somebody_has_one_of_its_names(
    places: Path, suffix: str, prior: bytes | None, sort: str
) -> None:
    run = storer(places)
    squatter = places / "tmp" / f"vt_{run.id}{suffix}"
    if sort == "directory":
        squatter.mkdir(mode=0o777)
    elif sort == "file":
        squatter.write_bytes(b"foreign")
    else:
        squatter.symlink_to(places / "target")
    program = FakeProgram(OTHER_TOKEN)
    done, left = run_storer(run, prior, run=program, timeout=7.0)
    assert (done.is_good, left, program.staged) == (True, Left(OTHER_TOKEN), prior)
    assert remaining(places) == [squatter]
    assert not (places / "target").exists()
    if sort == "directory":
        assert not list(squatter.iterdir())
    if sort == "file":
        assert squatter.read_bytes() == b"foreign"


def test_run_storer_does_not_try_new_names_for_ever(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_storer, "new_mark", lambda: "same")
    (places / "tmp" / f"vt_{working_id('abc', 'same')}").mkdir()
    with pytest.raises(BadFile, match=r"^Cannot create .*: File exists\.$"):
        run_storer(replace(storer(places), mark="same"), TOKEN, run=FakeProgram(), timeout=7.0)
    assert [path.name for path in remaining(places)] == [f"vt_{working_id('abc', 'same')}"]


def test_run_storer_removes_the_temporary_file_that_htgettoken_could_not_rename(places: Path) -> None:
    run = storer(places)
    tmp = places / "tmp"
    others = [tmp / ".htgettokenother__", tmp / ".htgettokenforeign1"]

    def program(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        for path in (*others, tmp / ".htgettokenab_c1234"):
            path.write_bytes(TOKEN)
        words = (
            f"htgettoken: failure renaming {others[0]} to {tmp}/vt_mtotherxz-dune_production: IsADirectoryError\n"
            f"htgettoken: failure renaming {tmp}/.htgettokenab_c1234 to {run.working_copy}: IsADirectoryError: [Errno"
        )
        return Finished(1, words, 0.1)

    run_storer(run, None, run=program, timeout=7.0)
    assert sorted(remaining(places)) == sorted(others)


def test_run_storer_tells_what_it_cannot_remove(places: Path) -> None:
    run = storer(places)

    def program(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        # Not even root removes a directory as a file.
        run.working_copy.mkdir()
        return Finished(0, "", 0.1)

    _done, left = run_storer(run, None, run=program, timeout=7.0)
    assert left.content is None
    assert left.remark.startswith(f"{run.working_copy} is not a plain file of the running user")
    assert left.remark.endswith(f"; {run.working_copy} could not be removed (Is a directory)")


def test_run_storer_without_its_directory_is_a_bad_file(places: Path) -> None:
    os.rmdir(places / "run")
    with pytest.raises(BadFile, match=r"^Cannot make the directory"):
        run_storer(storer(places), TOKEN, run=FakeProgram(), timeout=7.0)


def test_describe_names_service_and_credd() -> None:
    assert describe(service(), CREDD) == "dune_production on credd credd1.lab.example"
    assert describe(service(), None) == "dune_production"
