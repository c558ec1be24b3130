# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Tell, for every kind of error, what it means, what to do and who has to act.

The one table behind terminal, mail, chat, metrics and the runbook. A kind that is not in it is a bug, and a test says
so.
"""

from __future__ import annotations

from dataclasses import dataclass

OPERATOR = "operator"
EXPERIMENT = "experiment"
NODES = "node administrators"
POOL = "HTCondor team"
VAULT = "Vault team"
KDC = "Kerberos team"
REGISTRY = "FERRY team"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error: a sentence for people who do not know it, what to do next, and who does it."""

    sentence: str
    advice: str
    who: str


KINDS: dict[str, Kind] = {
    "account_refused": Kind(
        "The node's ssh server does not let the account in.",
        "Check that the account exists on the node and that its .k5login (or auth_to_local) names "
        "the service's principal.",
        NODES,
    ),
    "account_unknown": Kind(
        "The registry does not know the account, or tells nothing of it.",
        "Correct the account's name in the configuration, or have it entered in the registry. "
        "The UID that is stored stays.",
        REGISTRY,
    ),
    "bad_file": Kind(
        "A file or directory on the token host is absent, unreadable or not owned by the service.",
        "Correct owner and mode of the path in the message.",
        OPERATOR,
    ),
    "bad_input": Kind(
        "The configuration contradicts itself or names something that does not exist.",
        "Correct the experiment, role and key that the message names; nothing has been touched.",
        OPERATOR,
    ),
    "collector_unavailable": Kind(
        "No HTCondor collector answered the question for schedds.",
        "Run condor_status -schedd against the collector named in the message, or list the credds "
        "in the configuration.",
        POOL,
    ),
    "connection_broken": Kind(
        "The ssh connection to the node was made and then lost.",
        "Look at the node's sshd log; MaxStartups and an overloaded node are the usual causes.",
        NODES,
    ),
    "credd_unavailable": Kind(
        "The credd did not take the credential.",
        "Check that the credd runs and is advertised in the collector; the next run tries again.",
        POOL,
    ),
    "credential_not_removed": Kind(
        "The credd did not remove the credential, or did not answer.",
        "Check that the credd runs and is advertised in the collector, then run the playbook offboarding again. For a "
        "credd that is gone for good, add managed_tokens_give_up=true.",
        POOL,
    ),
    "deadline": Kind(
        "The run's global time was over before this was finished.",
        "Raise managed_tokens_timeouts.run or find what was slow; what is unfinished is tried in the next run.",
        OPERATOR,
    ),
    "destination_foreign": Kind(
        "Somebody else's file, or something that is not a plain file, stands where the token belongs.",
        "Have it removed on the node after finding out who made it; it is never overwritten.",
        NODES,
    ),
    "destination_symlink": Kind(
        "A symbolic link stands where the token belongs.",
        "Have it removed on the node after finding out who made it; it is never followed.",
        NODES,
    ),
    "destination_unwritable": Kind(
        "The node refused to create or replace the file.",
        "Check free space, quota and mount state of the destination's file system on the node.",
        NODES,
    ),
    "failed": Kind(
        "Something failed that has no kind of its own.", "Read the message; report it if it is not clear.", OPERATOR
    ),
    "host_key_changed": Kind(
        "The node presented a host key other than the known one.",
        "Find out why (reinstalled, or somebody in between), then correct the known_hosts entry.",
        OPERATOR,
    ),
    "host_key_unknown": Kind(
        "No known_hosts file has a key for the node.",
        "Add the node's verified host key, or a @cert-authority line, to a known_hosts file.",
        OPERATOR,
    ),
    "interrupted": Kind(
        "The run was ended by a signal before it was finished.",
        "Nothing, if somebody stopped it; the next run does what was left. Otherwise look for a "
        "timeout of cron, systemd or AWX.",
        OPERATOR,
    ),
    "kdc_unreachable": Kind(
        "No KDC of the realm answered.", "Check the network and krb5.conf; the next run tries again.", KDC
    ),
    "kerberos_refused": Kind(
        "The KDC did not give a ticket for the keytab.",
        "Compare the key version in the keytab with the KDC (klist -k, kvno), the clock, and the principal's expiry.",
        KDC,
    ),
    "keytab_missing": Kind(
        "The service's keytab does not exist.", "Install the keytab at the path in the message.", OPERATOR
    ),
    "keytab_unreadable": Kind(
        "The service's keytab cannot be read or holds no key for the principal.",
        "Correct owner, mode or content of the keytab (klist -k shows what it holds).",
        OPERATOR,
    ),
    "keytab_unsafe": Kind(
        "Others than its owner may write the service's keytab, so it need not be the right one any more.",
        "See what it holds (klist -k), and take the right away from them (chmod 0400).",
        OPERATOR,
    ),
    "login_by_stranger": Kind(
        "The person who logged in may not store a refresh token for the service.",
        "Run the onboarding again and log in as somebody who has the role (a private browser window forgets an earlier "
        "login); if it was the right person, have the role's settings in vault and at the token issuer checked.",
        EXPERIMENT,
    ),
    "login_denied": Kind(
        "The login was refused, by the person or by the token issuer.",
        "Run the onboarding again and approve it; if the issuer refused it, the message has its words.",
        EXPERIMENT,
    ),
    "login_not_shown": Kind(
        "A person would have to log in, and nobody would see the address to open.",
        "Run the onboarding in a terminal, set managed_tokens_onboarding_mail or managed_tokens_onboarding_slack, or "
        "say with managed_tokens_onboarding_watched that somebody watches the output.",
        OPERATOR,
    ),
    "login_timed_out": Kind(
        "Nobody approved the login in time.",
        "Run the onboarding again when somebody of the experiment is at a browser, or raise "
        "managed_tokens_timeouts.login.",
        EXPERIMENT,
    ),
    "missing": Kind(
        "A program or Python package is not installed.", "Install what the message names on the token host.", OPERATOR
    ),
    "no_credds": Kind(
        "The collector knows no schedd for this service.",
        "Check the collector and the schedd constraint, or list the credds in the configuration.",
        POOL,
    ),
    "node_ticket_refused": Kind(
        "Kerberos gave no ticket for the node's ssh server.",
        "Check that the node's host principal exists under the name in the message (ansible_host, DNS), and the "
        "clocks.",
        KDC,
    ),
    "node_unreachable": Kind(
        "No ssh server answered at the node's address.",
        "Check that the node is up and that its ssh port can be reached from the token host.",
        NODES,
    ),
    "not_attempted": Kind(
        "An earlier step of this service failed, so this was not tried.",
        "Mend the earlier failure of the same service.",
        OPERATOR,
    ),
    "permission_denied": Kind(
        "Vault refused the service.",
        "Check the service's role and policy in Vault; onboarding again may be needed.",
        VAULT,
    ),
    "person_needed": Kind(
        "Vault holds no refresh token for the service.",
        "Run the onboarding that the message names, and let somebody of the experiment log in with a browser once "
        "(docs/onboarding.md).",
        EXPERIMENT,
    ),
    "ping_unanswered": Kind(
        "The node did not answer ping.", "Nothing, if the push to it went well; otherwise see the push error.", NODES
    ),
    "principal_unknown": Kind(
        "The KDC does not know the service's principal.", "Correct the principal, or have it created.", KDC
    ),
    "registry_answer": Kind(
        "The registry's answer does not hold what the settings look for.",
        "Compare the answer with managed_tokens_ferry_uid, managed_tokens_ferry_error and "
        "managed_tokens_ferry_request; the stored UIDs stay.",
        OPERATOR,
    ),
    "registry_denied": Kind(
        "The registry does not let us ask.",
        "Have the certificate or the token's service authorised at the registry, or check that neither has expired.",
        REGISTRY,
    ),
    "registry_unavailable": Kind(
        "The registry did not answer properly, however often it was asked.",
        "Check the registry and the way to it; the stored UIDs stay, and the next refresh asks again.",
        REGISTRY,
    ),
    "running_as_root": Kind(
        "HTCondor's client run by root shows the credds the machine's own keytab, not the service's ticket.",
        "Run the playbook, or the token host's tasks, as an ordinary user.",
        OPERATOR,
    ),
    "service_held": Kind(
        "Another run that is still going on serves the same service on the same nodes.",
        "Nothing, if that run is alive: it does the work. A dead run's hold ends by itself, at the latest a minute "
        "after its deadline; managed_tokens_take_over=true ends it now.",
        OPERATOR,
    ),
    "service_incomplete": Kind(
        "A service that has left the configuration is to be removed, and nobody says which account and keytab it has.",
        "Give its stanza in managed_tokens_departed, and run the playbook offboarding again (docs/offboarding.md).",
        OPERATOR,
    ),
    "ssh_failed": Kind(
        "The node's ssh server answered, and no file transfer session came about.",
        "Check the node's sshd: key exchange algorithms, and the sftp subsystem.",
        NODES,
    ),
    "stage_order": Kind(
        "A stage was started without the stage before it, or in pieces.",
        "Start the whole play, without --start-at-task, --skip-tags and serial; one stage alone is run with --tags.",
        OPERATOR,
    ),
    "state_unavailable": Kind(
        "The state database could not be reached, was locked for too long, or did not take what was written.",
        "Check the database named in the message: is it up, its disk not full, its file writable by the running user? "
        "Tokens do not wait for it.",
        OPERATOR,
    ),
    "state_unusable": Kind(
        "What stands in the state database's place is not one of ours, is damaged, or is newer than this release.",
        "Correct managed_tokens_database, or restore or move away what is there; it is never overwritten.",
        OPERATOR,
    ),
    "storer_failed": Kind(
        "The program that obtains and stores the token failed.",
        "Read its last words in the message; run it by hand as the service account with -v.",
        OPERATOR,
    ),
    "ticket_missing": Kind(
        "The storer found no usable Kerberos ticket.",
        "Check the KDC and the clock; report it if the tickets stage was well.",
        KDC,
    ),
    "timed_out": Kind(
        "It took longer than it may.", "Find what was slow, or raise the timeout that the message names.", OPERATOR
    ),
    "tls_failed": Kind(
        "The registry's certificate was not verified, or it did not take ours.",
        "Check managed_tokens_ferry_ca, the host name in managed_tokens_ferry_url, and the life of both certificates.",
        OPERATOR,
    ),
    "token_invalid": Kind(
        "What the storer left is not a usable vault token.",
        "Run the storer by hand as the service account with -v; the token of the last good run is kept.",
        VAULT,
    ),
    "token_refused": Kind(
        "Vault does not accept the token that is kept for the service.",
        "Run the store stage too (leave --tags push out): it obtains a new token.",
        OPERATOR,
    ),
    "uid_conflict": Kind(
        "Two accounts would have the same UID.",
        "Find out which of the two is right, in the registry or in uid at the role; until then what is stored stays, "
        "and services of both are not served.",
        OPERATOR,
    ),
    "uid_invalid": Kind(
        "What the registry gives as UID can be none.",
        "Have the account's entry in the registry corrected; the stored UID stays.",
        REGISTRY,
    ),
    "uid_unknown": Kind(
        "Nobody says which UID the account has.",
        "Refresh the UIDs from the registry, or set uid at the role.",
        OPERATOR,
    ),
    "uid_mismatch": Kind(
        "The account has another UID on the node than in the configuration or registry.",
        "Correct the UID: the token's file name is made from it, and programs on the node would not find the token.",
        OPERATOR,
    ),
    "vault_server_unknown": Kind(
        "Nobody names a vault server that can be used.",
        "Set managed_tokens_vault_server, or SEC_CREDENTIAL_GETTOKEN_OPTS in the HTCondor configuration.",
        OPERATOR,
    ),
    "vault_unavailable": Kind(
        "The vault server did not answer properly.",
        "Check the vault server; tokens already in place stay valid, and the next run tries again.",
        VAULT,
    ),
}


def explain(kind: str) -> Kind:
    """Give the table's entry of `kind`; an unknown kind gets the entry of `failed`."""
    return KINDS.get(kind, KINDS["failed"])
