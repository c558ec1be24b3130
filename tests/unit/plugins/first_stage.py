# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the first stage of a run with validated options, where all programs are installed."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_service_info as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import (
    GROUPS,
    PRINCIPAL,
    experiments,
)


def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put the programs that the stage looks for where it finds them; the collector answers with two schedds."""
    for name in ("condor_vault_storer", "condor_store_cred", "htgettoken", "condor_status", "condor_config_val"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(stage, "missing_packages", lambda _names: [])
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    def answer(argv: t.Sequence[str], *, env: t.Mapping[str, str], timeout: float) -> Finished:
        output = "credd2.lab.example\ncredd1.lab.example\n" if "-schedd" in argv else "-a vault.lab.example\n"
        return Finished(0, output, 0.0)

    monkeypatch.setattr(stage, "run_program", answer)
    return tmp_path


def run(warnings: list[str] | None = None, *, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
    """Run the stage with validated options."""
    given = {
        "experiments": experiments(),
        "principal": PRINCIPAL,
        "groups": GROUPS,
        "hosts": list(GROUPS["experiments"]),
        "vault_server": "vault.lab.example",
        "database": "",
        **params,
    }
    checked = ArgumentSpecValidator(stage.ARGUMENT_SPEC).validate(given)
    assert not checked.error_messages
    collected = [] if warnings is None else warnings
    context = Context(check_mode=check_mode, warn=collected.append, owner=os.getpid())
    return stage.run_stage(checked.validated_parameters, context)


def problems(**params: t.Any) -> tuple[str, ...]:
    """Give what the stage says of bad options."""
    with pytest.raises(BadInput) as caught:
        run(**params)
    return caught.value.problems
