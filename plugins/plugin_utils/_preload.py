# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Prepare Ansible's main process for the workers that it forks: load once what several of them need, let nobody count
what is there, and let none outlive it."""

from __future__ import annotations

import contextlib
import gc
import importlib

from ansible_collections.fife.managed_tokens.plugins.module_utils._interruption import tie_forks_to_this_process

# What most stages and the report need. What only one stage needs (asyncssh) is loaded by it, and gone with it.
SHARED = ("sqlalchemy", "sqlalchemy.dialects.sqlite")


def preload() -> None:
    """Load what several workers need, as far as it is installed, and freeze it; tie the workers to this process.

    Objects that are frozen are left alone by Python's garbage collector: a worker then does not copy the memory that
    they lie in only to look at them, and the main process ends without looking at them once more.
    """
    for name in SHARED:
        with contextlib.suppress(ImportError):  # the stage that needs it says so in one sentence
            importlib.import_module(name)
    gc.freeze()
    tie_forks_to_this_process()
