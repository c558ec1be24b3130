# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Turn everything in a configuration of the Go service that is not about experiments into our variables."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_keys as keys
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_values as values
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes, named
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_place import Tree, read_key, value_at
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_programs import (
    PingOptions,
    read_copier_options,
    read_ping_options,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_ssh import SshOptions, read_ssh_options
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_timeouts import (
    DATABASE,
    ping_limit,
    seconds_at,
    timeouts_of,
)

DEFAULT_DATABASE = "/var/lib/managed-tokens/uid.db"
AUTH_METHODS = {"tls": "certificate", "jwt": "token"}


@dataclass(frozen=True, slots=True)
class Shared:
    """The options of programs that count for every role without its own."""

    ssh: SshOptions
    ping: PingOptions
    is_silent: bool


def settings_of(tree: Tree, label: str, notes: Notes) -> tuple[dict[str, t.Any], Shared]:
    """Give our variables but the experiments, and the options that roles may replace; `label` is the environment's
    name if not "", and wins."""
    found: dict[str, t.Any] = {}
    for key in (*keys.TOP_KEYS, *keys.FLAG_KEYS):
        if key.kind != keys.SPECIAL:
            value = read_key("", key, value_at(tree, key.path), notes)
            if (value is not None and value not in ([], "")) or (value == "" and key.kind == keys.ROLE_FILE):
                found[key.ours] = value
    shared = _programs(tree, found, notes)
    _state(tree, found, notes)
    _report(tree, label, found, notes)
    _registry(tree, found, notes)
    _selection(tree, found, notes)
    retries = values.whole_of("workerType.pushTokens.numRetries", _push(tree, "numretries"), notes)
    pause = _push(tree, "retrysleep")
    # No pause at all is usual there, and so no mistake.
    seconds = 0.0 if pause is not None and values.duration(str(pause).strip()) == 0 else None
    if seconds is None:
        seconds = values.seconds_of("workerType.pushTokens.retrySleep", pause, notes)
    if retries is not None:
        found["managed_tokens_push_retries"] = retries
    if seconds is not None:
        found["managed_tokens_push_retry_delay"] = seconds
    # So that mails and metrics go out without a callback being enabled first.
    found["managed_tokens_report"] = "task"
    return found, shared


def is_true(tree: Tree, name: str, notes: Notes) -> bool:
    """Tell whether a key at the top is true."""
    return bool(values.truth_of(name, tree.get(name.lower()), notes))


def _push(tree: Tree, name: str) -> t.Any:
    return value_at(tree, ("workertype", "pushtokens", name))


def _programs(tree: Tree, found: dict[str, t.Any], notes: Notes) -> Shared:
    ssh = read_ssh_options("sshOptions", values.text_of("sshOptions", tree.get("sshoptions"), notes) or "", notes)
    ping = read_ping_options("pingOptions", values.text_of("pingOptions", tree.get("pingoptions"), notes) or "", notes)
    copier = values.text_of("fileCopierOptions", tree.get("filecopieroptions"), notes)
    read_copier_options("fileCopierOptions", copier or "", notes)
    if ping.needs + 1 >= ping_limit(tree, ssh.connect_timeout):
        ping = ping.without_count()
        notes.has_no_effect("pingOptions -c and -i (no node would answer before the connect timeout)")
    if ping.words:
        found["managed_tokens_ping_options"] = list(ping.words)
    if ssh.known_hosts:
        found["managed_tokens_known_hosts"] = list(ssh.known_hosts)
    if ssh.kex_algorithms:
        found["managed_tokens_kex_algorithms"] = list(ssh.kex_algorithms)
    timeouts = timeouts_of(tree, ssh.connect_timeout, ping, notes)
    if timeouts:
        found["managed_tokens_timeouts"] = timeouts
    return Shared(ssh, ping, is_silent=is_true(tree, "disableNotifications", notes))


def _state(tree: Tree, found: dict[str, t.Any], notes: Notes) -> None:
    location = values.text_of("dbLocation", tree.get("dblocation"), notes)
    found["managed_tokens_database"] = location or DEFAULT_DATABASE
    seconds = seconds_at(tree, DATABASE, notes)
    if seconds is not None:
        found["managed_tokens_database_timeout"] = seconds


def _report(tree: Tree, label: str, found: dict[str, t.Any], notes: Notes) -> None:
    threshold = values.whole_of("errorCountToSendMessage", tree.get("errorcounttosendmessage"), notes)
    found["managed_tokens_threshold"] = max(1, threshold or 0)
    environment = label or values.text_of("devEnvironmentLabel", tree.get("devenvironmentlabel"), notes)
    if environment:
        found["managed_tokens_environment"] = environment
    if is_true(tree, "no-loki", notes):
        found.pop("managed_tokens_loki", None)
    if is_true(tree, "test", notes):
        found["managed_tokens_notifications_test"] = True
        notes.cautions.append(
            "test is true, which here sends the administrators' messages, or a test message, to the test addresses; "
            "to stop before the nodes, run with --tags store."
        )


def _registry(tree: Tree, found: dict[str, t.Any], notes: Notes) -> None:
    host = values.text_of("ferry.host", value_at(tree, ("ferry", "host")), notes)
    port = values.whole_of("ferry.port", value_at(tree, ("ferry", "port")), notes, least=1)
    if host:
        url = (host if "://" in host else f"https://{host}").rstrip("/")
        found["managed_tokens_ferry_url"] = url if port is None else f"{url}:{port}"
    experiment, role = (
        values.text_of(f"ferry.{name}", value_at(tree, ("ferry", name.lower())), notes)
        for name in ("serviceExperiment", "serviceRole")
    )
    if experiment:
        found["managed_tokens_ferry_service"] = f"{experiment}_{role}" if role else experiment
    method = values.text_of("authmethod", tree.get("authmethod"), notes)
    if method in AUTH_METHODS:
        found["managed_tokens_ferry_auth"] = AUTH_METHODS[method]
    elif method:
        notes.problems.append(named("authmethod", method, "tls or jwt"))


def _selection(tree: Tree, found: dict[str, t.Any], notes: Notes) -> None:
    # The first that is given wins.
    for name in ("experiment", "service"):
        chosen = values.text_of(name, tree.get(name), notes)
        if chosen:
            found[f"managed_tokens_{name}"] = [chosen.lower()]
            break
