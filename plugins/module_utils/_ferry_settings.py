# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read the settings that say where the registry is, how it is asked, and what its answers mean."""

from __future__ import annotations

import ssl
import typing as t
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_answer import (
    DEFAULT_ACTIVE,
    DEFAULT_ERROR,
    DEFAULT_UID,
    Expressions,
    read_expression,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_tls import client_context
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_host
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import fill

CERTIFICATE = "certificate"
TOKEN = "token"
HTTPS_PORT = 443
DEFAULT_REQUEST = "/getUserInfo?username={account}"

FERRY_SPEC: dict[str, t.Any] = {
    "ferry_url": {"type": "str", "required": True},
    "ferry_request": {"type": "str", "default": DEFAULT_REQUEST},
    "ferry_auth": {"type": "str", "choices": [CERTIFICATE, TOKEN], "default": CERTIFICATE},
    "ferry_cert": {"type": "path"},
    "ferry_key": {"type": "path", "no_log": False},
    "ferry_ca": {"type": "path"},
    "ferry_service": {"type": "str"},
    "ferry_principal": {"type": "str"},
    "ferry_keytab": {"type": "path", "no_log": False},
    "ferry_vault_server": {"type": "str"},
    "ferry_uid": {"type": "str", "default": DEFAULT_UID},
    "ferry_error": {"type": "str", "default": DEFAULT_ERROR},
    "ferry_active": {"type": "str", "default": DEFAULT_ACTIVE},
    "ferry_concurrency": {"type": "int", "default": 16},
    "ferry_retries": {"type": "int", "default": 3},
}


@dataclass(frozen=True, slots=True)
class Ferry:
    """How to ask the registry: `request` is a path with `{account}`, `context` who we are and whom we trust."""

    host: str
    port: int
    request: str
    context: ssl.SSLContext
    expressions: Expressions
    concurrency: int
    retries: int

    def path(self, account: str) -> str:
        """Give the path to ask for `account`."""
        return _fill_request(self.request, account)


def read_settings(params: t.Mapping[str, t.Any], problems: list[str]) -> Ferry | None:
    """Give the settings, or None with everything that is wrong in `problems`. Reads the PEM files, asks nobody."""
    found: list[str] = []
    host, port, prefix = _place(params["ferry_url"].strip(), found)
    request = prefix + params["ferry_request"].strip()
    _check_request(params["ferry_request"].strip(), found)
    cert = (params.get("ferry_cert") or "") if params["ferry_auth"] == CERTIFICATE else ""
    if params["ferry_auth"] == CERTIFICATE and not cert:
        found.append(
            "managed_tokens_ferry_cert is not set; it has to name the PEM file of the client certificate "
            "(or set managed_tokens_ferry_auth: token)."
        )
    context = client_context(params.get("ferry_ca") or "", cert, params.get("ferry_key") or "", found)
    expressions = [
        read_expression(params[f"ferry_{name}"], f"managed_tokens_ferry_{name}", found)
        for name in ("uid", "error", "active")
    ]
    for name, least in (("concurrency", 1), ("retries", 0)):
        if params[f"ferry_{name}"] < least:
            found.append(f"managed_tokens_ferry_{name} is {params[f'ferry_{name}']}; it has to be at least {least}.")
    problems.extend(found)
    if found:
        return None
    return Ferry(
        host=host,
        port=port,
        request=request,
        context=context,
        expressions=Expressions(*(item for item in expressions if item is not None)),
        concurrency=params["ferry_concurrency"],
        retries=params["ferry_retries"],
    )


def _place(url: str, problems: list[str]) -> tuple[str, int, str]:
    """Give host, port and what stands before every request."""
    setting = "managed_tokens_ferry_url"
    if "://" not in url:
        # Not quoted when it may hold a password.
        said = f" is {url!r}" if url and "@" not in url else ""
        host = url.strip("/") if said else "ferry.example.org:8445"
        problems.append(
            f"{setting}{said}, which has no scheme; write https://{host}."
            if said
            else f"{setting} has to be a URL; write https://{host}."
        )
        return "", 0, ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
    except ValueError:
        problems.append(f"{setting} is no URL that can be read; write https://host:port.")
        return "", 0, ""
    if parts.scheme != "https":
        problems.append(f"{setting} has the scheme {parts.scheme[:20]!r}; the registry is asked by https only.")
    if parts.username is not None or parts.password is not None:
        problems.append(f"{setting} holds a user name or password; set a certificate or a token instead.")
    if not is_host(host):
        problems.append(f"{setting} names no usable host; write https://host:port.")
    if parts.query or parts.fragment:
        problems.append(f"{setting} has a query or fragment; that belongs in managed_tokens_ferry_request.")
    return host, port, quote(parts.path.rstrip("/"), safe="/%")


def _check_request(template: str, problems: list[str]) -> None:
    setting = "managed_tokens_ferry_request"
    if not template.startswith("/"):
        problems.append(f"{setting} is {template!r}; it has to begin with a slash.")
    if not template.isascii() or not template.isprintable() or any(sign in template for sign in " #"):
        problems.append(f"{setting} is {template!r}; spaces, # and what is not ASCII have to be encoded.")
    try:
        if _fill_request(template, "a") == _fill_request(template, "b"):
            problems.append(f"{setting} is {template!r}, which does not name the account; it has to hold {{account}}.")
    except BadInput as err:
        problems.extend(err.problems)


def _fill_request(template: str, account: str) -> str:
    return fill(template, {"account": quote(account, safe="")}, "managed_tokens_ferry_request")
