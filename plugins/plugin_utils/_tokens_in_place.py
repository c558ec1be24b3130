# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Know until when the tokens last that are in place: what this run and the state database say, and nothing guessed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PUSH, STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state import State
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import clean, moment
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_look import look as look_at_status
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import RUN, SETUP, InPlace, Key

# Of a place to which no run is known to have brought a token.
NEVER = -1.0
# By stage and credd or node, when its token expires: seconds since the epoch, 0.0 when it is not known, or NEVER.
Places = dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class TokensInPlace:
    """When the token of each service expires in each of its places. `program` is the run's."""

    services: t.Mapping[str, Places] = field(default_factory=dict)
    program: str = ""

    def of(self, key: Key) -> InPlace | None:
        """Give what a trouble leaves in place; None when it concerns no token."""
        if key.sort == RUN:
            if self.program != TOKEN_PUSH:
                return None
            return _together([found for places in self.services.values() for found in places.values()])
        places = self.services.get(clean(key.service), {})
        if key.sort == SETUP:
            return _together(list(places.values()))
        return _together([places.get((PUSH, clean(key.node)), 0.0)])


def look(state: State | None, collected: Collected, *, now: float) -> TokensInPlace:
    """Look at what is known at `now`, in seconds since the epoch; without a database that is what the run said."""
    services: dict[str, Places] = {}
    for service in look_at_status(state, now=now).services if state is not None else ():
        services[service.name] = {
            (target.stage, target.name): target.expires if target.succeeded else NEVER
            for target in service.targets
            if not target.is_left_out
        }
    for outcome in collected.outcomes:
        if outcome.stage in (STORE, PUSH) and outcome.config_service:
            place = (outcome.stage, clean(outcome.credd or outcome.node))
            expires = moment(outcome.started + outcome.seconds + outcome.life) if outcome.life else 0.0
            places = services.setdefault(clean(outcome.config_service), {})
            places[place] = expires or places.get(place, 0.0)
    return TokensInPlace(services, collected.program)


def _together(expiries: t.Sequence[float]) -> InPlace:
    known = [found for found in expiries if found > 0]
    return InPlace(
        places=len(expiries),
        never=sum(found == NEVER for found in expiries),
        unknown=sum(found == 0 for found in expiries),
        until=min(known, default=0.0),
    )
