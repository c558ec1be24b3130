# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to HTCondor's programs: each asked once, and every answer understood."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import CollectorUnavailable, Missing, NoCredds
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool, split_vault_server
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the two programs."""
    for name in ("condor_status", "condor_config_val"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


class FakeRunner:
    """Answer by the collector that is asked, or with one answer for all; remember the command lines."""

    def __init__(self, answers: dict[str, Finished]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def __call__(self, argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        assert env["LC_ALL"] == "C"
        assert timeout == 9.0
        self.asked.append(list(argv[1:]))
        return self.answers[argv[argv.index("-pool") + 1] if "-pool" in argv else ""]


def good(output: str) -> Finished:
    return Finished(0, output, 0.1)


def test_credds_are_the_schedds_by_name_each_once() -> None:
    run = FakeRunner({"col": good("b\na\n\nb\n")})
    assert Pool(run, 9.0).credds(["col"], "IsX == True") == (Credd("a", "col"), Credd("b", "col"))
    assert run.asked == [["-pool", "col", "-schedd", "-autoformat", "Name", "-constraint", "IsX == True"]]


def test_credds_without_collector_are_those_of_the_local_pool() -> None:
    run = FakeRunner({"": good("a\n")})
    assert Pool(run, 9.0).credds([], "") == (Credd("a", ""),)
    assert run.asked == [["-schedd", "-autoformat", "Name"]]


def test_credds_each_question_is_asked_once() -> None:
    run = FakeRunner({"col": good("a\n")})
    pool = Pool(run, 9.0)
    for constraint in ("x", "x", "y", "x"):
        pool.credds(["col"], constraint)
    assert len(run.asked) == 2


def test_credds_dead_collector_is_asked_once_and_the_next_one_serves() -> None:
    run = FakeRunner(
        {"dead": Finished(1, "Error: communication error\nCan't connect to dead\n", 1.0), "col": good("a\n")}
    )
    pool = Pool(run, 9.0)
    for constraint in ("x", "y"):
        assert pool.credds(["dead", "col"], constraint) == (Credd("a", "col"),)
    assert sum("dead" in argv for argv in run.asked) == 1


def test_credds_no_collector_answers_tells_of_each() -> None:
    run = FakeRunner({"one": Finished(-9, "", 9.0, timed_out=True), "two": Finished(1, f"no way {CANARY}\n", 1.0)})
    with pytest.raises(CollectorUnavailable) as caught:
        Pool(run, 9.0).credds(["one", "two"], "")
    assert caught.value.msg == (
        "Collector one gave no list of schedds: no answer within 9 s. "
        "Collector two gave no list of schedds: no way [redacted]."
    )


def test_credds_collector_without_schedds_ends_the_search() -> None:
    run = FakeRunner({"col": good("\n"), "next": good("a\n")})
    with pytest.raises(NoCredds, match=r"^Collector col knows no schedds that match 'x', so there is no credd"):
        Pool(run, 9.0).credds(["col", "next"], "x")


@pytest.mark.parametrize("name", ["../../etc/x", "a b", "-a"])
def test_credds_name_that_could_be_a_path_or_an_option_is_refused(name: str) -> None:
    """A credd's name becomes part of a file name and of an environment variable."""
    with pytest.raises(CollectorUnavailable, match="no usable name"):
        Pool(FakeRunner({"": good(f"fine\n{name}\n")}), 9.0).credds([], "")


def test_credds_schedd_with_a_name_of_its_own_on_a_host_is_fine() -> None:
    assert Pool(FakeRunner({"": good("jobs@sub1.lab.example\n")}), 9.0).credds([], "") == (
        Credd("jobs@sub1.lab.example"),
    )


def test_credds_without_htcondor_is_missing(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (programs / "condor_status").unlink()
    with pytest.raises(Missing):
        Pool(FakeRunner({}), 9.0).credds([], "")


@pytest.mark.parametrize(
    ("done", "options"), [(good("-a v --x\n"), "-a v --x"), (Finished(1, "Not defined\n", 0.1), "")]
)
def test_gettoken_options_are_asked_for_once(done: Finished, options: str) -> None:
    run = FakeRunner({"": done})
    pool = Pool(run, 9.0)
    assert [pool.gettoken_options(), pool.gettoken_options()] == [options, options]
    assert run.asked == [["SEC_CREDENTIAL_GETTOKEN_OPTS"]]


OPTIONS: tuple[tuple[str, tuple[str, str]], ...] = (
    ("", ("", "")),
    ("-a vault", ("vault", "")),
    ("-avault --x", ("vault", "--x")),
    ("--vaultserver=vault -v", ("vault", "-v")),
    ("--vaultserver vault", ("vault", "")),
    ("--audience a -a vault -i dune", ("vault", "--audience a -i dune")),
    ("-a one -a two", ("two", "")),
    ("--scopes 'a b'", ("", "--scopes 'a b'")),
    ("-a", ("", "")),
    ("it's broken", ("", "it's broken")),
)


@pytest.mark.parametrize(("options", "wanted"), OPTIONS)
def test_split_vault_server_takes_the_server_and_keeps_the_others(options: str, wanted: tuple[str, str]) -> None:
    assert split_vault_server(options) == wanted
