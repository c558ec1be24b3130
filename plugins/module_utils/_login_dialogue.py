# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Understand what htgettoken says while a person logs in with a browser. Pure: bytes in, events out.

Source: htgettoken 2.2 (htgettoken/__init__.py, from "Attempting OIDC authentication" on), condor_vault_storer of
HTCondor 23.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line

LONGEST_LINE = 8192
LONGEST_ADDRESS = 4096
LONGEST_CODE = 64


class What(Enum):
    """What happened; the comments say what `text` of the event holds, if anything."""

    ADDRESS = "address"  # the address to open
    CODE = "code"  # the code to enter there
    WAITING = "waiting"  # address and code are complete
    EXPIRED = "expired"  # nobody answered in the time that htgettoken waits
    REFUSED = "refused"  # what the issuer of tokens, or vault, says
    APPROVED = "approved"
    SAVED = "saved"  # vault has the refresh token
    NOT_SAVED = "not_saved"  # vault's reason


@dataclass(frozen=True, slots=True)
class Event:
    """One step of the dialogue, with a text that is fit to be shown."""

    what: What
    text: str = ""


# A line that says where to go is followed by the address in a line of its own.
_ADDRESS_FOLLOWS = "Complete the authentication at:"
_ADDRESS = re.compile(r"https?://[!-~]+")
_CODE = re.compile(r"When prompted, enter code ([!-~]+)")
_WAITING = "Waiting for response in web browser"
_SAVING = "Saving refresh token"
_GAVE_UP = "Polling for response took longer"
_ERROR = re.compile(r"error in response from \S+: (.+)")
_STORAGE = re.compile(r"Refresh token storage to \S+ failed(?:: )?(.*)")
# What an issuer answers when nobody has come in its own time. Source: RFC 8628, 3.5.
_TOO_LATE = ("expired_token",)


class Dialogue:
    """Be fed with what the program says, in whatever pieces; remember how far the login is."""

    def __init__(self) -> None:
        self._line = b""
        self._address_follows = False
        self.seen: dict[What, str] = {}

    def feed(self, piece: bytes) -> list[Event]:
        """Give what happened with this piece, in order."""
        events: list[Event] = []
        *lines, rest = re.split(rb"[\r\n]", self._line + piece)
        for line in lines:
            events += self._complete(line)
        self._line = rest[-LONGEST_LINE:]
        # "Saving refresh token ..." gets its end of line only when that is done.
        if _SAVING.encode() in self._line:
            events += self._note(What.APPROVED)
        return events

    def end(self) -> list[Event]:
        """Give what happened with a last line that was not ended."""
        line, self._line = self._line, b""
        return self._complete(line)

    def _complete(self, raw: bytes) -> list[Event]:
        text = raw[-LONGEST_LINE:].decode("utf-8", "replace").strip()
        if not text:
            return []
        if self._address_follows:
            self._address_follows = False
            found = _ADDRESS.fullmatch(text)
            if found and len(text) <= LONGEST_ADDRESS:
                return self._note(What.ADDRESS, text)
        if _ADDRESS_FOLLOWS in text:
            self._address_follows = True
        elif found := _CODE.search(text):
            return self._note(What.CODE, found[1][:LONGEST_CODE])
        elif _WAITING in text:
            return self._note(What.WAITING)
        elif _SAVING in text:
            return self._saving(text)
        elif found := _STORAGE.search(text):
            return self._note(What.NOT_SAVED, one_line(found[1]))
        elif _GAVE_UP in text:
            return self._note(What.EXPIRED)
        elif found := _ERROR.search(text):
            words = one_line(found[1])
            return self._note(What.EXPIRED) if words in _TOO_LATE else self._note(What.REFUSED, words)
        elif text.startswith("*") and What.NOT_SAVED in self.seen:
            # Vault lists its reasons in lines of their own.
            self.seen[What.NOT_SAVED] = one_line(f"{self.seen[What.NOT_SAVED]} {text}")
        return []

    def _saving(self, text: str) -> list[Event]:
        events = self._note(What.APPROVED)
        # With -v nothing says "done"; whether it was is seen by what follows.
        if text.endswith("done"):
            events += self._note(What.SAVED)
        return events

    def _note(self, what: What, text: str = "") -> list[Event]:
        if what in self.seen and (what not in (What.ADDRESS, What.CODE) or self.seen[what] == text):
            return []
        self.seen[what] = text
        return [Event(what, text)]

    def has(self, what: What) -> bool:
        """Tell whether it has happened."""
        return what in self.seen

    def text(self, what: What) -> str:
        """Give the text that came with it, "" when it has not happened."""
        return self.seen.get(what, "")
