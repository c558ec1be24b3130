# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check stage looks at keytabs as well, of services that have nothing else to be looked at."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.fife.managed_tokens.plugins.module_utils import _stage_onboarding_check as stage
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run, Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import service


@pytest.mark.parametrize(("mode", "count"), [(0o400, 0), (0o640, 1)])
def test_run_stage_warns_of_a_keytab_that_others_can_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int, count: int
) -> None:
    monkeypatch.setattr(stage, "need_packages", lambda *_names: None)
    keytab = tmp_path / "k"
    keytab.touch()
    keytab.chmod(mode)
    plain = service(keytab=str(keytab), nodes=(), vault_server="").to_dict()
    params: dict[str, t.Any] = {
        "services": [plain],
        "run": Run.begin(Timeouts()).to_dict(),
        "concurrency": 1,
        "known_hosts": [],
        "kex_algorithms": [],
    }
    warnings: list[str] = []
    stage.run_stage(params, Context(warn=warnings.append))
    assert len(warnings) == count
    assert all(f"{keytab} (0640)" in text for text in warnings)
