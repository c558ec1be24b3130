# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""List every metric: its name, type and labels, what it says, and where it is taken from.

Those that are not called ours have the names, types and labels of the Go service's, so that its dashboards go on.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PUSH, STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _metrics_values as values

GAUGE, HISTOGRAM = "gauge", "histogram"
PREFIX = "managed_tokens_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `take` gives label values and value of each series, or, of a histogram, of each observation.

    Where two series have the same labels, because names became equal when they were cleaned, `merge` says what counts.
    An unlabelled histogram is there without observations too.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    take: values.Take
    merge: t.Callable[[float, float], float] = max


def _gauge(
    name: str, labels: str, says: str, take: values.Take, merge: t.Callable[[float, float], float] = max
) -> Metric:
    return Metric(PREFIX + name, GAUGE, tuple(labels.split()), says, take, merge)


def _histogram(name: str, labels: str, says: str, take: values.Take) -> Metric:
    return Metric(PREFIX + name, HISTOGRAM, tuple(labels.split()), says, take)


CATALOGUE: tuple[Metric, ...] = (
    _gauge("stage_duration_seconds", "executable stage",
           "Seconds that a stage took in the last run that reached it.", values.stage_seconds),
    _gauge("failed_services_push_count", "",
           "Services of which something failed when it was tried last.", values.failed_services),
    _gauge("kinit_duration_seconds", "service",
           "Seconds that the last Kerberos ticket took.", values.by_service(TICKETS, values.seconds_of)),
    _gauge("failed_kinit_count", "service",
           "1 when the last Kerberos ticket was not got.", values.by_service(TICKETS, values.failure_of)),
    _gauge("last_token_store_timestamp", "service credd",
           "When the token was stored on the credd last.", values.by_target(STORE, values.success_of), min),
    _gauge("token_store_duration_seconds", "service credd",
           "Seconds that the last storing on the credd took.", values.by_target(STORE, values.seconds_of)),
    _gauge("failed_vault_token_store_count", "service credd",
           "1 when the last storing on the credd failed.", values.by_target(STORE, values.failure_of)),
    _gauge("last_token_get_timestamp", "service",
           "When the token was got last, of a service without credds.",
           values.by_service(STORE, values.success_of, values.has_no_credd), min),
    _gauge("token_get_duration_seconds", "service",
           "Seconds that getting the token took last, of a service without credds.",
           values.by_service(STORE, values.seconds_of, values.has_no_credd)),
    _gauge("failed_vault_token_get_count", "service",
           "1 when the token was not got last, of a service without credds.",
           values.by_service(STORE, values.failure_of, values.has_no_credd)),
    _histogram("ping_duration_seconds", "node",
               "Seconds that the node's last answer to a ping took.", values.by_node(values.seconds_of)),
    _gauge("failed_ping_count", "node",
           "1 when the node did not answer the last ping.", values.by_node(values.failure_of)),
    _gauge("last_token_push_timestamp", "service node",
           "When the token was put on the node last.", values.by_target(PUSH, values.success_of), min),
    _gauge("token_push_duration_seconds", "service node",
           "Seconds that the last push to the node took.", values.by_target(PUSH, values.seconds_of)),
    _gauge("failed_token_push_count", "service node",
           "1 when the last push to the node failed.", values.by_target(PUSH, values.failure_of)),
    _gauge("admin_error_email_last_sent_timestamp", "notification_type success",
           "When administrators were sent a message last.", values.admin_sent),
    _gauge("admin_error_email_send_duration_seconds", "notification_type",
           "Seconds that the last accepted message to administrators took.", values.admin_seconds),
    _gauge("service_error_email_last_sent_timestamp", "service success",
           "When the experiment was sent a mail about the service last.", values.service_sent),
    _histogram("service_error_email_send_duration_seconds", "",
               "Seconds that the last accepted mail about each service took.", values.service_mail_seconds),
    _gauge("current_setup_error_count", "service",
           "Failures in a row before the push that nobody has been told of.", values.setup_errors),
    _gauge("current_push_error_count", "service node",
           "Failures in a row of the push that nobody has been told of.", values.push_errors),
    _gauge("last_ferry_refresh", "",
           "When a refresh of the UIDs went well for all accounts last.", values.last_refresh),
    _histogram("ferry_request_duration_seconds", "",
               "Seconds that the registry took for each account in the last refresh.", values.registry_seconds),
    _gauge("ferry_request_error_count", "",
           "Accounts that failed in the last refresh.", values.registry_failures),
    _gauge("token_expiry_timestamp_seconds", "service",
           "When the first of the service's stored vault tokens expires (ours).", values.token_expiry, min),
    _gauge("token_remaining_seconds", "service",
           "Seconds until then, as of these metrics; negative afterwards (ours).", values.token_remaining, min),
    _gauge("last_success_timestamp_seconds", "service",
           "The oldest of the last successes on the service's credds and nodes; 0 when one never had a token (ours).",
           values.last_success, min),
    _gauge("failing_since_timestamp_seconds", "service stage kind",
           "Since when something of the service fails in the stage with this kind (ours).", values.failing_since, min),
    _gauge("node_failing_since_timestamp_seconds", "node kind",
           "Since when a push to the node fails with this kind (ours).", values.node_failing_since, min),
    _gauge("run_success", "executable",
           "1 when nothing failed in the last run, 0 otherwise (ours).", values.run_success),
    _gauge("last_run_timestamp_seconds", "executable",
           "When the last run ended, whatever came of it (ours).", values.run_ended),
    _gauge("interrupted_runs", "executable",
           "Runs that were found within the last day to have ended without a word (ours).", values.interrupted_runs),
    _gauge("overlapping_runs", "executable",
           "Runs of the last day that began while another one was going on (ours).", values.overlapping_runs),
    _gauge("pushes_per_second", "",
           "Pairs of service and node that were tried each second of the last push (ours).", values.push_rate),
    _gauge("uid_age_seconds", "account",
           "Seconds since the account's UID was confirmed, or first seen (ours).", values.uid_ages),
    _gauge("metrics_timestamp_seconds", "",
           "When these metrics were made (ours).", values.taken),
    _gauge("build_info", "version",
           "1; the label says the version of the collection (ours).", values.build),
)  # fmt: skip
