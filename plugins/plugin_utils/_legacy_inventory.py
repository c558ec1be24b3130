# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Turn a configuration of the Go service into an inventory: groups, hosts and variables."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_keys as keys
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_experiments import experiments_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_place import Tree, note_unknown
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_settings import is_true, settings_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_timeouts import NAMES

# What may stand in a configuration file for Ansible's sake.
_OURS = (keys.Key("plugin", "", keys.SPECIAL), *(keys.Key(f"timeouts.{name}", "", keys.SPECIAL) for name in NAMES))
_ALSO = (*_OURS, keys.Key("timeouts.db", "", keys.SPECIAL), keys.Key("workerType.pushTokens", "", keys.SPECIAL))


@dataclass(frozen=True, slots=True)
class Inventory:
    """The nodes of each experiment's group, the variables of all hosts, and what has to be said about them."""

    groups: t.Mapping[str, t.Sequence[str]]
    variables: t.Mapping[str, t.Any]
    warnings: t.Sequence[str]
    remarks: t.Sequence[str]


def translate(tree: Tree, label: str = "") -> Inventory:
    """Give the inventory; `label` is the environment's name if not "", and wins over the configuration's.

    Raises: BadInput with everything that is wrong.
    """
    notes = Notes()
    note_unknown("", tree, (*keys.TOP_KEYS, *keys.FLAG_KEYS, *_ALSO), notes)
    variables, shared = settings_of(tree, label, notes)
    found = experiments_of(tree, shared, notes)
    variables["managed_tokens_experiments"] = found.plain
    if (
        is_true(tree, "dont-notify", notes)
        or is_true(tree, "disable-notifications", notes)
        or (shared.is_silent and not found.is_any_loud)
    ):
        variables["managed_tokens_notify"] = False
    if not found.plain and not notes.problems:
        notes.problems.append("no experiment has a role with destinationNodes, so there is nothing to keep fresh.")
    if notes.problems:
        raise BadInput(*dict.fromkeys(notes.problems))
    return Inventory(found.groups, variables, notes.warnings, notes.remarks)
