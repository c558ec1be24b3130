# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage that removes kept tokens: also of services that nothing else was reached of."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_kept_token import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import TOKEN, service

NAMES = [
    f"vt_u{os.getuid()}-{credd}-{name}" for name in ("dune_production", "nova_production") for credd in ("c1", "c2")
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a directory with the kept tokens of two services on two credds."""
    for name in NAMES:
        (tmp_path / name).write_bytes(TOKEN)
    return tmp_path


def run(services: t.Sequence[Service], context: Context | None = None) -> dict[str, t.Any]:
    given = {"services": [item.to_dict() for item in services], "state": "absent"}
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    return run_stage(checked.validated_parameters, context or Context())


def left(directory: Path) -> list[str]:
    return [name for name in NAMES if (directory / name).exists()]


def test_run_stage_removes_the_service_s_tokens_and_nothing_the_second_time(directory: Path) -> None:
    own = service(token_dir=str(directory))
    result = run([own])
    (plain,) = result["outcomes"]
    assert (plain["stage"], plain["status"], plain["message"]) == ("kept_removal", "changed", f"2 in {directory}")
    assert left(directory) == NAMES[2:]
    again = run([own])
    assert (again["changed"], again["removed"]) == (False, [])


def test_run_stage_in_check_mode_lists_the_paths(directory: Path) -> None:
    result = run([service(token_dir=str(directory))], Context(check_mode=True, diff=True))
    assert result["removed"] == [str(directory / name) for name in NAMES[:2]]
    assert result["diff"][0] == {
        "before": f"{directory / NAMES[0]}: file\n",
        "after": f"{directory / NAMES[0]}: absent\n",
    }
    assert left(directory) == NAMES


@pytest.mark.parametrize(("kind", "status"), [("keytab_missing", "changed"), ("service_held", "skipped")])
def test_run_stage_spares_only_what_another_run_serves(directory: Path, kind: str, status: str) -> None:
    stopped = service(token_dir=str(directory)).failed("setup", kind, "why")
    assert [plain["status"] for plain in run([stopped])["outcomes"]] == [status]
    assert (left(directory) == NAMES) is (status == "skipped")


def test_run_stage_names_what_cannot_be_removed_and_removes_the_rest(directory: Path) -> None:
    (directory / NAMES[0]).unlink()
    (directory / NAMES[0]).mkdir()
    (plain,) = run([service(token_dir=str(directory))])["outcomes"]
    assert (plain["status"], plain["kind"]) == ("failed", "bad_file")
    assert NAMES[0] in plain["message"]
    assert NAMES[1] not in left(directory)


def test_run_stage_has_nothing_to_do_with_a_service_that_is_only_taken_off_nodes(directory: Path) -> None:
    result = run([service(token_dir=str(directory), goes_on=True)])
    assert (result["outcomes"], left(directory)) == ([], NAMES)
