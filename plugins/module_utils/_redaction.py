# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Make a program's words fit to be shown: no token, no control characters, not too long.

C(one_line) is for words of others, where they come in. C(harmless) and C(showable) are a second net for all that goes
on from there: they leave alone what holds nothing bad, and are quick about it.
"""

from __future__ import annotations

import re

LIMIT = 400
REDACTED = "[redacted]"

# Vault service and batch tokens (hvs., hvb., hvr.); then old ones (s., b.), JSON web tokens, and what follows an
# authorisation header. A word may be glued to a token; but many a name goes on behind an s or b and a dot
# (roles.analysis.NAME), so there an old token has to look like one, of small and capital letters. One after the other,
# so that none takes away the beginning of another.
_BEGINNING = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_SECRETS = (
    re.compile(r"hv[sbr]\.[A-Za-z0-9_-]{6,}"),
    re.compile(
        rf"(?:{_BEGINNING}[sb]\.|[sb]\.(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z]))[A-Za-z0-9]{{20,}}"
        r"|eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,2}"
    ),
    re.compile(r"(?<=Negotiate )[A-Za-z0-9+/=]{8,}|(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}"),
)
# Each of them holds one of these: most texts hold none, and this is quickly seen (ten times as quickly).
_MARKS = ("hvs.", "hvb.", "hvr.", "eyJ", "Negotiate ", "Bearer ")
_LONG_WORD = re.compile(r"\.[A-Za-z0-9]{20}")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Without a width or with one of their own: what they stand in is one word. The others separate words.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+"
)
_SEPARATORS = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_SPACES = re.compile(r" {2,}")
_CUT = " ... "


def redact(text: str) -> str:
    """Replace everything in `text` that looks like a token."""
    if not any(mark in text for mark in _MARKS) and _LONG_WORD.search(text) is None:
        return text
    for secrets in _SECRETS:
        text = secrets.sub(REDACTED, text)
    return text


def harmless(text: str) -> str:
    """Give `text` redacted and without control characters, otherwise as it is."""
    return redact(text if text.isprintable() else _plain(text))


def showable(text: str) -> str:
    """Give lines without control characters and without vault's tokens, otherwise as they are.

    What else may be a token may also be a part of an address, which people have to get as it is.
    """
    if not text.isprintable():
        text = "\n".join(map(_plain, text.split("\n")))
    return _SECRETS[0].sub(REDACTED, text)


def one_line(text: str, limit: int = LIMIT) -> str:
    """Give `text` redacted, on one line, without control characters, at most `limit` characters; the end is kept, not
    the start."""
    line = redact(_SPACES.sub(" ", _plain(_end_of(text, limit)))).strip()
    return line if len(line) <= limit else "... " + line[-(limit - 4) :].lstrip()


def shortened(text: str, limit: int = LIMIT) -> str:
    """Give `text` as `one_line` does, but cut in its middle: its beginning says whom it is about, its end what the
    matter is."""
    line = one_line(text, 40 * limit)
    if len(line) <= limit:
        return line
    end = (limit - len(_CUT)) // 2
    return line[: limit - len(_CUT) - end].rstrip() + _CUT + line[-end:].lstrip()


def last_words(output: str, lines: int = 3, limit: int = LIMIT) -> str:
    """Give the last non-empty lines of a program's output, fit to be shown."""
    kept = [line.strip() for line in _end_of(output, limit).splitlines() if line.strip()]
    return one_line(" / ".join(kept[-lines:]), limit)


def _plain(text: str) -> str:
    return _SEPARATORS.sub(" ", _INVISIBLE.sub("", _ESCAPES.sub("", text)))


def _end_of(text: str, limit: int) -> str:
    # A megabyte of output is cut before the expressions see it. A token across the cut has lost its telling beginning,
    # so what is left of the first word goes too.
    return text if len(text) <= 40 * limit else re.sub(r"\A\S+", "", text[-40 * limit :])
