# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Turn the experiments dictionary and the general settings into the services of a run, or into a list of what is
wrong with them."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._inventory_view import InventoryView
from ansible_collections.fife.managed_tokens.plugins.module_utils._mail_address import not_addresses
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import (
    is_account,
    is_daemon,
    is_host,
    is_name_part,
    looks_like_number,
    suggestion,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import (
    EXPERIMENT_KEYS,
    RoleSettings,
    Unusable,
    as_type,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Node, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_server import why_unusable

DEFAULT_TOKEN_DIR = "/var/lib/managed-tokens/service-credd-vault-tokens"
DEFAULT_KEYTAB_PATH = "/opt/managed-tokens/keytabs"
DEFAULT_ROLE_FILE = "/tmp/default_role_{experiment}_{uid}"
UID_MAX = 2**32 - 2

_PLACEHOLDER = re.compile(r"\{\s*([A-Za-z_]*)\s*\}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service as configured, before its UID is known and its credds are found."""

    service: Service
    uid: int | None
    credds: tuple[str, ...]
    collectors: tuple[str, ...]
    schedd_constraint: str
    default_role_file: str
    ssh_port: int | None = None


@dataclass(slots=True)
class Resolved:
    """All configured services, what is wrong with the configuration, and what deserves a warning."""

    wanted: list[Wanted] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def fill(template: str, values: t.Mapping[str, t.Any], where: str) -> str:
    """Replace `{name}` placeholders.

    Raises: BadInput naming a placeholder that does not exist, or braces that are not a placeholder.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise BadInput(f"{where} has the placeholder {match[0]!r}{suggestion(match[1], values)}")
        return str(values[match[1]])

    filled = _PLACEHOLDER.sub(value_of, template)
    if "{" in _PLACEHOLDER.sub("", template) or "}" in _PLACEHOLDER.sub("", template):
        raise BadInput(
            f"{where} is {template!r}, with braces that are no placeholder; placeholders look like {{account}}."
        )
    return filled


def role_file_of(service: Service, template: str, where: str) -> str:
    """Give the path of the service's default role file, "" for none.

    Raises: BadInput when the template has unknown placeholders or does not give an absolute path.
    """
    names = {
        "account": service.account,
        "experiment": service.experiment,
        "role": service.role,
        "uid": service.uid,
        "service": service.name,
        "principal": service.principal,
    }
    path = fill(template, names, f"{where}: default_role_file")
    if path and not path.startswith("/"):
        raise BadInput(f"{where}: default_role_file {path!r} has to be an absolute path.")
    return path


def resolve(experiments: t.Any, general: t.Mapping[str, t.Any], inventory: InventoryView) -> Resolved:
    """Give every configured service with all that can be said without looking at the world. Touches nothing."""
    resolved = Resolved()
    if not isinstance(experiments, t.Mapping):
        resolved.problems.append(
            f"managed_tokens_experiments has to be a dictionary of experiments, not {type(experiments).__name__}."
        )
        return resolved
    for key, experiment in experiments.items():
        _resolve_experiment(str(key), experiment, general, inventory, resolved)
    names: dict[str, str] = {}
    for wanted in resolved.wanted:
        first = names.setdefault(wanted.service.config_name, wanted.service.config_name)
        if first is not wanted.service.config_name:
            resolved.problems.append(f"The service {first} is configured twice.")
    return resolved


def _resolve_experiment(
    name: str, experiment: t.Any, general: t.Mapping[str, t.Any], inventory: InventoryView, resolved: Resolved
) -> None:
    where = f"managed_tokens_experiments.{name}"
    problems = resolved.problems
    if not isinstance(experiment, t.Mapping):
        problems.append(f"{where} has to be a dictionary with roles, not {type(experiment).__name__}.")
        return
    problems.extend(
        f"{where} has an unknown key {key!r}{suggestion(str(key), EXPERIMENT_KEYS)}"
        for key in experiment
        if key not in EXPERIMENT_KEYS
    )
    token_experiment = str(experiment.get("token_experiment") or name)
    # With a name of its own for tokens, the storer never sees the experiment's.
    _check_name_part(name.replace("_", "") if token_experiment != name else name, f"The experiment {name!r}", problems)
    if token_experiment != name:
        _check_name_part(token_experiment, f"{where}.token_experiment {token_experiment!r}", problems)
    try:
        wrong = not_addresses(as_type(experiment.get("emails") or [], "list"))
    except Unusable:
        problems.append(f"{where}.emails is {experiment.get('emails')!r}; it has to be a list of e-mail addresses.")
    else:
        if wrong:
            problems.append(f"{where}.emails holds {wrong}; an e-mail address looks like somebody@example.org.")
    roles = experiment.get("roles")
    if not isinstance(roles, t.Mapping) or not roles:
        problems.append(
            f"{where} has no roles; it needs at least one, like roles: {{production: {{account: {name}pro}}}}."
        )
        return
    for role, values in roles.items():
        place = f"{where}.roles.{role}"
        if not isinstance(values, t.Mapping):
            problems.append(f"{place} has to be a dictionary with an account, not {type(values).__name__}.")
            continue
        _check_name_part(str(role), f"The role {str(role)!r} of experiment {name}", problems)
        settings = RoleSettings(place, values, general, problems)
        wanted = _resolve_role(name, token_experiment, str(role), settings, general, inventory, problems)
        if wanted is not None:
            resolved.wanted.append(wanted)


def _check_name_part(text: str, where: str, problems: list[str]) -> None:
    if "_" in text:
        problems.append(f"{where} has an underscore; the storer accepts only the one between experiment and role.")
    elif looks_like_number(text):
        problems.append(f"{where} looks like a number; the state database would change it, so another name is needed.")
    elif not is_name_part(text):
        problems.append(
            f"{where} is no usable name: only letters, digits, dots and hyphens, "
            "beginning and ending with a letter or digit."
        )


def _check_absolute(path: str, where: str, problems: list[str]) -> None:
    # Where the run happens to be started from must not decide which file it is.
    text = f"{where} is {path!r}; it has to be an absolute path."
    if not os.path.isabs(path) and text not in problems:
        problems.append(text)


def _resolve_role(
    experiment: str,
    token_experiment: str,
    role: str,
    settings: RoleSettings,
    general: t.Mapping[str, t.Any],
    inventory: InventoryView,
    problems: list[str],
) -> Wanted | None:
    where = settings.where
    account = settings.get("account")
    if not account:
        if not any(text.startswith(f"{where}.account is ") for text in problems):
            problems.append(f"{where} has no account; every role needs the UNIX account that its token is for.")
        return None
    if not is_account(account):
        why = "looks like a number" if looks_like_number(account) else "is no account name"
        problems.append(f"{where}.account is {account!r}, which {why}.")
    uid = settings.get("uid")
    if uid is not None and not 0 < uid <= UID_MAX:
        problems.append(f"{where}.uid is {uid}; a token is never pushed for UID 0 or less, nor above {UID_MAX}.")
    names = {"account": account, "experiment": experiment, "role": role, "token_experiment": token_experiment}
    principal = _filled(settings, "principal", names, problems)
    if not settings.has("principal") or settings.get("principal") == "":
        problems.append(
            f'{where} has no principal; set managed_tokens_principal, like "{{account}}/managed-tokens/host@REALM".'
        )
    ssh_port = settings.get("ssh_port")
    if ssh_port is not None and not 0 < ssh_port < 65536:
        problems.append(f"{where}.ssh_port is {ssh_port}; it has to be a number from 1 to 65535.")
    keytabs = str(general.get("keytab_path") or DEFAULT_KEYTAB_PATH)
    keytab = settings.get("keytab")
    token_dir = settings.get("token_dir") or DEFAULT_TOKEN_DIR
    if keytab:
        _check_absolute(keytab, settings.place("keytab"), problems)
    else:
        _check_absolute(keytabs, "managed_tokens_keytab_path", problems)
        keytab = os.path.join(keytabs, f"{account}.keytab")
    _check_absolute(token_dir, settings.place("token_dir"), problems)
    hosts = inventory.expand(
        settings.get("nodes", []) if settings.has("nodes") else _own_group(experiment, where, inventory, problems),
        f"{where}.nodes",
        problems,
    )
    if settings.has("nodes") and not hosts and not any(text.startswith(f"{where}.nodes") for text in problems):
        problems.append(
            f"{where}.nodes is empty; a role needs at least one node (or no nodes key, for the group {experiment})."
        )
    problems.extend(
        f"{where} is for host {host!r}, which is no usable host name." for host in hosts if not is_host(host)
    )
    credds = tuple(settings.get("credds") or ())
    problems.extend(f"{where}: {credd!r} is no usable credd name." for credd in credds if not is_daemon(credd))
    vault_server = settings.get("vault_server") or ""
    objection = f"{settings.place('vault_server')} {why_unusable(vault_server)}"
    if vault_server and why_unusable(vault_server) and objection not in problems:
        problems.append(objection)
    service = Service(
        name=f"{token_experiment}_{role}",
        config_name=f"{experiment}_{role}",
        experiment=experiment,
        role=role,
        account=account,
        uid=uid or 0,
        principal=principal,
        keytab=keytab,
        vault_server=vault_server,
        token_getter=settings.get("token_getter") or CONDOR,
        nodes=tuple(at_port(inventory.node(host, problems), ssh_port) for host in hosts),
        token_dir=token_dir,
        notify=bool(settings.get("notify", True)),
    )
    default_role_file = settings.get("default_role_file", DEFAULT_ROLE_FILE) or ""
    try:
        role_file_of(service, default_role_file, where)
    except BadInput as err:
        problems.append(err.msg)
    return Wanted(
        service=service,
        uid=uid,
        credds=credds,
        collectors=tuple(settings.get("collectors") or ()),
        schedd_constraint=settings.get("schedd_constraint") or "",
        default_role_file=default_role_file,
        ssh_port=ssh_port,
    )


def at_port(node: Node, port: int | None) -> Node:
    """Give the node as a role with this ssh_port reaches it; None is the node's own port."""
    return node if port is None else replace(node, port=port)


def _own_group(experiment: str, where: str, inventory: InventoryView, problems: list[str]) -> list[str]:
    if inventory.groups.get(experiment):
        return [experiment]
    problems.append(
        f"{where} has no nodes, and the inventory has no group {experiment!r} with hosts to take them from."
    )
    return []


def _filled(settings: RoleSettings, key: str, names: t.Mapping[str, str], problems: list[str]) -> str:
    text = settings.get(key) or ""
    try:
        return fill(text, names, f"{settings.where}: {key}")
    except BadInput as err:
        problems.append(err.msg)
        return ""
