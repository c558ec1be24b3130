# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Collect the outcomes of the stages from the variables in which their results were registered."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import StageOrder


def with_outcomes(options: dict[str, t.Any], task_vars: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Give the options with the outcomes of every batch that ran, unless they were given.

    The batches are read by name and not templated: they are the largest values of a run.

    Raises: StageOrder when no stage ran.
    """
    if options.get("outcomes") is None:
        batches = [task_vars.get(name) for name in options.get("batches") or ()]
        ran = [batch for batch in batches if isinstance(batch, t.Mapping) and "outcomes" in batch]
        if not ran:
            raise StageOrder(
                "No stage has run in this play: start the whole play, without --start-at-task and --skip-tags."
            )
        options["outcomes"] = [outcome for batch in ran for outcome in batch["outcomes"]]
    return options
