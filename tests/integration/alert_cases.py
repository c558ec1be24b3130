# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List for each alert, with the settings' defaults, when it fires and when it is silent.

Time begins at 0, and there is a sample every five minutes, in Prometheus' own notation: `0x60` is 0 for five hours,
`0+300x60` what is renewed all the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

INTERVAL = "5m"
STOPPED = "0x60"
RENEWED = "0+300x60"


@dataclass(frozen=True)
class Case:
    """What an alert does `at` that time with these series (names without prefix): it fires once with these labels, its
    own and severity aside, and that summary; or it is silent when `summary` is ""."""

    alert: str
    series: dict[str, str]
    at: str
    summary: str = ""
    labels: dict[str, str] = field(default_factory=dict)


RUN = '{executable="token-push"}'
WELL, FAILED = "run_success" + RUN, "failed_services_push_count"
DUNE = {"service": "dune_production"}
TICKETS = {**DUNE, "stage": "getKerberosTickets"}
N1 = {"node": "n1"}


def fails(kind: str, stage: str = "getKerberosTickets") -> str:
    return f'failing_since_timestamp_seconds{{service="dune_production", stage="{stage}", kind="{kind}"}}'


def node_fails(kind: str) -> str:
    return f'node_failing_since_timestamp_seconds{{node="n1", kind="{kind}"}}'


def told(success: str, about: str = 'notification_type="email"') -> str:
    who = "admin" if about.startswith("notification") else "service"
    return f'{who}_error_email_last_sent_timestamp{{{about}, success="{success}"}}'


OLD = 'last_success_timestamp_seconds{service="dune_production"}'
EXPIRES = 'token_expiry_timestamp_seconds{service="dune_production"}'
NOVA = 'service="nova_production"'
SLACK = 'notification_type="slack_message"'
FOR_EMAIL = {"notification_type": "email", "success": "false"}
UIDS = "No refresh of the UIDs has gone well for all accounts for 72 h."

RUNS = (
    Case("MetricsAbsent", {}, "15m", "Prometheus has no metrics of managed tokens."),
    Case("MetricsAbsent", {}, "10m"),
    Case("MetricsAbsent", {"metrics_timestamp_seconds": STOPPED}, "4h"),
    Case("MetricsStale", {"metrics_timestamp_seconds": STOPPED}, "125m"),
    Case("MetricsStale", {"metrics_timestamp_seconds": STOPPED}, "130m",
         "Prometheus has got no new metrics of managed tokens for 2h 10m 0s."),
    Case("MetricsStale", {"metrics_timestamp_seconds": RENEWED}, "4h"),
    # Of two installations only the one that is silent.
    Case("MetricsStale", {'metrics_timestamp_seconds{job="a"}': STOPPED, 'metrics_timestamp_seconds{job="b"}': RENEWED},
         "3h", "Prometheus has got no new metrics of managed tokens for 3h 0m 0s.", {"job": "a"}),
    Case("RunsStopped", {"last_run_timestamp_seconds" + RUN: STOPPED}, "125m"),
    Case("RunsStopped", {"last_run_timestamp_seconds" + RUN: STOPPED}, "130m",
         "No run of token_push has ended for 2h 10m 0s.", {"executable": "token-push"}),
    Case("RunsStopped", {"last_run_timestamp_seconds" + RUN: RENEWED}, "4h"),
    Case("RunsStopped", {'last_run_timestamp_seconds{executable="refresh-uids-from-ferry"}': STOPPED}, "4h"),
    Case("RunFails", {WELL: "0x60", FAILED: "0x60"}, "85m"),
    Case("RunFails", {WELL: "0x60", FAILED: "0x60"}, "90m",
         "Runs of token_push fail, and no single service is the cause.", {"executable": "token-push"}),
    Case("RunFails", {WELL: "0x60", FAILED: "2x60"}, "4h"),
    Case("RunFails", {WELL: "0x12 1x60", FAILED: "0x60"}, "2h"),
    Case("RunFails", {WELL.replace("token-push", "offboarding"): "0x60", FAILED: "0x60"}, "4h"),
    Case("RunInterrupted", {"interrupted_runs" + RUN: "0 1x60"}, "0m"),
    Case("RunInterrupted", {"interrupted_runs" + RUN: "0 1x60"}, "5m",
         "1 runs of token-push were interrupted within a day.", {"executable": "token-push"}),
    Case("RunInterrupted", {'interrupted_runs{executable="onboarding"}': "3x60"}, "1h"),
    Case("RunsOverlap", {"overlapping_runs" + RUN: "2x60"}, "1h"),
    Case("RunsOverlap", {"overlapping_runs" + RUN: "3x60"}, "1h",
         "3 runs of token_push began within a day while another one was going on.", {"executable": "token-push"}),
)  # fmt: skip

