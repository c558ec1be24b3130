# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Give a callback the variables of a play, as far as they are settings: also those of the inventory, resolved."""

from __future__ import annotations

import typing as t

from ansible.template import Templar

PREFIX = "managed_tokens_"


def templated_variables(play: t.Any) -> dict[str, t.Any] | None:
    """Give the settings among the variables of the play's first host, None when there are none.

    They are the same for all hosts of a play, or the first stage refuses them.
    """
    manager = play.get_variable_manager()
    hosts = manager._inventory.get_hosts(play.hosts) if manager is not None and manager._inventory is not None else []
    if not hosts:
        return None
    variables = manager.get_vars(play=play, host=hosts[0], include_hostvars=False)
    settings = {name: value for name, value in variables.items() if name.startswith(PREFIX)}
    if not settings:
        return None
    templar = Templar(loader=play._loader, variables=variables)
    return {name: templar.template(value) for name, value in settings.items() if name != "managed_tokens_experiments"}
