# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say in one line what a message is about: the subject of a mail, the header in a chat."""

from __future__ import annotations

import typing as t
import unicodedata

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, RUN, SETUP, Message, Notice
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

SUBJECT_MARK = "managed tokens"
SUBJECT_LIMIT = 99
PRODUCTION = "production"
TRIAL = "TEST MESSAGE, nobody has to do anything"
NAME_LIMIT = 64
_GROUP_LIMIT = 30
# What is given up first when the line would be too long.
_DETAILS = (
    {"is_named": True, "has_history": True, "has_ends": True},
    {"is_named": False, "has_history": True, "has_ends": True},
    {"is_named": False, "has_history": False, "has_ends": True},
    {"is_named": False, "has_history": False, "has_ends": False},
)


def headline(message: Message, settings: ReportSettings, *, mark: str = "", limit: int = SUBJECT_LIMIT) -> str:
    """Give one line in plain ASCII, at most `limit` (at least 80) characters: who is concerned, what failed how many
    runs in a row, what is well again; or that it is a test.

    It begins with `mark` in brackets and the kind of installation, unless that is production.
    """
    environment = _cut(plain(settings.environment), _GROUP_LIMIT - 8)
    marks = ", ".join(part for part in (mark, environment if environment != PRODUCTION else "") if part)
    beginning = f"[{marks}] " if marks else ""
    if message.experiment:
        beginning += f"{_cut(plain(message.experiment), _GROUP_LIMIT)}: "
    if message.is_trial:
        return _cut(beginning + TRIAL, limit)
    variants = [beginning + _what(message.notices, **detail) for detail in _DETAILS]
    return next((line for line in variants if len(line) <= limit), _cut(variants[-1], limit))


def plain(value: str) -> str:
    """Give `value` on one line in ASCII, with nothing in it that a mail header could take for an encoded word."""
    decomposed = "".join(char for char in unicodedata.normalize("NFKD", text(value)) if not unicodedata.combining(char))
    return " ".join(decomposed.encode("ascii", "replace").decode().replace("=?", "= ?").split())


def counted(number: int, what: str) -> str:
    """Give "1 node", "2,000 nodes"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _what(notices: t.Sequence[Notice], *, is_named: bool, has_history: bool, has_ends: bool) -> str:
    troubles = [item for item in notices if not item.is_recovery]
    ends = [item for item in notices if item.is_recovery]
    parts = _troubles(troubles, is_named=is_named) + (_in_a_row(troubles) if has_history else "")
    if not parts:
        return _ends(ends, is_named=is_named) if ends else "nothing to tell"
    return parts + (f"; {len({item.key for item in ends}):,} well again" if ends and has_ends else "")


def _troubles(notices: t.Sequence[Notice], *, is_named: bool) -> str:
    parts = []
    if program := _distinct(item.key.service for item in notices if item.key.sort == RUN):
        parts.append(f"{_named(program, 'program', is_named=True)} failed")
    if services := _distinct(item.key.service for item in notices if item.key.sort == SETUP):
        parts.append(f"{_named(services, 'service', is_named=is_named)} failed")
    if nodes := _distinct(item.key.node for item in notices if item.key.sort == PUSH):
        tokens = _distinct(item.key.service for item in notices if item.key.sort == PUSH)
        whose = f"{'its' if len(nodes) == 1 else 'their'} token{'' if len(tokens) == 1 else 's'}"
        parts.append(f"{_named(nodes, 'node', is_named=is_named)} did not get {whose}")
    return ", ".join(parts)


def _ends(notices: t.Sequence[Notice], *, is_named: bool) -> str:
    services = _distinct(item.key.service for item in notices if item.key.sort != PUSH)
    nodes = _distinct(item.key.node for item in notices if item.key.sort == PUSH)
    parts = [_named(services, "service", is_named=is_named)] if services else []
    parts += [_named(nodes, "node", is_named=is_named)] if nodes else []
    return f"{' and '.join(parts)} {'is' if len(services) + len(nodes) == 1 else 'are'} well again"


def _in_a_row(notices: t.Sequence[Notice]) -> str:
    counts = {item.count for item in notices}
    most = max(counts, default=0)
    if most < 2:
        return ""
    return f" ({'up to ' if len(counts) > 1 else ''}{most} runs in a row)"


def _distinct(names: t.Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _named(names: t.Sequence[str], what: str, *, is_named: bool) -> str:
    if len(names) == 1 and is_named:
        return _cut(plain(names[0]), NAME_LIMIT) or f"1 {what}"
    return counted(len(names), what)


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 3].rstrip() + "..."
