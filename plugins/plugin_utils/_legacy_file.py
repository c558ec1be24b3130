# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read a configuration file of the Go service, and tell whether a file is one."""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_json import read_json
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_yaml import read_yaml

EXTENSIONS = (".yml", ".yaml", ".json")
NAME = "managedtokens"
LARGEST_BYTES = 2 * 1024 * 1024
PLUGIN = "fife.managed_tokens.managed_tokens_config"

_BOM = b"\xef\xbb\xbf"
# Keys of which one stands directly below a group in an inventory of Ansible's own kind.
_OF_A_GROUP = frozenset({"hosts", "children", "vars"})


def read_tree(path: str) -> dict[str, t.Any]:
    """Give what the file holds, its keys in lower case, as the Go service takes them.

    Raises: BadFile when it cannot be read, BadInput when it is no configuration; the texts do not name the file.
    """
    content = _content(path)
    found = read_json(content) if path.lower().endswith(".json") else read_yaml(content)
    if found is None:
        raise BadInput("it is empty.")
    if not isinstance(found, dict):
        what = "list" if isinstance(found, list) else "text"
        raise BadInput(f"it is a {what}; a configuration is a dictionary with experiments.")
    lowered: dict[str, t.Any] = _lowered(found, "")
    return lowered


def read_configuration(path: str) -> tuple[str, dict[str, t.Any]]:
    """Give the file that is the configuration, and what it holds: `path` itself, or the one that it leads to.

    Raises: BadFile, BadInput.
    """
    tree = read_tree(path)
    if "plugin" not in tree or "experiments" in tree:
        return path, tree
    others = sorted(tree.keys() - {"plugin", "path"})
    if tree["plugin"] != PLUGIN or others or not isinstance(tree.get("path"), str):
        raise BadInput(f"it has to hold plugin: {PLUGIN} and path: with the configuration's place, and nothing else.")
    place = os.path.join(os.path.dirname(path), os.path.expanduser(tree["path"]))
    try:
        found = read_tree(place)
    except BadInput as err:
        raise BadInput(*(f"{place}: {problem}" for problem in err.problems)) from err
    except BadFile as err:
        raise BadFile(f"{place}: {err.msg}") from err
    return place, found


def is_configuration(path: str) -> bool:
    """Tell whether the file is a configuration of the Go service: by its name, or by its content.

    A file named managedTokens is one even if it cannot be read, unless it is an inventory of Ansible's own kind; any
    other only with experiments that have roles.
    """
    stem, extension = os.path.splitext(os.path.basename(path))
    if extension.lower() not in EXTENSIONS or not os.path.isfile(path):
        return False
    is_named = stem.lower() == NAME
    try:
        tree = read_tree(path) if is_named or _may_be(path) else {}
    except (BadFile, BadInput):
        return is_named
    if "plugin" in tree:
        return bool(tree["plugin"] == PLUGIN)
    if "all" in tree and "experiments" not in tree:
        return False
    return is_named or _has_roles(tree.get("experiments"))


def _content(path: str) -> str:
    try:
        # Anything but a plain file could keep us waiting for ever.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise BadFile("it is no plain file.")
        with open(path, "rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as err:
        raise BadFile(f"it cannot be read: {err.strerror}.") from err
    except ValueError as err:
        raise BadFile("it cannot be read: its name holds a NUL character.") from err
    if len(content) > LARGEST_BYTES:
        raise BadInput(f"it is larger than {LARGEST_BYTES // 1024 // 1024} MiB, which no configuration is.")
    try:
        text = content.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as err:
        line = content[: err.start].count(b"\n") + 1
        raise BadInput(f"line {line}: it is not UTF-8.") from err
    if "\0" in text:
        raise BadInput(f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: it holds a NUL character.")
    return text


def _may_be(path: str) -> bool:
    # Every inventory of a site comes by here; most are told apart without being understood.
    try:
        words = _content(path).lower()
    except (BadFile, BadInput):
        return False
    return ("experiments" in words and "roles" in words) or PLUGIN in words


def _has_roles(experiments: t.Any) -> bool:
    if not isinstance(experiments, dict) or experiments.keys() & _OF_A_GROUP:
        return False
    return any(isinstance(item, dict) and isinstance(item.get("roles"), dict) for item in experiments.values())


def _lowered(value: t.Any, place: str) -> t.Any:
    if isinstance(value, list):
        return [_lowered(item, place) for item in value]
    if not isinstance(value, dict):
        if isinstance(value, str) and not _is_text(value):
            raise BadInput(f"{place or 'it'} holds half a character, which is no text.")
        return value
    found: dict[str, t.Any] = {}
    for key, item in value.items():
        name = str(key).lower()
        shown = one_line(f"{place}.{name}" if place else name, 120)
        if not _is_text(name):
            raise BadInput("a key holds half a character, which is no text.")
        if name in found:
            raise BadInput(f"{shown} stands there twice; upper and lower case make no difference in keys.")
        found[name] = _lowered(item, shown)
    return found


def _is_text(value: str) -> bool:
    # JSON can write one half of a pair of surrogates.
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
