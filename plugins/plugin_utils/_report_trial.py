# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Try the administrators' channels when asked to: a message over each that nothing else goes over. Pure."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import ONBOARDING
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, SLACK, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision, channels_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings


def with_trial(decision: Decision, collected: Collected, settings: ReportSettings) -> Decision:
    """Give the decision with a test message, if there is to be one.

    It goes to the test targets, or to the administrators themselves when no test target is set at all; never to an
    experiment's people.
    """
    if not (settings.test and settings.notify) or collected.program == ONBOARDING:
        return decision
    used = {channel for message in decision.messages for channel in channels_of(message, settings)}
    channels = tuple(channel for channel in (EMAIL, SLACK) if channel not in used)
    trial = Message("", settings.emails_for(is_trial=True), (), channels=channels, is_trial=True)
    if not channels or not channels_of(trial, settings):
        return decision
    return replace(decision, messages=(*decision.messages, trial))
