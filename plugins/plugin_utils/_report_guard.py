# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Keep whatever goes wrong in the report from the run that it is about."""

from __future__ import annotations

import traceback
import typing as t


def guarded(work: t.Callable[[], object], warn: t.Callable[[str], object], detail: t.Callable[[str], object]) -> None:
    """Do the work; an exception is one warning, with the places in the sources as details.

    What the exception says is not shown: it may quote a setting, and some are secrets.
    """
    try:
        work()
    except Exception as err:  # noqa: BLE001 - whatever is wrong with the report, the run is what counts
        warn(f"The report could not be finished: {type(err).__name__}. Please report this.")
        for frame in traceback.extract_tb(err.__traceback__):
            detail(f"{frame.filename}:{frame.lineno} ({frame.name})")
