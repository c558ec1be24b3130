# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Tell from a storer's output what really went wrong.

A missing ticket, a refused request, a vault server that is down and a missing refresh token all print the same line
about needed authentication; only the words around it tell them apart. Source: condor_vault_storer of HTCondor 23.9,
htgettoken 2.2.
"""

from __future__ import annotations

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    CreddUnavailable,
    PersonNeeded,
    StorerFailed,
    TicketMissing,
    TimedOut,
    VaultDenied,
    VaultUnavailable,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import last_words

# In this order: the first that matches is the cause. A storer only comes to store what vault has given it, so that
# whatever vault said before then (of an old token, say) was no obstacle; and its client has vault's words for a credd.
_MARKS: tuple[tuple[type[StorerFailed], tuple[str, ...]], ...] = (
    (
        CreddUnavailable,
        ("Failed to store condor credentials", "Querying condor credentials failed", "Failed to connect to credd"),
    ),
    (VaultDenied, ("permission denied", "access denied", "HTTPError: Forbidden", "access_denied")),
    (
        VaultUnavailable,
        (
            "Connection refused",
            "Failed to connect to",
            "Max retries exceeded",
            "Name or service not known",
            "Temporary failure in name resolution",
            "No route to host",
            "Network is unreachable",
            "timed out",
            "CERTIFICATE_VERIFY_FAILED",
            "certificate verify failed",
            "Service Unavailable",
            "Bad Gateway",
            "Gateway Time",
            "Internal Server Error",
            "HTTPError: Too Many Requests",
        ),
    ),
    (
        TicketMissing,
        (
            "No Kerberos credentials available",
            "Ticket expired",
            "No credentials cache found",
            "Server not found in Kerberos database",
            "Cannot contact any KDC",
            "Clock skew too great",
        ),
    ),
    (
        CreddUnavailable,
        (
            "Can't find address",
            "communicate with credd",
        ),
    ),
    (PersonNeeded, ("Authentication needed for", "Failure getting token from")),
)

_SENTENCES: dict[type[StorerFailed], str] = {
    VaultDenied: "vault refused it (permission denied)",
    VaultUnavailable: "the vault server did not answer properly",
    TicketMissing: "Kerberos gave no ticket to vault",
    CreddUnavailable: "the credd did not take the credential",
    PersonNeeded: "vault holds no refresh token, so a person has to log in once, by ansible-playbook "
    "fife.managed_tokens.onboarding -e managed_tokens_service={service}",
    StorerFailed: "the storer failed",
}


def cause_of(done: Finished, what: str, timeout: float) -> StorerFailed | TimedOut:
    """Give the error behind a storer run that did not end well; `what` names service and credd."""
    if done.timed_out:
        return TimedOut(f"{what}: the storer did not finish within {timeout:g} s and was ended.")
    found: type[StorerFailed] = StorerFailed
    lowered = done.output.lower()
    for kind, marks in _MARKS:
        # The file system says "Permission denied" and vault "permission denied".
        if any(mark in done.output if kind is VaultDenied else mark.lower() in lowered for mark in marks):
            found = kind
            break
    words = last_words(done.output)
    said = f": {words}" if words else f" with exit status {done.status} and without a word"
    sentence = _SENTENCES[found].format(service=what.partition(" ")[0])
    return found(f"{what}: {sentence}{said}")
