# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Find out before anything is touched whether the programs, packages and user are there that the work needs."""

from __future__ import annotations

import importlib.util
import sys
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import Missing, RunningAsRoot
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import find_program
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Service

STORER_NAMES = ("condor_vault_storer", "condor_credential_storer")

_HOW = {
    "asyncssh": "pip install asyncssh",
    "gssapi": "install python3-gssapi from the distribution, or pip install gssapi",
    "requests": "pip install requests",
}


def missing_packages(names: t.Sequence[str]) -> list[str]:
    """Give one sentence for each Python package of `names` that cannot be imported here."""
    return [
        f"The Python package {name} is not installed for {sys.executable} ({_HOW.get(name, f'pip install {name}')})."
        for name in names
        if importlib.util.find_spec(name) is None
    ]


def need_packages(*names: str) -> None:
    """Raise Missing when one of the Python packages cannot be imported."""
    missing = missing_packages(names)
    if missing:
        raise Missing(" ".join(missing))


def missing_programs(services: t.Sequence[Service]) -> list[str]:
    """Give a sentence that names all programs which these services need and which are not installed here, if any."""
    wanted: list[tuple[tuple[str, ...], str]] = []
    if any(service.token_getter == CONDOR for service in services):
        wanted += [(STORER_NAMES, "comes with HTCondor"), (("condor_store_cred",), "comes with HTCondor")]
    if services:
        wanted.append((("htgettoken",), "a package of most grid distributions, or pip install htgettoken"))
    missing = []
    for names, hint in wanted:
        try:
            find_program(*names)
        except Missing:
            missing.append(f"{names[0]} ({hint})")
    return [f"Not installed on the token host, or not in PATH: {', '.join(missing)}."] if missing else []


def refuse_root(services: t.Sequence[Service], uid: int) -> None:
    """Raise RunningAsRoot when these services would be stored on credds by the user `uid`, and that is root.

    Source: HTCondor 23.9, tried: a client run by root uses the host's keytab, whatever KRB5CCNAME says.
    """
    stored = [service.config_name for service in services if service.token_getter == CONDOR]
    if uid == 0 and stored:
        raise RunningAsRoot(
            f"The running user is root, and {stored[0]} is to be stored on credds: HTCondor's client would use the "
            "host's keytab instead of the service's ticket. Run it as an ordinary user."
        )
