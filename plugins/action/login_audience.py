# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See, before anything begins, that a login can be asked for and shown to somebody."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, LoginNotShown
from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import owner_pid
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._door import OwnProcessDoor
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_audience import is_watched, why_not_shown
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_senders import senders_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._plain_lines import is_quiet
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_options import settings_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._token_host import LOCAL

AUDIENCE_SPEC: dict[str, t.Any] = {
    "experiment": {"type": "list", "elements": "str", "default": []},
    "service": {"type": "list", "elements": "str", "default": []},
    "mail": {"type": "list", "elements": "str", "default": []},
    "slack": {"type": "bool", "default": False},
    "slack_webhook": {"type": "str", "default": "", "no_log": True},
    "watched": {"type": "bool", "default": False},
}


class ActionModule(OwnProcessDoor):
    """It works in Ansible's own process only: where output, connection and settings of the report are."""

    SPEC = AUDIENCE_SPEC

    def run_stage(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Say to whom a login will be shown.

        Raises: BadInput, LoginNotShown.
        """
        if not params["service"] and not params["experiment"]:
            raise BadInput(
                "Nothing says whom to onboard: add -e managed_tokens_service=<experiment>_<role>, "
                "or -e managed_tokens_experiment=<experiment> for all services of one."
            )
        given = settings_of(self._variables, self._templar)
        for problem in given.problems:
            context.warn(problem)
        senders, problems = senders_of(params["mail"], params["slack"], params["slack_webhook"], given.settings)
        if problems:
            raise BadInput(*problems)
        reason = why_not_shown(
            is_local=self._transport() == LOCAL,
            is_quiet=is_quiet(),
            is_watched=params["watched"] or is_watched(owner_pid()),
            has_senders=bool(senders),
        )
        # A look changes nothing and asks nobody.
        if reason and not context.check_mode:
            raise LoginNotShown(reason)
        return {"changed": False, "sent_to": [sender.where for sender in senders]}
