# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(offboarding_record) on the registered results of the stages."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_offboarding_record import (
    ARGUMENT_SPEC,
    run_stage,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._batches import with_outcomes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor


class ActionModule(OnceDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Collect the outcomes of every stage that ran.

        Raises: StageOrder when none did.
        """
        return with_outcomes(options, task_vars)
