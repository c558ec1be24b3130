# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Find what is wrong with settings of the report while nobody has to be told anything yet. Sends and writes nothing."""

from __future__ import annotations

import math
import os
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import duration_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._mail_address import not_addresses, split_address
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_host
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_push import SUFFIX, grouping_problem
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

PREFIX = "managed_tokens_"
WEBHOOKS = ("slack_webhook", "test_slack_webhook")
RECEIVERS = ("pushgateway", "otlp_endpoint", "loki", "ping_url")
FILES = ("textfile", "log_file", "last_run_file", "status_page")


def problems_of(settings: ReportSettings, *, sends_nothing: bool) -> list[str]:
    """Give one sentence for each bad setting, without secrets.

    What each run writes or sends tells its own problems; they are in the list only for a run that `sends_nothing`, as
    in check mode.
    """
    return [*_of_messages(settings), *(_of_exports(settings) if sends_nothing else ())]


def _of_messages(settings: ReportSettings) -> t.Iterator[str]:
    """Look at what counts only when people have to be told."""
    if settings.threshold < 1:
        yield f"{PREFIX}threshold is {settings.threshold}; it has to be at least 1, which tells at once."
    for name in ("admin_emails", "test_admin_emails"):
        if wrong := not_addresses(getattr(settings, name)):
            yield f"{PREFIX}{name} holds {wrong}; an e-mail address looks like somebody@example.org."
    if settings.mail_from and split_address(settings.mail_from) is None:
        yield f"{PREFIX}mail_from is no e-mail address, so the default is used."
    for name in WEBHOOKS:
        if (url := getattr(settings, name).strip()) and Address.of(url) is None:
            # Not quoted: it is a secret.
            yield f"{PREFIX}{name} is no http or https URL."
    if settings.smtp_host and not is_host(settings.smtp_host):
        # Not quoted: a URL may hold a password.
        yield f"{PREFIX}smtp_host is no host's name; it is written without scheme, user and port."
    if not 0 < settings.smtp_port < 65536:
        yield f"{PREFIX}smtp_port is {settings.smtp_port}; it has to be a number from 1 to 65535."
    if not 0 < settings.send_timeout < math.inf:
        yield f"{PREFIX}send_timeout is {settings.send_timeout:g}; it has to be more than 0 seconds."
    if settings.send_retries < 0:
        yield f"{PREFIX}send_retries is {settings.send_retries}; it has to be at least 0."
    if settings.smtp_ca and not os.path.exists(settings.smtp_ca):
        yield f"{PREFIX}smtp_ca is {settings.smtp_ca}, which does not exist."
    if settings.template_dir and not os.path.isdir(settings.template_dir):
        yield f"{PREFIX}template_dir is {settings.template_dir}, which is no directory."


def _of_exports(settings: ReportSettings) -> t.Iterator[str]:
    for name in RECEIVERS:
        if (url := getattr(settings, name)) and Address.of(url) is None:
            # Not quoted: it may hold a password, or be a secret itself.
            yield f"{PREFIX}{name} is no http or https URL."
    if problem := grouping_problem(settings.pushgateway_grouping):
        yield problem
    if settings.pushgateway_ca and not os.path.exists(settings.pushgateway_ca):
        yield f"{PREFIX}pushgateway_ca is {settings.pushgateway_ca}, which does not exist."
    for name in FILES:
        if path := getattr(settings, name):
            if problem := _unwritable(path, is_appended_to=name == "log_file"):
                yield f"{PREFIX}{name} is {path}, which cannot be written: {problem}."
            elif name == "textfile" and not path.endswith(SUFFIX):
                yield f"{PREFIX}{name} is {path}; its name has to end in {SUFFIX}."
    for name in ("status_max_age", "uid_max_age"):
        try:
            duration_of(name, getattr(settings, name))
        except BadInput as err:
            yield err.msg


def _unwritable(path: str, *, is_appended_to: bool) -> str:
    parent = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(parent):
        return "its directory does not exist"
    if os.path.isdir(path):
        return "it is a directory"
    if is_appended_to and os.path.exists(path):
        return "" if os.access(path, os.W_OK) else "it may not be written to"
    return "" if os.access(parent, os.W_OK | os.X_OK) else "nothing may be written into its directory"
