# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing is told before anything is touched, all of it, with how to get it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import (
    missing_packages,
    missing_programs,
    need_packages,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory that is all there is of PATH."""
    monkeypatch.setattr(
        "ansible_collections.fife.managed_tokens.plugins.module_utils._process.base_environment",
        lambda: {"PATH": str(tmp_path)},
    )
    return tmp_path


def install(directory: Path, *names: str) -> None:
    """Put programs there."""
    for name in names:
        (directory / name).write_text("#!/bin/sh\n", encoding="ascii")
        (directory / name).chmod(0o755)


def test_missing_packages_names_each_with_the_way_to_get_it() -> None:
    assert missing_packages(["json", "requests"]) == []
    (one,) = missing_packages(["no_such_package"])
    assert "The Python package no_such_package is not installed for " in one
    assert one.endswith("(pip install no_such_package).")


def test_need_packages_names_all_that_are_missing() -> None:
    need_packages("json")
    with pytest.raises(Missing, match=r"no_such_one .*no_such_two "):
        need_packages("json", "no_such_one", "no_such_two")


def test_missing_programs_names_all_in_one_sentence(programs: Path) -> None:
    (text,) = missing_programs([service()])
    assert text.startswith(
        "Not installed on the token host, or not in PATH: condor_vault_storer (comes with HTCondor), "
    )
    assert "condor_store_cred (" in text
    assert "htgettoken (" in text
    install(programs, "condor_credential_storer", "condor_store_cred", "htgettoken")
    assert missing_programs([service()]) == []


def test_missing_programs_without_htcondor_only_htgettoken_is_needed(programs: Path) -> None:
    (text,) = missing_programs([service(token_getter="htgettoken")])
    assert "condor" not in text
    install(programs, "htgettoken")
    assert missing_programs([service(token_getter="htgettoken")]) == []
    assert missing_programs([]) == []
