# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Hold the settings of the report, as the callback's options give them."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field, fields

from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DEFAULT_DATABASE

NONE, STARTTLS, TLS, AUTO = "none", "starttls", "tls", "auto"
# Ansible's own type for paths makes the working directory of an empty one.
PATHS = ("template_dir", "smtp_ca", "pushgateway_ca", "textfile", "log_file", "last_run_file", "status_page")
TABLE, QUIET, OFF = "table", "quiet", "off"


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """All settings; an empty text, list or 0 turns a sender off. Timeouts in seconds.

    `threshold`: failures in a row before people are told, and between reminders; at least 1.
    """

    # Whom and when
    notify: bool = True
    threshold: int = 3
    admin_emails: tuple[str, ...] = ()
    slack_webhook: str = ""
    test: bool = False
    test_admin_emails: tuple[str, ...] = ()
    test_slack_webhook: str = ""
    template_dir: str = ""
    environment: str = "production"
    # Mail
    smtp_host: str = ""
    smtp_port: int = 25
    smtp_security: str = AUTO
    smtp_ca: str = ""
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    # Every sender
    send_timeout: float = 10.0
    send_retries: int = 1
    # Metrics
    pushgateway: str = ""
    pushgateway_job: str = "managed_tokens"
    pushgateway_grouping: t.Mapping[str, str] = field(default_factory=dict)
    pushgateway_user: str = ""
    pushgateway_password: str = ""
    pushgateway_ca: str = ""
    textfile: str = ""
    # Traces, log, files, dead man's switch
    otlp_endpoint: str = ""
    log_file: str = ""
    loki: str = ""
    last_run_file: str = ""
    status_page: str = ""
    status_max_age: str = "3h"
    uid_max_age: str = "7d"
    min_token_lifetime: str = "3d"
    ping_url: str = ""
    # Terminal
    summary: str = TABLE
    profile: bool = False
    # State
    database: str = DEFAULT_DATABASE
    database_password: str = ""
    database_timeout: float = 10.0

    @classmethod
    def from_options(cls, option: t.Callable[[str], t.Any]) -> ReportSettings:
        """Read every setting through `option`, which gives a value by its name."""
        values: dict[str, t.Any] = {}
        for item in fields(cls):
            value = option(item.name)
            if value is None:
                continue
            if item.name in PATHS:
                value = os.path.expanduser(str(value))
            values[item.name] = tuple(str(entry) for entry in value) if isinstance(value, list) else value
        return cls(**values)

    @property
    def has_test_targets(self) -> bool:
        """Tell whether what is for the administrators goes to test targets, as far as there are such."""
        return self.test and bool(self.test_admin_emails or self.test_slack_webhook)

    def emails_for(self, *, is_trial: bool = False) -> tuple[str, ...]:
        """Give the addresses of what is for the administrators; a trial goes to themselves where nobody else is
        named."""
        return self.admin_emails if self._is_for_themselves(is_trial) else self.test_admin_emails

    def webhook_for(self, *, is_trial: bool = False) -> str:
        """Give the webhook of what is for the administrators, a secret, in the same way."""
        return self.slack_webhook if self._is_for_themselves(is_trial) else self.test_slack_webhook

    def _is_for_themselves(self, is_trial: bool) -> bool:
        return not self.test or (is_trial and not self.has_test_targets)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        found = (
            self.slack_webhook,
            self.test_slack_webhook,
            self.smtp_password,
            self.pushgateway_password,
            self.ping_url,
            self.database_password,
        )
        return tuple(text for text in found if text)
