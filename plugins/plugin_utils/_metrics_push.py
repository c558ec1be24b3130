# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Hand the metrics over: to a Pushgateway, or to a file that node_exporter reads."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_request import Limits, Reply, Request, send
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._http_address import Address, basic
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_catalogue import CATALOGUE
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._public_file import replace_public
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

if t.TYPE_CHECKING:
    import prometheus_client

PRODUCTION = "production"
SUFFIX = ".prom"
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The Pushgateway puts the group's labels over those of the metrics.
_TAKEN = frozenset({"job", "le", *(label for metric in CATALOGUE for label in metric.labels)})


def push(registry: prometheus_client.CollectorRegistry, settings: ReportSettings) -> str:
    """Replace the group's metrics on the Pushgateway; gives the problem in one sentence without secrets, "" when they
    were taken.

    Takes at most the senders' timeout, all attempts together. The job has the environment's name at its end unless that
    is production.

    Source: https://github.com/prometheus/pushgateway#api
    """
    address = Address.of(settings.pushgateway)
    if address is None or "?" in address.path:
        return (
            "The metrics were not pushed: managed_tokens_pushgateway has to be a URL that begins with http:// or "
            "https:// and has no query."
        )
    grouping = {str(name): text(value) for name, value in settings.pushgateway_grouping.items()}
    if problem := grouping_problem(grouping):
        return f"The metrics were not pushed: {problem}"
    if settings.pushgateway_ca and not os.path.exists(settings.pushgateway_ca):
        shown = one_line(settings.pushgateway_ca, 200)
        return f"The metrics were not pushed: managed_tokens_pushgateway_ca is {shown}, which does not exist."
    return _taken(registry, settings, address, grouping)


def _taken(
    registry: prometheus_client.CollectorRegistry, settings: ReportSettings, address: Address, grouping: dict[str, str]
) -> str:
    import prometheus_client

    user, password = settings.pushgateway_user, settings.pushgateway_password
    if user or password:
        address = replace(address, authorization=basic(user, password))
    replies: list[Reply] = []

    def handler(
        url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> t.Callable[[], None]:
        group = replace(address, path=urlsplit(url).path)
        request = Request(group, data, dict(headers), method, settings.pushgateway_ca)
        # The library's own timeout is for one attempt; ours holds for all of them.
        limits = Limits(settings.send_timeout, settings.send_retries)
        return lambda: replies.append(send(request, limits, name=f"The Pushgateway at {address.place}"))

    prometheus_client.push_to_gateway(address.url, job_of(settings), registry, grouping, handler=handler)
    return replies[0].problem


def job_of(settings: ReportSettings) -> str:
    """Give the job under which the metrics are pushed."""
    suffix = "" if settings.environment in ("", PRODUCTION) else f"_{settings.environment}"
    return text(settings.pushgateway_job + suffix)


def write_textfile(registry: prometheus_client.CollectorRegistry, path: str) -> str:
    """Replace the file at `path` (mode 0644), atomically; gives the problem in one sentence, "" when it is written.

    Source: https://github.com/prometheus/node_exporter#textfile-collector
    """
    from prometheus_client import generate_latest

    shown = one_line(path, 200)
    if not path.endswith(SUFFIX) or Path(path).name == SUFFIX:
        return f"The metrics were not written: managed_tokens_textfile is {shown}; its name has to end in {SUFFIX}."
    try:
        replace_public(Path(path), generate_latest(registry))
    except OSError as err:
        reason = err.strerror or type(err).__name__
        if not Path(path).parent.is_dir():
            reason = "its directory does not exist"
        return f"The metrics were not written to {shown}: {one_line(reason, 100)}."
    except ValueError:
        return f"The metrics were not written to {shown}: no file has such a name."
    return ""


def grouping_problem(grouping: t.Mapping[str, t.Any]) -> str:
    """Say in one sentence which label of the setting cannot be used, "" when all can."""
    for name, value in grouping.items():
        shown = f"managed_tokens_pushgateway_grouping names {one_line(name, 60)!r}, which is"
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            return f"{shown} no name of a label."
        if name in _TAKEN:
            return f"{shown} a label that the metrics have themselves."
        if text(value) in (".", ".."):
            return f"managed_tokens_pushgateway_grouping.{name} is {value!r}, which cannot be part of a URL."
    return ""
