# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the options for ssh: what of them is a setting here, what is so in any case, and what has no counterpart.

The Go service hands on only words with an equals sign, and drops "-o" and all the rest; so nothing else counts here.

Source: ssh_config(5)
"""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_notes import Notes
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_values import whole_of

# What every connection does in any case: a line that asks for it is fulfilled.
_ALWAYS = {
    "batchmode": ("yes",),
    "forwardagent": ("no",),
    "forwardx11": ("no",),
    "gssapiauthentication": ("yes",),
    "gssapidelegatecredentials": ("no",),
    "gssapikeyexchange": ("no",),
    "identitiesonly": ("yes",),
    "kbdinteractiveauthentication": ("no",),
    "loglevel": ("error", "fatal", "info", "quiet"),
    "passwordauthentication": ("no",),
    "preferredauthentications": ("gssapi-with-mic",),
    "pubkeyauthentication": ("no",),
    "stricthostkeychecking": ("yes",),
}
_KNOWN_HOSTS = ("userknownhostsfile", "globalknownhostsfile")
_NOWHERE = ("/dev/null", "none")


@dataclass(frozen=True, slots=True)
class SshOptions:
    """What of the options is a setting here; `connect_timeout` in seconds, None where nothing is said."""

    port: int | None = None
    connect_timeout: int | None = None
    known_hosts: tuple[str, ...] = ()
    kex_algorithms: tuple[str, ...] = ()


def read_ssh_options(key: str, text: str, notes: Notes) -> SshOptions:
    """Give the settings in `text`; what has no counterpart is noted."""
    found: dict[str, t.Any] = {}
    known_hosts: list[str] = []
    for name, value in _pairs(key, text, notes):
        option = name.lower()
        if option == "port":
            port = whole_of(f"{key}: Port", value, notes, least=1)
            if port is not None and port > 65535:
                notes.problems.append(f"{key}: Port is {value!r}; it has to be at most 65535.")
            found["port"] = port
        elif option == "connecttimeout":
            found["connect_timeout"] = whole_of(f"{key}: ConnectTimeout", value, notes, least=1)
        elif option in _KNOWN_HOSTS:
            files = [path for path in value.split() if path.lower() not in _NOWHERE]
            known_hosts += files
            if not files:
                notes.has_no_effect(f"{key} {name} (host keys are always verified)")
        elif option == "kexalgorithms" and value[:1] not in ("+", "-", "^"):
            found["kex_algorithms"] = tuple(item.strip() for item in value.split(",") if item.strip())
        elif value.lower() not in _ALWAYS.get(option, ()):
            notes.has_no_effect(f"{key} {name}")
    return SshOptions(known_hosts=tuple(dict.fromkeys(known_hosts)), **found)


def _pairs(key: str, text: str, notes: Notes) -> list[tuple[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError as err:
        notes.problems.append(f"{key} cannot be split into words: {str(err).lower()}.")
        return []
    found: list[tuple[str, str]] = []
    for word in words:
        name, equals, value = word.partition("=")
        if word == "-o":
            continue
        if not equals or not name or word.startswith("-"):
            notes.has_no_effect(f"{key} {name} (the Go service drops it too)")
        else:
            found.append((name.strip(), value.strip()))
    return found
