# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read the settings of the report where there is no callback that has them: in an action."""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.plugins.loader import callback_loader

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_active import NAME
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings


class Template(t.Protocol):
    """What is used of Ansible's templar."""

    def template(self, variable: t.Any) -> t.Any: ...


def settings_of(variables: dict[str, t.Any], templar: Template) -> ReportSettings:
    """Give the callback's settings as configuration, environment and these variables say."""
    # Ansible knows a plugin's settings once it has loaded the plugin.
    callback = callback_loader.get(NAME, class_only=True)

    def option(name: str) -> t.Any:
        value = constants.config.get_config_value(
            name, plugin_type="callback", plugin_name=callback._load_name, variables=variables
        )
        return templar.template(value)

    return ReportSettings.from_options(option)
