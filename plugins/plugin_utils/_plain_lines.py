# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Show lines of our own between Ansible's, unless nothing is to be shown."""

from __future__ import annotations

from ansible import constants
from ansible.utils.display import Display

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import showable

QUIET_CALLBACK = "fife.managed_tokens.quiet"


def is_quiet() -> bool:
    """Tell whether the callback that prints the tasks is the one that prints nothing."""
    return bool(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK") == QUIET_CALLBACK)


def show_line(text: str) -> None:
    """Show one line, indented as what belongs to a task."""
    if not is_quiet():
        Display().display(f"    {showable(text)}".rstrip())
