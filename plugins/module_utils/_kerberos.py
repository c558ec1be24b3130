# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Take a Kerberos ticket from a keytab into a credential cache of its own, without any process or environment variable.

Source: gss_acquire_cred_from with the client_keytab and ccache entries of the credential store (MIT krb5, "Credential
store extensions").
"""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    KdcUnreachable,
    KerberosRefused,
    KeytabMissing,
    KeytabUnreadable,
    KeytabUnsafe,
    NodeTicketRefused,
    PrincipalUnknown,
    TimedOut,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._time_limit import within as in_time

WRITABLE_BY_OTHERS, OF_OTHERS = 0o022, 0o077
MOST_NAMES = 10

# What libkrb5 says (it is never translated inside Python) -> what it means.
_MEANINGS: tuple[tuple[str, type[TokensError]], ...] = (
    ("not found in Kerberos database", PrincipalUnknown),
    ("Cannot contact any KDC", KdcUnreachable),
    ("Cannot find KDC", KdcUnreachable),
    ("Cannot resolve", KdcUnreachable),
    ("Keytab contains no suitable keys", KeytabUnreadable),
    ("No key table entry", KeytabUnreadable),
    ("No suitable keys", KeytabUnreadable),
    ("Unsupported key table format", KeytabUnreadable),
    ("Bad format in keytab", KeytabUnreadable),
    ("End of key table", KeytabUnreadable),
)
# What libkrb5 says when the keytab holds keys, and none of this principal: it looks for a ticket in the cache then.
_NO_KEY = "No credentials cache found"


def ccache_path(directory: Path, service: str) -> Path:
    """Give the path of a service's credential cache in the run's private directory."""
    return directory / f"krb5cc_{service}"


def check_keytab(keytab: Path) -> None:
    """Raise KeytabMissing, KeytabUnreadable or KeytabUnsafe unless `keytab` is a file that we can read, and that nobody
    but its owner can write."""
    if not keytab.exists():
        raise KeytabMissing(f"The keytab {keytab} does not exist.")
    if not keytab.is_file() or not os.access(keytab, os.R_OK):
        raise KeytabUnreadable(f"The keytab {keytab} cannot be read by UID {os.geteuid()}.")
    mode = stat.S_IMODE(keytab.stat().st_mode)
    if mode & WRITABLE_BY_OTHERS:
        raise KeytabUnsafe(f"The keytab {keytab} can be written by others than its owner (mode {mode:04o}).")


def keytab_remark(keytabs: t.Iterable[str]) -> str:
    """Give one sentence that names the keytabs that others than their owners may read, "" when there are none."""
    exposed = []
    for path in sorted(set(keytabs)):
        with contextlib.suppress(OSError, ValueError):  # what is wrong with it is told where it is needed
            mode = stat.S_IMODE(os.stat(path).st_mode)
            if mode & OF_OTHERS:
                exposed.append(f"{path} ({mode:04o})")
    if not exposed:
        return ""
    more = f" and {len(exposed) - MOST_NAMES} more" if len(exposed) > MOST_NAMES else ""
    return (
        "Others than their owners may read these keytabs, and whoever does can have the services' tokens: "
        f"{', '.join(exposed[:MOST_NAMES])}{more}. Mode 0400 is enough."
    )


def take_ticket(principal: str, keytab: Path, ccache: Path) -> float:
    """Put a ticket for `principal` into `ccache`, unless it holds a valid one, and give its remaining life in seconds.

    Blocks as long as libkrb5 does; see C(within).

    Raises: KeytabMissing, KeytabUnreadable, KeytabUnsafe, PrincipalUnknown, KdcUnreachable, KerberosRefused.
    """
    import gssapi

    check_keytab(keytab)
    try:
        name = gssapi.Name(principal, gssapi.NameType.kerberos_principal)
        credentials = gssapi.Credentials(
            name=name, usage="initiate", store={"client_keytab": f"FILE:{keytab}", "ccache": f"FILE:{ccache}"}
        )
        life = credentials.lifetime
        found = str(credentials.name)
    except gssapi.exceptions.GSSError as err:
        raise meaning_of(f"{err}", principal, keytab) from err
    if found != principal:
        raise KerberosRefused(f"The ticket from {keytab} is for {found}, not for {principal}.")
    if not life or life <= 0:
        raise KerberosRefused(
            f"The ticket for {principal} has no life left; compare the clocks of this machine and the KDC."
        )
    return float(life)


def meaning_of(words: str, principal: str, keytab: Path) -> TokensError:
    """Give the error that libkrb5's `words` mean."""
    reason = _reason(words)
    if _NO_KEY.lower() in words.lower():
        return KeytabUnreadable(f"The keytab {keytab} holds no key for {principal}.")
    for mark, kind in _MEANINGS:
        if mark.lower() in words.lower():
            return kind(f"No ticket for {principal} from {keytab}: {reason}.")
    return KerberosRefused(f"No ticket for {principal} from {keytab}: {reason}.")


def _reason(words: str) -> str:
    # "Major (851968): Unspecified GSS failure. ..., Minor (2529...): what happened": only the end is of use to a
    # person.
    text = one_line(words)
    return (text.rpartition("Minor (")[2].partition("): ")[2] or text).rstrip(".")


def ticket_problem(ccache: str, host: str) -> TokensError | None:
    """Say what keeps the ticket in `ccache` from letting anybody in at the ssh server `host`; None when nothing does.

    Blocks as long as libkrb5 does. For a login that was refused: the ssh library passes over its own side's trouble
    with Kerberos, and says only that no way to log in was left.
    """
    import gssapi

    try:
        name = gssapi.Name(f"host@{host}", gssapi.NameType.hostbased_service)
        credentials = gssapi.Credentials(usage="initiate", store={"ccache": ccache})
        gssapi.SecurityContext(name=name, creds=credentials, usage="initiate").step()
    except gssapi.exceptions.GSSError as err:
        reason = _reason(f"{err}")
        for mark, kind in _MEANINGS:
            if kind is KdcUnreachable and mark.lower() in reason.lower():
                return KdcUnreachable(f"No ticket for the ssh server {host}: {reason}.")
        return NodeTicketRefused(f"No ticket for the ssh server {host}: {reason}.")
    return None


Answer = t.TypeVar("Answer")


def within(seconds: float, what: str, call: t.Callable[[], Answer]) -> Answer:
    """Give what `call` gives, waiting at most `seconds`.

    A library call cannot be ended from outside; one that is late is left to a daemon thread, which ends with the
    process.

    Raises: TimedOut naming `what`, and whatever `call` raises.
    """
    answer = in_time(seconds, lambda: (call(),))
    if answer is not None:
        return answer[0]
    raise TimedOut(f"{what} took longer than {seconds:g} s.")
