# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the settings of the report from the variables of a play."""

from __future__ import annotations

import typing as t

from ansible.template import Templar

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_options import Given, settings_of

PREFIX = "managed_tokens_"


def settings_of_play(play: t.Any) -> Given | None:
    """Give the settings as the variables of the play's first host say, None when it has no settings at all.

    They are the same for all hosts of a play, or the first stage refuses them.
    """
    manager = play.get_variable_manager()
    hosts = manager._inventory.get_hosts(play.hosts) if manager is not None and manager._inventory is not None else []
    if not hosts:
        return None
    variables = manager.get_vars(play=play, host=hosts[0], include_hostvars=False)
    if not any(name.startswith(PREFIX) for name in variables):
        return None
    return settings_of(variables, Templar(loader=play._loader, variables=variables))
