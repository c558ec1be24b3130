# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""See that a stage which is delegated works on the machine that was meant.

Ansible delegates to any name. The plays of this collection have a local connection, and so has every host in them that
says nothing else: the work would be done on the controller, under another machine's name.
"""

from __future__ import annotations

import typing as t

from ansible import constants

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput

LOCAL = "local"


def check_token_host(name: str | None, transport: str, groups: t.Mapping[str, t.Collection[str]]) -> None:
    """Refuse a token host that is not the machine it names; `transport` is that of the connection to it.

    Raises: BadInput.
    """
    if not name or name in constants.LOCALHOST:
        return
    if name not in (groups.get("all") or ()):
        raise BadInput(
            f"managed_tokens_token_host is {name!r}, which is {'a group' if name in groups else 'no host'} of the "
            "inventory; it has to be localhost, or one host with ansible_connection: ssh."
        )
    if transport == LOCAL:
        raise BadInput(
            f"managed_tokens_token_host is {name!r}, whose connection is local, so the work would be done on the "
            "controller; give that host ansible_connection: ssh in the inventory, or write localhost."
        )
