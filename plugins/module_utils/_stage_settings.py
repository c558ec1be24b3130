# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read the settings that several stages have in common from a stage's options."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State, open_state

Answer = t.TypeVar("Answer")


def attempt(read: t.Callable[[], Answer], problems: list[str]) -> Answer | None:
    """Give what `read` gives, or None and everything that it finds wrong among the problems."""
    try:
        return read()
    except BadInput as err:
        problems.extend(err.problems)
        return None


def timeouts_of(params: t.Mapping[str, t.Any], problems: list[str]) -> Timeouts:
    """Give the limits of the run; what is wrong with them is a problem, and they are the default ones."""
    return attempt(lambda: Timeouts.from_dict(params.get("timeouts")), problems) or Timeouts()


def state_of(params: t.Mapping[str, t.Any]) -> State | None:
    """Give the state database, None where there is to be none.

    Raises: BadInput, Missing as C(open_state) does.
    """
    return open_state(params["database"], params["database_password"], params["database_timeout"])


def view_of(params: t.Mapping[str, t.Any]) -> InventoryView:
    """Give what is known of the inventory."""
    return InventoryView(
        params.get("groups") or {}, frozenset(params.get("hosts") or ()), params.get("addresses") or {}
    )
