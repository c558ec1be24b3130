# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Make the TLS set-up for the registry from PEM files: whom we trust, and who we are. Never asks for a passphrase."""

from __future__ import annotations

import os
import ssl
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._system_ca import system_ca

CA_SUFFIXES = (".pem", ".crt")


class _Encrypted(Exception):
    """The key is encrypted, and there is nobody to ask."""


def client_context(ca: str, cert: str, key: str, problems: list[str]) -> ssl.SSLContext:
    """Give a context that trusts the CAs in `ca` (a file or a directory; "" for the system's) and no others, and
    presents the certificate in `cert` ("" for none), whose key is in `key` or in the same file.

    All that is wrong is added to `problems`; the context is of no use then.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _trust(context, ca, problems)
    if cert:
        _present(context, cert, key, problems)
    return context


def _trust(context: ssl.SSLContext, ca: str, problems: list[str]) -> None:
    where = "managed_tokens_ferry_ca"
    if not ca:
        system = system_ca()
        if system is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        elif os.path.isdir(system):
            context.load_verify_locations(capath=system)
        else:
            context.load_verify_locations(cafile=system)
        return
    path = Path(os.path.expanduser(ca))
    files = [path]
    if path.is_dir():
        try:
            files = sorted(file for file in path.iterdir() if file.suffix in CA_SUFFIXES and not file.is_dir())
        except OSError as err:
            problems.append(f"{where}: {path} cannot be read: {err.strerror}.")
            return
        if not files:
            problems.append(f"{where}: {path} holds no *.pem or *.crt files.")
            return
    found = False
    for file in files:
        problem = _unreadable(file, where)
        if problem:
            problems.append(problem)
            return
        try:
            context.load_verify_locations(cafile=file)
            found = True
        except ssl.SSLError:
            # In a directory there may be keys and lists beside the certificates.
            continue
    if not found:
        problems.append(f"{where}: {path} holds no certificate in PEM form.")


def _present(context: ssl.SSLContext, cert: str, key: str, problems: list[str]) -> None:
    cert, key = os.path.expanduser(cert), os.path.expanduser(key)
    wrong = [
        text
        for path, where in ((cert, "managed_tokens_ferry_cert"), (key, "managed_tokens_ferry_key"))
        if path and (text := _unreadable(Path(path), where))
    ]
    if wrong:
        problems.extend(wrong)
        return
    holder = f"managed_tokens_ferry_key: {key}" if key else f"managed_tokens_ferry_cert: {cert}"
    try:
        context.load_cert_chain(cert, key or None, password=_refuse)
    except _Encrypted:
        problems.append(f"{holder} holds an encrypted key; it has to be one without a passphrase.")
    except ssl.SSLError as err:
        if err.reason == "KEY_VALUES_MISMATCH":
            problems.append(f"{holder} holds a key that does not belong to the certificate in {cert}.")
        elif not _holds_certificate(cert):
            problems.append(f"managed_tokens_ferry_cert: {cert} holds no certificate in PEM form.")
        else:
            hint = "" if key else "; name the key's file in managed_tokens_ferry_key"
            problems.append(f"{holder} holds no key in PEM form that can be used{hint}.")
    except OSError as err:
        problems.append(f"{holder} cannot be read: {err.strerror}.")


def _refuse(*_arguments: t.Any) -> t.NoReturn:
    raise _Encrypted


def _unreadable(path: Path, where: str) -> str:
    if not path.exists():
        return f"{where}: {path} does not exist."
    if not path.is_file() or not os.access(path, os.R_OK):
        return f"{where}: {path} is no file that can be read."
    return ""


def _holds_certificate(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (ssl.SSLError, OSError):
        return False
    return True
