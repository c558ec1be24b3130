# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Name every condition an operator can act on.

Each class has a stable C(kind); the table in C(_kinds) holds its sentence, its advice and who has to act. Messages
are one sentence and never hold a token, a key or a ticket.
"""

from __future__ import annotations


class TokensError(Exception):
    """Something a person can act on; `msg` is one sentence that is safe to print."""

    kind = "failed"
    retryable = False

    def __init__(self, msg: str) -> None:
        super().__init__(msg)
        self.msg = msg


class BadInput(TokensError):
    """The configuration contradicts itself or names something that does not exist."""

    kind = "bad_input"

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        if len(problems) == 1:
            super().__init__(problems[0])
        else:
            numbered = "; ".join(f"({number}) {text.rstrip('.')}" for number, text in enumerate(problems, start=1))
            super().__init__(f"The configuration has {len(problems)} problems: {numbered}.")


class Missing(TokensError):
    """A program or a Python package is not installed."""

    kind = "missing"


class RunningAsRoot(TokensError):
    """HTCondor's client would authenticate as the machine, not as the service."""

    kind = "running_as_root"


class StageOrder(TokensError):
    """A stage was started without the stage before it, or in a way that would run it in pieces."""

    kind = "stage_order"


class BadFile(TokensError):
    """A file or directory is absent, unreadable or not ours."""

    kind = "bad_file"


class KeytabMissing(BadFile):
    kind = "keytab_missing"


class KeytabUnreadable(BadFile):
    kind = "keytab_unreadable"


class KeytabUnsafe(BadFile):
    """Others than its owner may have written it."""

    kind = "keytab_unsafe"


class KerberosRefused(TokensError):
    """The KDC answered, and did not give the ticket."""

    kind = "kerberos_refused"


class PrincipalUnknown(KerberosRefused):
    kind = "principal_unknown"


class KdcUnreachable(TokensError):
    kind = "kdc_unreachable"
    retryable = True


class UidUnknown(TokensError):
    """Neither the configuration nor the registry says which UID the account has."""

    kind = "uid_unknown"


class VaultServerUnknown(TokensError):
    """Neither our configuration nor HTCondor's names the vault server."""

    kind = "vault_server_unknown"


class NoCredds(TokensError):
    """The collector knows no schedd that matches."""

    kind = "no_credds"


class CollectorUnavailable(TokensError):
    kind = "collector_unavailable"
    retryable = True


class StorerFailed(TokensError):
    """The storer ended with an error that nothing below describes better."""

    kind = "storer_failed"


class TicketMissing(StorerFailed):
    kind = "ticket_missing"


class VaultUnavailable(StorerFailed):
    kind = "vault_unavailable"
    retryable = True


class VaultDenied(StorerFailed):
    kind = "permission_denied"


class PersonNeeded(StorerFailed):
    """Vault holds no refresh token: somebody has to log in with a browser once."""

    kind = "person_needed"


class LoginNotShown(TokensError):
    """Somebody would have to log in, and nobody would see where."""

    kind = "login_not_shown"


class LoginDenied(StorerFailed):
    """The person, or the issuer of tokens, refused the login."""

    kind = "login_denied"


class LoginTimedOut(StorerFailed):
    """Nobody approved the login in its time."""

    kind = "login_timed_out"


class LoginByStranger(StorerFailed):
    """Somebody logged in who may not store a refresh token for the service."""

    kind = "login_by_stranger"


class CreddUnavailable(StorerFailed):
    kind = "credd_unavailable"
    retryable = True


class TokenInvalid(StorerFailed):
    """The program ended well, and what it left is not a usable vault token."""

    kind = "token_invalid"


class TokenRefused(TokensError):
    """A token is kept, and vault does not accept it any more."""

    kind = "token_refused"


class CredentialNotRemoved(TokensError):
    """The credd did not say that the credential is gone."""

    kind = "credential_not_removed"


class NodeUnreachable(TokensError):
    """No ssh server answered at the node's address."""

    kind = "node_unreachable"


class ConnectionBroken(TokensError):
    """The connection was made and then lost."""

    kind = "connection_broken"
    retryable = True


class SshFailed(TokensError):
    """The ssh server answered, and no session with file transfer came about."""

    kind = "ssh_failed"


class AccountRefused(TokensError):
    """The ssh server answered, and does not let the account in."""

    kind = "account_refused"


class NodeTicketRefused(TokensError):
    """There is no Kerberos ticket for the node's ssh server, so the account was never asked about."""

    kind = "node_ticket_refused"


class HostKeyUnknown(TokensError):
    kind = "host_key_unknown"


class HostKeyChanged(TokensError):
    kind = "host_key_changed"


class DestinationUntrusted(TokensError):
    """Something that is not the account's own plain file stands where the token belongs."""

    kind = "destination_foreign"


class DestinationSymlink(DestinationUntrusted):
    kind = "destination_symlink"


class UidMismatch(DestinationUntrusted):
    """The account has another UID on the node than the one that the file name is made from."""

    kind = "uid_mismatch"


class DestinationUnwritable(TokensError):
    """The node refused to create or replace the file (permission, read-only, no space)."""

    kind = "destination_unwritable"


class TimedOut(TokensError):
    """It ran longer than it may."""

    kind = "timed_out"
    retryable = True


class DeadlineReached(TokensError):
    """The whole run was over its time before this could finish."""

    kind = "deadline"


class InterruptedRun(TokensError):
    """Somebody or something ended the run."""

    kind = "interrupted"


class NotAttempted(TokensError):
    """An earlier stage failed, so this was never tried."""

    kind = "not_attempted"


class ServiceIncomplete(TokensError):
    """The service has left the configuration, and nothing says with which account and keytab it is reached."""

    kind = "service_incomplete"


class StateUnavailable(TokensError):
    """The state database cannot be reached, is locked for too long, or does not take what we write."""

    kind = "state_unavailable"
    retryable = True


class StateUnusable(TokensError):
    """What stands in the database's place is not ours, is damaged, or is newer than this release."""

    kind = "state_unusable"


class ServiceHeld(TokensError):
    """Another run is serving the same service on the same nodes."""

    kind = "service_held"


class RegistryUnavailable(TokensError):
    """The registry gave no proper answer, however often it was asked."""

    kind = "registry_unavailable"
    retryable = True


class RegistryDenied(TokensError):
    """The registry does not let us ask."""

    kind = "registry_denied"


class RegistryAnswer(TokensError):
    """The registry answered, and its answer does not hold what the settings look for."""

    kind = "registry_answer"


class TlsFailed(TokensError):
    """The registry's certificate or ours was not taken, so nothing was asked."""

    kind = "tls_failed"


class AccountUnknown(TokensError):
    """The registry does not know the account, or says why it tells nothing of it."""

    kind = "account_unknown"


class UidInvalid(TokensError):
    """What the registry gives as UID can be none."""

    kind = "uid_invalid"


class UidConflict(TokensError):
    """Two accounts would have the same UID."""

    kind = "uid_conflict"
