# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run M(vault_login) inside Ansible's own process, and show each login while it goes on."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_login import ARGUMENT_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_login import run_stage as login_stage
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OnceDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_audience import LiveAudience
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_senders import senders_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import show_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_options import settings_of


class ActionModule(OnceDoor):
    """The in-process door, which adds whoever looks at the output or is sent the address."""

    SPEC = ARGUMENT_SPEC
    STAGE = staticmethod(login_stage)
    TITLE = "Vault tokens"

    def complete(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Keep the variables for the stage."""
        self._variables = task_vars
        return options

    def run_stage(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Give the stage's result.

        Raises: BadInput when the address cannot be sent as it is to be, and what the stage raises.
        """
        settings = settings_of(self._variables, self._templar).settings
        senders, problems = senders_of(params["mail"], params["slack"], params["slack_webhook"], settings)
        if problems:
            raise BadInput(*problems)
        return login_stage(params, context, LiveAudience(show_line, senders))
