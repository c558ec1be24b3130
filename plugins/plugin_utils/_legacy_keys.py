# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say what each key of the Go service's configuration is here. This one table translates, and is compared with
C(docs/coming-from-managed-tokens.md).

A key is read in its own way (`SPECIAL`) where a value has to be looked at together with others; `_legacy_settings` and
`_legacy_experiments` do that. All others are read by their kind.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT, ONE, NAMES, COLLECTORS = "text", "one", "names", "collectors"
PRINCIPAL, ROLE_FILE = "principal", "role_file"
SECONDS, TRUTH, WHOLE = "seconds", "truth", "whole"
SPECIAL, NOTHING = "special", "nothing"
# A text that is never shown: a secret, or an address that may hold a login.
SECRET = "secret"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is documented, what it is here ("" for nothing), how its value is read, and what to know of it."""

    name: str
    ours: str
    kind: str
    note: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.name.lower().split("."))


_V = "managed_tokens_"

TOP_KEYS: tuple[Key, ...] = (
    Key("keytabPath", f"{_V}keytab_path", TEXT),
    Key("condorCollectorHost", f"{_V}collectors", COLLECTORS, "tried in order; may be absent: the local default pool"),
    Key("condorCreddHost", f"{_V}credds", ONE),
    Key("condorScheddConstraint", f"{_V}schedd_constraint", TEXT, "an override counts also for the same collector"),
    Key("vaultServer", f"{_V}vault_server", TEXT),
    Key("serviceCreddVaultTokenPathRoot", f"{_V}token_dir", TEXT, "made when it is missing, with mode 0700"),
    Key("kerberosPrincipalPattern", f"{_V}principal", PRINCIPAL, "`{{.Account}}` becomes `{account}`"),
    Key("dbLocation", f"{_V}database", SPECIAL, "without it `/var/lib/managed-tokens/uid.db`, as there"),
    Key("errorCountToSendMessage", f"{_V}threshold", SPECIAL, "absent or 0: `1`, told at once"),
    Key("defaultRoleFileDestinationTemplate", f"{_V}default_role_file", ROLE_FILE, "fields become placeholders"),
    Key("pingOptions", f"{_V}ping_options", SPECIAL, "all of ping's options"),
    Key("fileCopierOptions", "", SPECIAL, "no rsync; files always get mode 0400"),
    Key("sshOptions", "", SPECIAL, "see [ssh options](#ssh-options)"),
    Key("disableNotifications", f"{_V}notify", SPECIAL, "the other way round"),
    Key("devEnvironmentLabel", f"{_V}environment", SPECIAL, "`MANAGED_TOKENS_DEV_ENVIRONMENT_LABEL` wins, as there"),
    Key("minTokenLifetime", f"{_V}min_token_lifetime", TEXT, "without it 3d, not 10s"),
    Key("htgettokenopts", "", NOTHING, "the registry's bearer token is got with options of our own"),
    Key("timeouts.globalTimeout", f"{_V}timeouts.run", SPECIAL, "without it 900 s, not 300 s"),
    Key("timeouts.kerberosTimeout", f"{_V}timeouts.kerberos", SPECIAL),
    Key("timeouts.vaultStorerTimeout", f"{_V}timeouts.store", SPECIAL, "of each storer run"),
    Key("timeouts.pingTimeout", f"{_V}timeouts.ping", SPECIAL, "of one probe, at most half of the connect timeout"),
    Key("timeouts.pushTimeout", f"{_V}timeouts.push", SPECIAL, "of one attempt, all files of a service and node"),
    Key("timeouts.ferryRequestTimeout", f"{_V}timeouts.ferry", SPECIAL),
    Key("timeouts.dbTimeout", f"{_V}database_timeout", SPECIAL, "of both programs"),
    Key("workerType.pushTokens.numRetries", f"{_V}push_retries", SPECIAL, "without it 2, not 0"),
    Key("workerType.pushTokens.retrySleep", f"{_V}push_retry_delay", SPECIAL, "doubled for each further retry"),
    Key("workerType.getKerberosTickets", "", NOTHING, "has no effect there either"),
    Key("workerType.storeAndGetToken", "", NOTHING, "has no effect there either"),
    Key("workerType.storeAndGetTokenInteractive", "", NOTHING, "has no effect there either"),
    Key("workerType.getToken", "", NOTHING, "has no effect there either"),
    Key("workerType.pingAggregator", "", NOTHING, "has no effect there either"),
    Key("ferry.host", f"{_V}ferry_url", SPECIAL, "`https://` is added when there is no scheme"),
    Key("ferry.port", f"{_V}ferry_url", SPECIAL),
    Key("ferry.hostCert", f"{_V}ferry_cert", TEXT),
    Key("ferry.hostKey", f"{_V}ferry_key", TEXT),
    Key("ferry.caPath", f"{_V}ferry_ca", TEXT),
    Key("ferry.serviceExperiment", f"{_V}ferry_service", SPECIAL, "for `authmethod: jwt`"),
    Key("ferry.serviceRole", f"{_V}ferry_service", SPECIAL, "for `authmethod: jwt`"),
    Key("ferry.serviceKerberosPrincipal", f"{_V}ferry_principal", TEXT, "for `authmethod: jwt`"),
    Key("ferry.serviceKeytabPath", f"{_V}ferry_keytab", TEXT, "for `authmethod: jwt`"),
    Key("ferry.vaultServer", f"{_V}ferry_vault_server", TEXT, "for `authmethod: jwt`"),
    Key("email.from", f"{_V}mail_from", TEXT),
    Key("email.smtpHost", f"{_V}smtp_host", TEXT),
    Key("email.smtpPort", f"{_V}smtp_port", WHOLE),
    Key("logs.token-push.logfile", f"{_V}log_file", TEXT, "JSON lines, of both programs"),
    Key("logs.token-push.debugfile", "", NOTHING, "`ansible-playbook -vvv`"),
    Key("logs.refresh-uids-from-ferry.logfile", "", NOTHING, "the log of token-push holds these runs too"),
    Key("logs.refresh-uids-from-ferry.debugfile", "", NOTHING, "`ansible-playbook -vvv`"),
    Key("logs.run-onboarding-managed-tokens.logfile", "", NOTHING),
    Key("logs.run-onboarding-managed-tokens.debugfile", "", NOTHING),
    Key("prometheus.host", f"{_V}pushgateway", SECRET),
    Key("prometheus.jobname", f"{_V}pushgateway_job", TEXT, "the environment's name is added as there"),
    Key("loki.host", f"{_V}loki", SECRET),
    Key("loki.response_header_timeout", "", NOTHING, "`managed_tokens_send_timeout` bounds all that is sent"),
    Key("tracing.url", f"{_V}otlp_endpoint", SECRET, "OTLP over HTTP; Jaeger is not spoken"),
    Key("notifications.admin_email", f"{_V}admin_emails", NAMES, "without it nobody, no built-in address"),
    Key("notifications.SLACK_ALERTS_URL", f"{_V}slack_webhook", SECRET),
    Key("notifications_test.admin_email", f"{_V}test_admin_emails", NAMES),
    Key("notifications_test.SLACK_ALERTS_URL", f"{_V}test_slack_webhook", SECRET),
    Key("experiments", f"{_V}experiments", SPECIAL, "and groups and hosts of the inventory"),
)

# They can stand in the file as well; given on the command line they are options of ansible-playbook.
FLAG_KEYS: tuple[Key, ...] = (
    Key("configfile", "", NOTHING, "`ansible-playbook -i FILE`"),
    Key("experiment", f"{_V}experiment", SPECIAL, "`-e managed_tokens_experiment=dune`"),
    Key("service", f"{_V}service", SPECIAL, "`-e managed_tokens_service=dune_production`"),
    Key("test", f"{_V}notifications_test", SPECIAL, "`--tags store -e managed_tokens_notifications_test=true`"),
    Key("verbose", f"{_V}store_verbose", TRUTH, "`-e managed_tokens_store_verbose=true`"),
    Key("version", "", NOTHING, "`ansible-galaxy collection list fife.managed_tokens`"),
    Key("list-services", "", NOTHING, "playbook `fife.managed_tokens.services`"),
    Key("admin", "", NOTHING, "does nothing there either"),
    Key("disable-notifications", f"{_V}notify", SPECIAL, "`-e managed_tokens_notify=false`"),
    Key("dont-notify", f"{_V}notify", SPECIAL, "`-e managed_tokens_notify=false`"),
    Key("run-onboarding", "", NOTHING, "playbook `fife.managed_tokens.onboarding`"),
    Key("push-tokens", "", NOTHING, "`-e managed_tokens_push=true` with the playbook `onboarding`"),
    Key("no-loki", f"{_V}loki", SPECIAL, "`-e managed_tokens_loki=`"),
    Key("authmethod", f"{_V}ferry_auth", SPECIAL, "`tls` is `certificate`, `jwt` is `token`"),
    Key("timeout", "", NOTHING, "of onboarding: `login` in `managed_tokens_timeouts`"),
)

EXPERIMENT_KEYS: tuple[Key, ...] = (
    Key("emails", "emails", NAMES),
    Key("experimentOverride", "token_experiment", TEXT),
    Key("roles", "roles", SPECIAL, "an experiment without any is an error"),
)

ROLE_KEYS: tuple[Key, ...] = (
    Key("account", "account", TEXT),
    Key("destinationNodes", "nodes", NAMES, "hosts of the inventory"),
    Key("desiredUIDOverride", "uid", WHOLE),
    Key("userPrincipalOverride", "principal", SPECIAL, "wins over a pattern"),
    Key("kerberosPrincipalPatternOverride", "principal", PRINCIPAL),
    Key("keytabPathOverride", "keytab", TEXT, "the whole path, as there"),
    Key("condorCollectorHostOverride", "collectors", COLLECTORS),
    Key("condorCreddHostOverride", "credds", ONE),
    Key("condorScheddConstraintOverride", "schedd_constraint", TEXT),
    Key("vaultServerOverride", "vault_server", TEXT),
    Key("serviceCreddVaultTokenPathRootOverride", "token_dir", TEXT),
    Key("defaultRoleFileDestinationTemplateOverride", "default_role_file", ROLE_FILE),
    Key("fileCopierOptionsOverride", "", SPECIAL, "as above"),
    Key("pingOptionsOverride", "", SPECIAL, "a node is pinged once, with the options of all"),
    Key("sshOptionsOverride", "ssh_port", SPECIAL, "see [ssh options](#ssh-options)"),
    Key("disableNotificationsOverride", "notify", SPECIAL, "administrators are told all the same"),
    Key("tokenGetterOverride", "token_getter", SPECIAL, "`getToken` is `htgettoken`, `storeAndGetToken` is `condor`"),
)
