# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say each failure of a run in one line that begins with whom it is about, by kind of error. Pure."""

from __future__ import annotations

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line, shortened
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected

NAME_LIMIT = 60


def failures_by_kind(collected: Collected, limit: int) -> dict[str, list[str]]:
    """Give the failures by their kind, the refusals first, each of at most `limit` (at least 160) characters."""
    found: dict[str, list[str]] = {}
    for refusal in collected.refusals:
        found.setdefault(refusal.kind or "failed", []).append(shortened(refusal.message, limit))
    for outcome in collected.failures:
        found.setdefault(outcome.kind or "failed", []).append(in_one_line(outcome, limit))
    return found


def in_one_line(outcome: Outcome, limit: int) -> str:
    """Give `service, node or credd: message`; a message that begins with the service names the place by itself."""
    service, place = (one_line(name, NAME_LIMIT) for name in (outcome.config_service, outcome.node or outcome.credd))
    message = one_line(outcome.message, 40 * limit)
    whom = ", ".join(name for name in (service, place) if name)
    if not whom or (service and message.startswith(service)):
        return shortened(message, limit)
    return shortened(f"{whom}: {message}", limit)
