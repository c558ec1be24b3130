# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Hand the metrics over: to a Pushgateway, or to a file that node_exporter reads."""

from __future__ import annotations

import base64
import os
import re
import ssl
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import system_ca
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._bounded_post import MAY_PASS, Address, Reply
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_catalogue import CATALOGUE
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._public_file import replace_public
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._time_limit import within

if t.TYPE_CHECKING:
    import prometheus_client
    import requests

PRODUCTION = "production"
SUFFIX = ".prom"
PAUSE_S = 0.3
WORDS_LIMIT = 200
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
    if problem := _objection(grouping):
        return f"The metrics were not pushed: {problem}"
    if settings.pushgateway_ca and not os.path.exists(settings.pushgateway_ca):
        shown = one_line(settings.pushgateway_ca, 200)
        return f"The metrics were not pushed: managed_tokens_pushgateway_ca is {shown}, which does not exist."
    gateway = _Gateway(settings, address)
    came = within(settings.send_timeout, lambda: gateway.take(registry, job_of(settings), grouping))
    return _silence(gateway.place, settings) if came is None else came


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


def _objection(grouping: t.Mapping[str, str]) -> str:
    for name, value in grouping.items():
        shown = f"managed_tokens_pushgateway_grouping names {one_line(name, 60)!r}, which is"
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            return f"{shown} no name of a label."
        if name in _TAKEN:
            return f"{shown} a label that the metrics have themselves."
        if value in (".", ".."):
            return f"managed_tokens_pushgateway_grouping.{name} is {value!r}, which cannot be part of a URL."
    return ""


def _silence(place: str, settings: ReportSettings) -> str:
    return f"{place} did not answer within {settings.send_timeout:.3g} s."


@dataclass(slots=True)
class _Gateway:
    """One Pushgateway, asked until `until` (monotonic seconds)."""

    settings: ReportSettings
    address: Address
    until: float = 0.0
    reply: Reply = field(default_factory=Reply)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.settings.send_timeout

    @property
    def place(self) -> str:
        return f"The Pushgateway at {self.address.place}"

    @property
    def login(self) -> str:
        """Give what the Authorization header says; the settings' login goes before the URL's."""
        user, password = self.settings.pushgateway_user, self.settings.pushgateway_password
        if not (user or password):
            return self.address.authorization
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def take(self, registry: prometheus_client.CollectorRegistry, job: str, grouping: dict[str, str]) -> str:
        """Push everything; gives the problem, "" when it was taken."""
        import prometheus_client

        parts = urlsplit(self.settings.pushgateway.strip())
        # Without the login: requests would send it in another encoding, and name it in its errors.
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        prometheus_client.push_to_gateway(url, job, registry, grouping, handler=self._handler)
        return self.reply.problem

    def _handler(
        self, url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> t.Callable[[], None]:
        # The library's own timeout is for one attempt; ours holds for all of them.
        login = {"Authorization": self.login} if self.login else {}
        return lambda: self._attempts(method, url, dict(headers) | login, data)

    def _attempts(self, method: str, url: str, headers: dict[str, str], data: bytes) -> None:
        import requests

        self.reply = Reply(_silence(self.place, self.settings))
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.settings.pushgateway_ca or system_ca() or True
            # Even without following it, a session would read the body of a redirect, whatever its size.
            session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
            for attempt in range(max(0, self.settings.send_retries) + 1):
                if attempt:
                    time.sleep(PAUSE_S * attempt)
                left = self.until - time.monotonic()
                if left <= 0:
                    return
                try:
                    self.reply = self._once(session, method, url, headers, data, left)
                except (OSError, ValueError) as err:
                    self.reply = self._meaning(err)
                if not self.reply.may_pass:
                    return

    def _once(
        self, session: requests.Session, method: str, url: str, headers: dict[str, str], data: bytes, left: float
    ) -> Reply:
        with session.request(
            method, url, data=data, headers=headers, timeout=left, stream=True, allow_redirects=False
        ) as response:
            if 200 <= response.status_code < 300:
                return Reply()
            words = self._words(response)
            return Reply(
                f"{self.place} answered with HTTP {response.status_code}{words}.",
                may_pass=response.status_code in MAY_PASS,
            )

    def _words(self, response: requests.Response) -> str:
        """Give what it said; never when it repeats what we logged in with."""
        words = one_line(next(response.iter_content(4096), b"").decode("utf-8", "replace"), WORDS_LIMIT).rstrip(".")
        login = self.login.rpartition(" ")[2]
        password = base64.b64decode(login).decode("utf-8", "replace").partition(":")[2]
        return f" ({words})" if words and not any(secret and secret in words for secret in (login, password)) else ""

    def _meaning(self, error: OSError | ValueError) -> Reply:
        # Never with the words of requests: they quote the URL, with its password.
        import requests

        cause = _beneath(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = one_line(cause.verify_message, 100).rstrip(".")
            return Reply(f"{self.place} has a certificate that is not verified: {reason}.")
        if isinstance(cause, ssl.SSLError):
            return Reply(f"{self.place} and this machine do not agree on TLS.", may_pass=True)
        if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
            return Reply(_silence(self.place, self.settings), may_pass=True)
        if isinstance(cause, ConnectionError) and not isinstance(cause, ConnectionRefusedError):
            return Reply(f"{self.place} closed the connection without an answer.", may_pass=True)
        if cause is not None:
            reason = one_line(cause.strerror or type(cause).__name__, 100)
            return Reply(f"{self.place} cannot be reached: {reason}.", may_pass=True)
        if isinstance(error, ValueError):
            return Reply("The metrics were not pushed: managed_tokens_pushgateway is no URL that HTTP can carry.")
        return Reply(f"{self.place} answered with something that is no HTTP.", may_pass=True)


def _beneath(error: BaseException) -> OSError | None:
    """Give the error of the socket or of TLS that requests has wrapped."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and type(inner).__module__.partition(".")[0] not in ("requests", "urllib3"):
            return inner
        inner = inner.__cause__ or inner.__context__
    return None