SERVICES = (
    Case("PersonNeeded", {fails("person_needed"): STOPPED}, "5m"),
    Case("PersonNeeded", {fails("person_needed"): STOPPED}, "10m",
         "Somebody has to log in with a browser for dune_production.", {**TICKETS, "kind": "person_needed"}),
    Case("PersonNeeded", {fails("person_needed"): "0 0 0 stale"}, "1h"),
    Case("PersonNeeded", {fails("vault_unavailable"): STOPPED}, "4h"),
    Case("ServiceFails", {fails("kdc_unreachable"): STOPPED}, "185m"),
    Case("ServiceFails", {fails("kdc_unreachable"): STOPPED}, "190m",
         "dune_production has been failing in getKerberosTickets for 3h 10m 0s: kdc_unreachable.",
         {**TICKETS, "kind": "kdc_unreachable"}),
    # What fails and is well by turns, and what other alerts tell of.
    Case("ServiceFails", {fails("kdc_unreachable"): "0x30 9000x30"}, "4h"),
    Case("ServiceFails", {fails("person_needed"): STOPPED}, "4h"),
    Case("ServiceFails", {fails("node_unreachable", "pushTokens"): STOPPED}, "4h"),
    Case("Old", {OLD: STOPPED}, "185m"),
    Case("Old", {OLD: STOPPED}, "190m",
         "dune_production has a credd or a node without a new token for 3 h.", DUNE),
    Case("Old", {OLD: STOPPED, fails("kdc_unreachable"): STOPPED}, "4h"),
    Case("Old", {OLD: STOPPED, fails("kdc_unreachable").replace("dune", "nova"): STOPPED}, "4h",
         "dune_production has a credd or a node without a new token for 3 h.", DUNE),
    # Without a state database every failure is as new as its run.
    Case("Old", {OLD: STOPPED, fails("kdc_unreachable"): RENEWED}, "4h",
         "dune_production has a credd or a node without a new token for 3 h.", DUNE),
    Case("Old", {OLD: RENEWED}, "4h"),
    Case("VaultTokenExpires", {EXPIRES: "173400x60"}, "15m"),
    Case("VaultTokenExpires", {EXPIRES: "173400x60"}, "20m",
         "A vault token of dune_production has 1d 23h 50m 0s left.", DUNE),
    Case("VaultTokenExpires", {EXPIRES: "173400+300x60"}, "4h"),
    Case("UidsOld", {"metrics_timestamp_seconds": RENEWED}, "85m"),
    Case("UidsOld", {"metrics_timestamp_seconds": RENEWED}, "90m", UIDS),
    Case("UidsOld", {"metrics_timestamp_seconds": RENEWED, "last_ferry_refresh": STOPPED}, "4h"),
    Case("UidsOld", {"metrics_timestamp_seconds": "0+300x900", "last_ferry_refresh": "0x900"}, "4410m"),
    Case("UidsOld", {"metrics_timestamp_seconds": "0+300x900", "last_ferry_refresh": "0x900"}, "4415m", UIDS),
)  # fmt: skip

NODES = (
    Case("NodeUnreachable", {node_fails("node_unreachable"): STOPPED}, "185m"),
    Case("NodeUnreachable", {node_fails("node_unreachable"): STOPPED}, "190m",
         "n1 has not been reached for 3h 10m 0s.", {**N1, "kind": "node_unreachable"}),
    Case("NodeUnreachable", {node_fails("account_refused"): STOPPED}, "4h"),
    *(Case("NodeSuspicious", {node_fails(kind): STOPPED}, "5m", f"Look at n1 at once: {kind}.", {**N1, "kind": kind})
      for kind in ("host_key_changed", "destination_symlink", "destination_foreign")),
    Case("NodeSuspicious", {node_fails("host_key_unknown"): STOPPED}, "4h"),
    Case("PushFails", {node_fails("account_refused"): STOPPED}, "185m"),
    Case("PushFails", {node_fails("account_refused"): STOPPED}, "190m",
         "Tokens have not been put on n1 for 3h 10m 0s: account_refused.", {**N1, "kind": "account_refused"}),
    Case("PushFails", {node_fails("node_unreachable"): STOPPED}, "4h"),
    Case("PushFails", {node_fails("host_key_changed"): STOPPED}, "4h"),
)  # fmt: skip

MESSAGES = (
    Case("NotificationFails", {told("false"): "600x60"}, "20m",
         "Administrators are not told by email, 10m 0s ago for the last time.", FOR_EMAIL),
    Case("NotificationFails", {told("false"): "600x60", told("true"): "500x60"}, "20m",
         "Administrators are not told by email, 10m 0s ago for the last time.", FOR_EMAIL),
    Case("NotificationFails", {told("false"): "600x60", told("true"): "700x60"}, "1h"),
    # That Slack took it helps nobody who waits for mail.
    Case("NotificationFails",
         {told("false"): "600x60", told("false", SLACK): "500x60", told("true", SLACK): "700x60"}, "20m",
         "Administrators are not told by email, 10m 0s ago for the last time.", FOR_EMAIL),
    Case("NotificationFails", {told("false"): "600x600"}, "30h"),
    Case("NotificationFails", {told("false", NOVA): "600x60"}, "20m",
         "The people of nova_production are not told by mail, 10m 0s ago for the last time.",
         {"service": "nova_production", "success": "false"}),
    Case("NotificationFails", {told("false", NOVA): "600x60", told("true", NOVA): "700x60"}, "1h"),
)  # fmt: skip

CASES = (*RUNS, *SERVICES, *NODES, *MESSAGES)
