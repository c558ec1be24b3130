# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read settings that stand in the environment or in ansible.cfg, and find those that would silently not count.

The section of ansible.cfg is ours alone, so that an unknown key is refused. A name in the environment may be another
program's: it is a warning, and only where one of ours is near.
"""

from __future__ import annotations

import configparser
import os
import typing as t
from dataclasses import fields

from ansible import constants
from ansible.parsing.quoting import unquote
from ansible.utils.display import Display

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import nearest
from ansible_collections.fife.managed_tokens.plugins.module_utils._settings_names import (
    KNOWN_SETTINGS,
    PREFIX,
    bare_name,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

SECTION = "managed_tokens"
# All that is read from the environment and from the section.
NAMES = frozenset(item.name for item in fields(ReportSettings))
# Another program's names may be somewhat like ours.
NEAR_ENOUGH = 0.8


def check_outside(warn: t.Callable[[str], object] | None = None) -> None:
    """Look at the environment and at the ansible.cfg of this process.

    Raises: BadInput naming each unknown key of the section.
    """
    for warning in of_environment(os.environ):
        (warn or Display().warning)(warning)
    if problems := of_section(getattr(constants, "CONFIG_FILE", None)):
        raise BadInput(*problems)


def of_environment(environment: t.Mapping[str, str]) -> list[str]:
    """Give one sentence for each name that is near one of ours and is none."""
    found = []
    for name in sorted(environment):
        bare = bare_name(name.lower())
        if bare is None or (name == f"{PREFIX}{bare}".upper() and bare in NAMES):
            continue
        if f"{PREFIX}{bare}" in KNOWN_SETTINGS and bare not in NAMES:
            found.append(
                f"The environment variable {name} does not count; {PREFIX}{bare} is set in the inventory or with -e."
            )
        elif near := nearest(bare, NAMES, NEAR_ENOUGH):
            found.append(
                f"The environment variable {name} is unknown and does not count; "
                f"did you mean {f'{PREFIX}{near}'.upper()!r}?"
            )
    return found


def of_section(path: str | None) -> list[str]:
    """Give one sentence for each unknown key of our section of the configuration file at `path`."""
    return [
        f"{path}: [{SECTION}] has the unknown key {key!r}{_advice(key)}" for key in _section(path) if key not in NAMES
    ]


def with_database(options: dict[str, t.Any], spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give the options of a stage with where the state database is, as the report reads it: the environment, then
    ansible.cfg. What a task says wins, and with it the inventory's variables."""
    missing = [name for name in DATABASE_SPEC if name in spec and options.get(name) is None]
    section = _section(getattr(constants, "CONFIG_FILE", None)) if missing else {}
    for name in missing:
        value = os.environ.get(f"{PREFIX}{name}".upper(), section.get(name))
        if value is not None:
            options[name] = value
    return options


def _section(path: str | None) -> dict[str, str]:
    # As Ansible reads it, which has said what is wrong with the file.
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None, strict=False)
    try:
        parser.read([path] if path else [])
    except (configparser.Error, UnicodeError):
        return {}
    return {key: unquote(value) for key, value in parser.items(SECTION)} if parser.has_section(SECTION) else {}


def _advice(key: str) -> str:
    bare = key.removeprefix(PREFIX)
    if bare not in NAMES and PREFIX + bare in KNOWN_SETTINGS:
        return f"; {PREFIX}{bare} is set in the inventory or with -e."
    near = nearest(bare, NAMES)
    return f"; did you mean {near!r}?" if near else "."
