# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Turn the timeouts of the Go service into those of a run here, where each bounds one thing and they fit into each
other."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Timeouts
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_values as values
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_place import Tree, value_at
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_programs import PingOptions

# Their name without "Timeout", which may be left out, and ours.
NAMES = {
    "global": "run",
    "kerberos": "kerberos",
    "vaultStorer": "store",
    "ping": "ping",
    "push": "push",
    "ferryRequest": "ferry",
}
DATABASE = "db"


def seconds_at(tree: Tree, name: str, notes: Notes) -> float | None:
    """Give the seconds of a timeout, None when nothing usable is said."""
    for key in (f"{name}Timeout", name):
        value = value_at(tree, ("timeouts", key.lower()))
        if value is not None:
            return values.seconds_of(f"timeouts.{key}", value, notes)
    return None


def timeouts_of(tree: Tree, connect: int | None, ping: PingOptions, notes: Notes) -> dict[str, float]:
    """Give `managed_tokens_timeouts`, with no more in it than what the configuration decides.

    There ping and connect may be as long as the push; here the ping has to end before the connect timeout does, and
    that one before the push's. So both are cut, which is remarked.
    """
    given = {ours: seconds_at(tree, theirs, notes) for theirs, ours in NAMES.items()}
    found = {name: seconds for name, seconds in given.items() if seconds is not None}
    if connect is not None:
        found["connect"] = float(connect)
    standard = Timeouts()
    push = found.get("push", standard.push)
    if found.get("connect", standard.connect) >= push:
        found["connect"] = push / 2
        notes.remarks.append(f"The connect timeout is {push / 2:g} s, half of the push timeout.")
    limit = found.get("connect", standard.connect)
    wanted = max(min(found.get("ping", standard.ping), limit / 2), ping.needs + 1 if ping.needs else 0.0)
    if wanted != found.get("ping", standard.ping):
        found["ping"] = wanted
        notes.remarks.append(f"The ping timeout is {wanted:g} s; it has to fit into the connect timeout.")
    try:
        Timeouts.from_dict(found)
    except BadInput as err:
        notes.problems += [f"timeouts: {problem}" for problem in err.problems]
    return {name: _short(seconds) for name, seconds in sorted(found.items())}


def ping_limit(tree: Tree, connect: int | None) -> float:
    """Give the seconds that a ping has to be shorter than."""
    notes = Notes()
    standard = Timeouts()
    push = seconds_at(tree, "push", notes) or standard.push
    limit = float(connect or standard.connect)
    return limit if limit < push else push / 2


def _short(seconds: float) -> t.Any:
    return int(seconds) if seconds == int(seconds) else seconds
