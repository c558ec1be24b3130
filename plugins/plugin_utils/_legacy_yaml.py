# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the YAML of a configuration of the Go service as plain texts, lists and dictionaries, whoever has written it.

Its own reader knows true, false and null; everything else stays the text that stands there, so that "no", 0123 and
10:20 mean what the Go service takes them for. No tag makes an object, no key may stand twice, and what anchors stand
for is counted each time they are used.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

import yaml

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

DEEPEST = 20
MOST_VALUES = 100_000

_PREFIX = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_PREFIX + name for name in ("str", "int", "float", "bool", "null"))
_NULL = re.compile(r"(?:~|null|Null|NULL)?\Z")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
# How libyaml says it, and how the reader written in Python does.
_UNQUOTED = ("", None)
# libyaml reads a file of some hundred kilobytes in a tenth of a second, the other reader in some seconds.
_LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class _Value:
    """What was read, how many values it stands for, and how deep it is."""

    plain: t.Any
    size: int = 1
    depth: int = 0


@dataclass(slots=True)
class _Frame:
    """A list or a dictionary that is being read; `key` is the one whose value comes next."""

    anchor: str | None
    items: list[t.Any] | None = None
    pairs: dict[str, t.Any] = field(default_factory=dict)
    merged: list[dict[str, t.Any]] = field(default_factory=list)
    key: str | None = None
    is_merge: bool = False
    has_merged: bool = False
    size: int = 1
    depth: int = 1

    @property
    def awaits_key(self) -> bool:
        return self.items is None and self.key is None and not self.is_merge


def read_yaml(text: str) -> t.Any:
    """Give the document in `text`: None, bool, str, list or dict with str keys. Parts of it may be the same object.

    Raises: BadInput naming the line.
    """
    try:
        return _Reader().read(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as err:
        place = f"line {err.problem_mark.line + 1}: " if err.problem_mark is not None else ""
        raise BadInput(f"{place}this is no YAML: {one_line(err.problem or 'it cannot be read', 200)}.") from err
    except yaml.YAMLError as err:
        raise BadInput("this is no YAML: it holds a character that YAML does not allow.") from err


class _Reader:
    """Follow the events of the parser, without recursion: no nesting can exhaust anything."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Value] = {}
        self._root: _Value | None = None
        self._line = 0

    def read(self, events: t.Iterable[t.Any]) -> t.Any:
        documents = 0
        for event in events:
            self._line = event.start_mark.line + 1 if event.start_mark is not None else self._line
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._bad("a second document begins; a configuration is one")
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._known(event.anchor))
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._begin(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._end()
        return None if self._root is None else self._root.plain

    def _bad(self, text: str) -> BadInput:
        return BadInput(f"line {self._line}: {text}.")

    def _known(self, anchor: str | None) -> _Value:
        if self._frames and self._frames[-1].awaits_key:
            raise self._bad("an alias stands in the place of a key")
        if anchor is None or anchor not in self._anchors:
            raise self._bad(f"the alias *{one_line(anchor or '', 40)} stands for nothing that has been read before")
        return self._anchors[anchor]

    def _begin(self, event: t.Any) -> None:
        if self._frames and self._frames[-1].awaits_key:
            raise self._bad("a key has to be text")
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!", _PREFIX + kind):
            raise self._tag(event.tag)
        if len(self._frames) >= DEEPEST:
            raise self._bad(f"it is nested more than {DEEPEST} deep")
        self._frames.append(_Frame(event.anchor, items=[] if kind == "seq" else None))

    def _end(self) -> None:
        frame = self._frames.pop()
        plain: t.Any = frame.items
        if plain is None:
            plain = {}
            # What stands here wins, then what was merged first.
            for pairs in (frame.pairs, *frame.merged):
                plain |= {key: value for key, value in pairs.items() if key not in plain}
        value = _Value(plain, frame.size, frame.depth)
        if frame.anchor:
            self._anchors[frame.anchor] = value
        self._add(value)

    def _scalar(self, event: t.Any) -> None:
        if event.tag not in (None, "!") and event.tag not in _SCALAR_TAGS:
            raise self._tag(event.tag)
        if self._frames and self._frames[-1].awaits_key:
            self._key(self._frames[-1], event)
            return
        value = _Value(_plain(event))
        if event.anchor:
            self._anchors[event.anchor] = value
        self._add(value)

    def _key(self, frame: _Frame, event: t.Any) -> None:
        if event.value == "<<" and event.style in _UNQUOTED:
            if frame.has_merged:
                raise self._bad("the key '<<' stands twice in one place")
            frame.is_merge = frame.has_merged = True
            return
        if event.value in frame.pairs:
            raise self._bad(f"the key {one_line(event.value, 60)!r} stands twice in one place")
        frame.key = event.value

    def _add(self, value: _Value) -> None:
        if not self._frames:
            self._root = value
            return
        frame = self._frames[-1]
        frame.size += value.size
        frame.depth = max(frame.depth, value.depth + 1)
        if frame.size > MOST_VALUES:
            raise self._bad(
                f"it stands for more than {MOST_VALUES} values (anchors are counted each time they are used)"
            )
        if frame.depth + len(self._frames) - 1 > DEEPEST:
            raise self._bad(f"it is nested more than {DEEPEST} deep")
        if frame.items is not None:
            frame.items.append(value.plain)
        elif frame.is_merge:
            sources = value.plain if isinstance(value.plain, list) else [value.plain]
            if not all(isinstance(source, dict) for source in sources):
                raise self._bad("'<<' merges dictionaries only")
            frame.merged += sources
            frame.is_merge = False
        elif frame.key is not None:
            frame.pairs[frame.key] = value.plain
            frame.key = None

    def _tag(self, tag: str) -> BadInput:
        shown = one_line(tag.replace(_PREFIX, "!!"), 80)
        return self._bad(f"the tag {shown} is refused; a configuration holds texts, lists and dictionaries")


def _plain(event: t.Any) -> t.Any:
    is_plain = event.style in _UNQUOTED and event.tag is None
    if (is_plain or event.tag == f"{_PREFIX}null") and _NULL.match(event.value):
        return None
    if (is_plain or event.tag == f"{_PREFIX}bool") and event.value in _TRUE + _FALSE:
        return event.value in _TRUE
    return str(event.value)
