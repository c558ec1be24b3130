# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Make a program's words fit to be shown: no token, no control characters, not too long."""

from __future__ import annotations

import re

LIMIT = 400
REDACTED = "[redacted]"

# Vault service and batch tokens (hvs., hvb., s., b.), JSON web tokens, and what follows an authorisation header.
_SECRETS = re.compile(
    r"\b(?:hv[sbr]\.[A-Za-z0-9_-]{6,}|[sb]\.[A-Za-z0-9]{20,}|eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,2})"
    r"|(?<=Negotiate )[A-Za-z0-9+/=]{8,}|(?<=Bearer )[A-Za-z0-9._~+/=-]{8,}",
)
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(r" {2,}")


def redact(text: str) -> str:
    """Replace everything in `text` that looks like a token."""
    return _SECRETS.sub(REDACTED, text)


def one_line(text: str, limit: int = LIMIT) -> str:
    """Give `text` redacted, on one line, without control characters, at most `limit` characters; the end is kept, not
    the start."""
    # A megabyte of output is cut before the expressions see it; a token across the cut would lose its telling prefix,
    # so the cut
    # leaves far more than is shown and drops the first word.
    if len(text) > 40 * limit:
        text = text[-40 * limit :].partition(" ")[2]
    line = _CONTROLS.sub(" ", _ESCAPES.sub("", text))
    line = redact(_SPACES.sub(" ", line)).strip()
    return line if len(line) <= limit else "... " + line[-(limit - 4) :].lstrip()


def last_words(output: str, lines: int = 3, limit: int = LIMIT) -> str:
    """Give the last non-empty lines of a program's output, fit to be shown."""
    kept = [line.strip() for line in output[-40 * limit :].splitlines() if line.strip()]
    return one_line(" / ".join(kept[-lines:]), limit)
