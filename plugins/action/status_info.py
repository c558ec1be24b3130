# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(status_info) inside Ansible's own process, show what it says, and write the page."""

from __future__ import annotations

import os
import typing as t

from ansible.utils.display import Display

from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import KNOWN_SETTINGS
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_status import ARGUMENT_SPEC, run_stage
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _inventory_look as inventory
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._outside_settings import check_outside
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import is_quiet, show_line


class ActionModule(OnceDoor):
    """The in-process door."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(run_stage)
    TITLE = "Status"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Give the status, and show it: Ansible itself would only say "ok"."""
        result = super().run(tmp, task_vars)
        for line in result.get("summary") or ():
            show_line(str(line))
        if result.get("failed"):
            # Ansible shows a failed result whole.
            result.pop("summary", None)
            if is_quiet():
                # Nobody else would say why.
                Display().display(str(result.get("msg", "")))
        view = result.pop("view", None)
        if view is not None:
            self._write(view, result)
        return result

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Refuse settings that would not count, or not count for all hosts of the play.

        Raises: BadInput.
        """
        check_outside()
        inventory.check_known_settings(task_vars, KNOWN_SETTINGS)
        hosts = list(task_vars.get("ansible_play_hosts_all") or ())
        inventory.check_run_settings(inventory.look_at(task_vars, hosts), hosts)
        return options

    def _write(self, view: dict[str, t.Any], result: dict[str, t.Any]) -> None:
        path = os.path.expanduser(str(self._task.args["page"]))
        if self._task.check_mode:
            show_line(f"The page {path} would be written.")
            return
        # Only here: whoever wants no page need not load the templates.
        from ansible_collections.fife.managed_tokens.plugins.plugin_utils._status_page import page, write

        problems: list[str] = []
        template_dir = os.path.expanduser(str(self._task.args.get("template_dir") or ""))
        problems.append(write(path, page(view, template_dir, problems)))
        result.setdefault("warnings", []).extend(problem for problem in problems if problem)
