# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Show a login while it goes on, send it to whom it is to be sent, and tell beforehand when nobody would see it."""

from __future__ import annotations

import os
import queue
import stat
import threading
import time
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_login import Invitation
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_invitation import terminal_lines
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._login_senders import Sender

# Linux: virtual consoles and serial lines, /dev/tty and /dev/console, and pseudo terminals.
_TERMINALS = frozenset({4, 5, 204, *range(136, 144)})


class LiveAudience:
    """Whoever looks at the run's output, and whoever a sender reaches."""

    def __init__(self, show: t.Callable[[str], None], senders: t.Sequence[Sender] = ()) -> None:
        self._show = show
        self._senders = senders
        self._results: queue.SimpleQueue[str] = queue.SimpleQueue()

    def show(self, text: str) -> None:
        """Show a line at once."""
        self._show(text)

    def invite(self, invitation: Invitation) -> None:
        """Show where to log in, and send it; nobody waits for a sender."""
        for line in terminal_lines(invitation, time.time()):
            self._show(line)
        for sender in self._senders:
            threading.Thread(target=self._send, args=(sender, invitation), daemon=True, name="invitation").start()

    def waited(self) -> None:
        """Show what has come of the senders: from here, since Ansible's display is not for threads of ours."""
        while not self._results.empty():
            self._show(self._results.get_nowait())

    def _send(self, sender: Sender, invitation: Invitation) -> None:
        try:
            problem = sender.send(invitation)
        except Exception as err:  # noqa: BLE001 - the login goes on, whoever could not be told
            problem = f"{type(err).__name__}; please report this."
        done = f"The address was sent to {sender.where}."
        self._results.put(f"The address was NOT sent to {sender.where}: {one_line(problem)}" if problem else done)


def is_watched(process: int) -> bool:
    """Tell whether one of the standard files of `process` is a terminal. What cannot be found out counts as yes."""
    found = []
    for number in (0, 1, 2):
        try:
            there = os.stat(f"/proc/{process}/fd/{number}")
        except FileNotFoundError:
            continue
        except OSError:
            return True
        found.append(stat.S_ISCHR(there.st_mode) and os.major(there.st_rdev) in _TERMINALS)
    return any(found) or not os.path.isdir(f"/proc/{process}")


def why_not_shown(*, is_local: bool, is_quiet: bool, is_watched: bool, has_senders: bool) -> str:
    """Give one sentence that says why nobody would see where to log in, and what to do; "" when somebody will.

    A job of AWX or ansible-runner has a terminal for its output and counts as watched.
    """
    if not is_local:
        return (
            "A login cannot be shown from another machine while it goes on: run the onboarding on the token host "
            "itself, without managed_tokens_token_host."
        )
    if has_senders:
        return ""
    otherwise = "or have it sent (managed_tokens_onboarding_mail, managed_tokens_onboarding_slack)."
    if is_quiet:
        return (
            "The stdout callback fife.managed_tokens.quiet prints nothing, so nobody would see where to log in: "
            f"unset ANSIBLE_STDOUT_CALLBACK, {otherwise}"
        )
    if not is_watched:
        return (
            "There is no terminal, so nobody would see in time where to log in: start it in a terminal, add "
            "-e managed_tokens_onboarding_watched=true when somebody watches the output (as in Jenkins), "
            f"{otherwise}"
        )
    return ""
