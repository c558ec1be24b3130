# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report the run from a task, or see to it that the callback will."""

from __future__ import annotations

import time
import typing as t

from ansible.utils.display import Display

from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OwnProcessDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._play_listener import take_result
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_active import (
    CALLBACK,
    NONE,
    TASK,
    missing_report,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_guard import guarded
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_options import settings_of

REPORT_SPEC: dict[str, t.Any] = {
    "by": {"type": "str", "choices": [CALLBACK, TASK, NONE], "default": CALLBACK},
    "batches": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(OwnProcessDoor):
    """It works in Ansible's own process only: where the settings of the report are."""

    SPEC = REPORT_SPEC

    def run_stage(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Report what the batches hold, or warn when nobody is going to."""
        missing = missing_report(params["by"])
        if missing:
            context.warn(missing)
        if params["by"] != TASK:
            return {"changed": False, "reported": False}
        # Only here: whoever has the callback need not load it all a second time.
        from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report import report

        collected = Collected(check_mode=context.check_mode, started=time.time())
        for name in params["batches"]:
            batch = self._variables.get(name)
            if isinstance(batch, t.Mapping):
                take_result(collected, batch)
        collected.ended = time.time()

        def show(text: str, *, is_warning: bool = False) -> None:
            if is_warning:
                context.warn(text)
            else:
                Display().display(text)

        def work() -> None:
            given = settings_of(self._variables, self._templar)
            report(collected, given.settings, show, given.problems)

        guarded(work, context.warn, Display().vvv)
        return {"changed": False, "reported": True}
