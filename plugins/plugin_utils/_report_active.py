# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Know whether anybody is going to report the run, and say how to make it so."""

from __future__ import annotations

import os

# Set by the callback in the main process; the workers, in which the stages run, inherit it.
ACTIVE = "FIFE_MANAGED_TOKENS_REPORT"
CALLBACK, TASK, NONE = "callback", "task", "none"
NAME = "fife.managed_tokens.report"


def missing_report(wanted: str) -> str:
    """Give one sentence when the run is to be reported by the callback and that is not enabled, else ""."""
    if wanted != CALLBACK or ACTIVE in os.environ:
        return ""
    return (
        f"Nobody is told how this run goes: the callback {NAME} is not enabled. Put 'callbacks_enabled = {NAME}' "
        "into [defaults] of ansible.cfg (AWX: ANSIBLE_CALLBACKS_ENABLED, with commas, from a custom credential type), "
        "or set managed_tokens_report to 'task', or to 'none' for no report."
    )
