# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: quiet
type: stdout
short_description: Print nothing by itself
version_added: 0.1.0
description:
  - For cron, together with the callback C(fife.managed_tokens.report) and its setting C(summary=quiet).
  - Nothing is printed when all is well, and a few lines that say who has to act when not.
author:
  - fife.managed_tokens contributors (@fife)
requirements:
  - "set as stdout callback: C(ANSIBLE_STDOUT_CALLBACK=fife.managed_tokens.quiet)"
"""

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Take the place of the callback that prints every task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "fife.managed_tokens.quiet"
