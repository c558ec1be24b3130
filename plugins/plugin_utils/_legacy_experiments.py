# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Turn the experiments of a configuration of the Go service into ours: groups of nodes, and roles with settings."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_host, is_name_part
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_keys as keys
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_values as values
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes, named
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_place import Tree, note_unknown, read_key
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_programs import (
    read_copier_options,
    read_ping_options,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_settings import Shared
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_ssh import read_ssh_options

GROUP = "experiments"
RESERVED = frozenset({"all", "ungrouped", GROUP})
GETTERS = {"gettoken": "htgettoken", "storeandgettoken": "condor"}


@dataclass(slots=True)
class Experiments:
    """`managed_tokens_experiments`, and the nodes of each experiment's group."""

    plain: dict[str, t.Any] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    # Whether any role wants its people to be told although nobody else's are.
    is_any_loud: bool = False


def experiments_of(tree: Tree, shared: Shared, notes: Notes) -> Experiments:
    """Give all experiments; what is wrong with them is noted."""
    found = Experiments()
    given = tree.get("experiments")
    if not isinstance(given, dict) or not given:
        notes.problems.append("experiments is missing or empty; it has to be a dictionary of experiments with roles.")
        return found
    for name, experiment in given.items():
        where = f"experiments.{name}"
        if not _is_usable(where, name, notes):
            continue
        if name in RESERVED:
            notes.problems.append(f"{where} has a name that Ansible or this collection needs for a group of its own.")
        elif not isinstance(experiment, dict):
            notes.problems.append(named(where, experiment, "a dictionary with roles"))
        else:
            _add(name, experiment, found, shared, notes)
    _check_nodes(found, notes)
    if shared.is_silent and found.is_any_loud:
        _silence_others(found)
    return found


def _is_usable(where: str, name: str, notes: Notes) -> bool:
    if "." in name:
        notes.problems.append(f"{where} has a name with a dot, which the Go service cannot find either.")
    elif not is_name_part(name.replace("_", "")):
        notes.problems.append(f"{where} has no usable name: only letters, digits, hyphens and underscores.")
    else:
        return True
    return False


def _add(name: str, experiment: Tree, found: Experiments, shared: Shared, notes: Notes) -> None:
    where = f"experiments.{name}"
    note_unknown(f"{where}.", experiment, keys.EXPERIMENT_KEYS, notes)
    plain: dict[str, t.Any] = {}
    for key in keys.EXPERIMENT_KEYS:
        if key.kind != keys.SPECIAL:
            value = read_key(f"{where}.", key, experiment.get(key.name.lower()), notes)
            if value:
                plain[key.ours] = value
    roles = experiment.get("roles")
    if not isinstance(roles, dict) or not roles:
        notes.problems.append(f"{where} has no roles; it needs at least one, with an account.")
        return
    plain["roles"] = {}
    for role, given in roles.items():
        if not _is_usable(f"{where}.roles.{role}", role, notes):
            continue
        if not isinstance(given, dict):
            notes.problems.append(named(f"{where}.roles.{role}", given, "a dictionary with an account"))
            continue
        values_of_role = _role(f"{where}.roles.{role}.", given, shared, notes)
        if not values_of_role["nodes"]:
            notes.cautions.append(
                f"{name}_{role} has no destinationNodes and is left out; here a service is served on its nodes' behalf."
            )
            continue
        found.is_any_loud = found.is_any_loud or values_of_role.get("notify") is True
        plain["roles"][role] = values_of_role
    if plain["roles"]:
        found.plain[name] = plain
        nodes = (node for values_of_role in plain["roles"].values() for node in values_of_role["nodes"])
        found.groups[name] = list(dict.fromkeys(nodes))


def _role(place: str, given: Tree, shared: Shared, notes: Notes) -> dict[str, t.Any]:
    note_unknown(place, given, keys.ROLE_KEYS, notes)
    found: dict[str, t.Any] = {"nodes": []}
    for key in keys.ROLE_KEYS:
        if key.kind != keys.SPECIAL:
            value = read_key(place, key, given.get(key.name.lower()), notes)
            if value is not None:
                found[key.ours] = value
    if not found.get("account") and not isinstance(given.get("account"), (dict, list, bool)):
        notes.problems.append(f"{place}account is missing; every role needs the UNIX account that its token is for.")
    _principal(place, given, found, notes)
    _programs(place, given, found, shared, notes)
    is_off = values.truth_of(f"{place}disableNotificationsOverride", given.get("disablenotificationsoverride"), notes)
    if is_off is not None:
        found["notify"] = not is_off
    getter = values.text_of(f"{place}tokenGetterOverride", given.get("tokengetteroverride"), notes)
    if getter and getter.lower() in GETTERS:
        found["token_getter"] = GETTERS[getter.lower()]
    elif getter:
        said = named(f"{place}tokenGetterOverride", getter, "getToken or storeAndGetToken")
        notes.cautions.append(f"{said} It counts as storeAndGetToken.")
    return found


def _principal(place: str, given: Tree, found: dict[str, t.Any], notes: Notes) -> None:
    principal = values.text_of(f"{place}userPrincipalOverride", given.get("userprincipaloverride"), notes)
    if principal is None:
        return
    if "{" in principal or "}" in principal:
        notes.problems.append(named(f"{place}userPrincipalOverride", principal, "a principal, without braces"))
    found["principal"] = principal


def _programs(place: str, given: Tree, found: dict[str, t.Any], shared: Shared, notes: Notes) -> None:
    port = shared.ssh.port
    if given.get("sshoptionsoverride") is not None:
        name = f"{place}sshOptionsOverride"
        own = read_ssh_options(name, values.text_of(name, given["sshoptionsoverride"], notes) or "", notes)
        port = own.port
        for option, mine, theirs in (
            ("ConnectTimeout", own.connect_timeout, shared.ssh.connect_timeout),
            ("UserKnownHostsFile", own.known_hosts, shared.ssh.known_hosts),
            ("KexAlgorithms", own.kex_algorithms, shared.ssh.kex_algorithms),
        ):
            if mine and mine != theirs:
                notes.has_no_effect(f"{name} {option} (a setting of the whole run)")
    if port is not None:
        found["ssh_port"] = port
    if given.get("pingoptionsoverride") is not None:
        name = f"{place}pingOptionsOverride"
        options = read_ping_options(name, values.text_of(name, given["pingoptionsoverride"], notes) or "", notes)
        if options.words != shared.ping.words:
            notes.has_no_effect(f"{name} (a node is pinged once, with the options of all)")
    if given.get("filecopieroptionsoverride") is not None:
        name = f"{place}fileCopierOptionsOverride"
        read_copier_options(name, values.text_of(name, given["filecopieroptionsoverride"], notes) or "", notes)


def _check_nodes(found: Experiments, notes: Notes) -> None:
    for name, nodes in found.groups.items():
        for node in nodes:
            # Ansible reads a colon and brackets in a name as a port and a range.
            if not is_host(node) or ":" in node:
                notes.problems.append(f"experiments.{name} has the node {node[:80]!r}, which is no usable host name.")
            elif node in found.groups or node in RESERVED:
                notes.problems.append(f"experiments.{name} has the node {node!r}, which is the name of a group too.")


def _silence_others(found: Experiments) -> None:
    # One that wants to be told makes the administrators told as well; so the general setting cannot be off.
    for experiment in found.plain.values():
        for role in experiment["roles"].values():
            role.setdefault("notify", False)
