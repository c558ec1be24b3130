# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Look at Ansible's inventory for the first stage: groups, hosts, addresses, and settings that only look like those
of the whole run."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import nearest
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import PREFIX, bare_name

ADDRESSES = {"address": "ansible_host", "port": "ansible_port"}
# Of each host the variables that tell this stage something: Ansible puts a host's variables together anew each time.
Look = t.Mapping[str, t.Mapping[str, t.Any]]
Template = t.Callable[[t.Any, dict[str, t.Any]], t.Any]


def raw_variables(task_vars: t.Mapping[str, t.Any], host: str) -> t.Mapping[str, t.Any]:
    """Give a host's variables as they are written, without templating them all."""
    hostvars = task_vars.get("hostvars") or {}
    raw_get = getattr(hostvars, "raw_get", None)
    found = raw_get(host) if raw_get is not None else hostvars.get(host)
    return found if isinstance(found, t.Mapping) else {}


def look_at(task_vars: t.Mapping[str, t.Any], hosts: t.Iterable[str]) -> Look:
    """Look at each host once."""
    return {host: _telling(raw_variables(task_vars, host)) for host in dict.fromkeys(hosts)}


def with_inventory(
    options: dict[str, t.Any], task_vars: t.Mapping[str, t.Any], known: t.Collection[str], template: Template
) -> dict[str, t.Any]:
    """Give the options of a first stage with the groups, hosts and addresses that the task does not give itself;
    `known` are the names of all settings.

    Raises: BadInput as C(check_known_settings) and C(check_run_settings) do.
    """
    hosts = list(task_vars.get("ansible_play_hosts_all") or ())
    check_known_settings(task_vars, known)
    if options.get("groups") is None:
        options["groups"] = {
            str(name): [str(host) for host in members] for name, members in (task_vars.get("groups") or {}).items()
        }
    every = list(options["groups"].get("all") or options.get("hosts") or hosts)
    look = look_at(task_vars, [*hosts, *every])
    check_run_settings(look, hosts)
    if options.get("hosts") is None:
        options["hosts"] = hosts
    if options.get("addresses") is None:
        options["addresses"] = addresses(task_vars, look, every, template)
    return options


def addresses(
    task_vars: t.Mapping[str, t.Any], look: Look, hosts: t.Iterable[str], template: Template
) -> dict[str, dict[str, t.Any]]:
    """Give address and port of the hosts that have them in ansible_host and ansible_port; templates are resolved with
    the host's own variables."""
    found: dict[str, dict[str, t.Any]] = {}
    for host in hosts:
        entry = {key: look[host][name] for key, name in ADDRESSES.items() if look[host].get(name)}
        for key, value in entry.items():
            if isinstance(value, str) and "{{" in value:
                entry[key] = template(value, dict(raw_variables(task_vars, host)))
        if entry:
            found[host] = entry
    return found


def check_run_settings(look: Look, hosts: t.Sequence[str]) -> None:
    """Refuse settings of the run that differ between hosts: the first host of the play would decide for all of them.

    Raises: BadInput naming the variable and a host.
    """
    if not hosts:
        return
    first = _settings(look[hosts[0]])
    problems: dict[str, str] = {}
    for host in hosts[1:]:
        other = _settings(look[host])
        for name in first.keys() | other.keys():
            if name not in problems and first.get(name) != other.get(name):
                problems[name] = (
                    f"{name} is not the same for the hosts {hosts[0]} and {host}; it is a setting of the whole run "
                    "and belongs in group_vars/all, in the play or on the command line "
                    "(per role: managed_tokens_experiments)."
                )
    if problems:
        raise BadInput(*(problems[name] for name in sorted(problems)))


def check_known_settings(task_vars: t.Mapping[str, t.Any], known: t.Collection[str]) -> None:
    """Refuse variables that begin like settings and are none: a misspelt one would silently not count.

    Where the beginning itself is misspelt, only what is near a setting is refused: the rest may be somebody else's.

    Raises: BadInput with the nearest known name for each.
    """
    unknown = {name: bare for name in task_vars if name not in known and (bare := bare_name(str(name))) is not None}
    # The prefix that all have in common would make everything near.
    settings = {name.removeprefix(PREFIX) for name in known}
    near = {name: nearest(bare, settings) for name, bare in sorted(unknown.items())}
    problems = [
        f"The variable {name} is unknown" + (f"; did you mean {PREFIX + found!r}?" if found else ".")
        for name, found in near.items()
        if found or name.startswith(PREFIX)
    ]
    if problems:
        raise BadInput(*problems)


def _telling(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    wanted = {name: variables[name] for name in ADDRESSES.values() if name in variables}
    return wanted | _settings(variables)


def _settings(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in variables.items() if name.startswith(PREFIX)}
