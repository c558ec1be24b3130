# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""List the names of all settings, so that a misspelt one is noticed instead of not counting."""

from __future__ import annotations

import difflib
import re

PREFIX = "managed_tokens_"
# What may be a slip in writing the prefix, and the rest; how much like the prefix it has to be.
_LIKE_THE_PREFIX = re.compile(r"(m[a-z]{3,9}_?tokens?_)(\w+)", re.IGNORECASE)
_LIKENESS = 0.85

# Settings of the stages; they are options of the roles.
STAGE_SETTINGS = frozenset(
    {
        "managed_tokens_collectors",
        "managed_tokens_credds",
        "managed_tokens_database",
        "managed_tokens_database_password",
        "managed_tokens_database_timeout",
        "managed_tokens_default_role_file",
        "managed_tokens_departed",
        "managed_tokens_environment",
        "managed_tokens_experiment",
        "managed_tokens_experiments",
        "managed_tokens_ferry_active",
        "managed_tokens_ferry_auth",
        "managed_tokens_ferry_ca",
        "managed_tokens_ferry_cert",
        "managed_tokens_ferry_concurrency",
        "managed_tokens_ferry_error",
        "managed_tokens_ferry_key",
        "managed_tokens_ferry_keytab",
        "managed_tokens_ferry_principal",
        "managed_tokens_ferry_request",
        "managed_tokens_ferry_retries",
        "managed_tokens_ferry_service",
        "managed_tokens_ferry_uid",
        "managed_tokens_ferry_url",
        "managed_tokens_ferry_vault_server",
        "managed_tokens_forget_after",
        "managed_tokens_give_up",
        "managed_tokens_group",
        "managed_tokens_htgettoken_options",
        "managed_tokens_kex_algorithms",
        "managed_tokens_keytab_path",
        "managed_tokens_kinit_concurrency",
        "managed_tokens_known_hosts",
        "managed_tokens_min_token_lifetime",
        "managed_tokens_node",
        "managed_tokens_node_results",
        "managed_tokens_notify",
        "managed_tokens_onboarding_force",
        "managed_tokens_onboarding_mail",
        "managed_tokens_onboarding_slack",
        "managed_tokens_onboarding_slack_webhook",
        "managed_tokens_onboarding_watched",
        "managed_tokens_ping_concurrency",
        "managed_tokens_ping_options",
        "managed_tokens_ping_probe",
        "managed_tokens_principal",
        "managed_tokens_push",
        "managed_tokens_push_ahead",
        "managed_tokens_push_concurrency",
        "managed_tokens_push_per_node",
        "managed_tokens_push_retries",
        "managed_tokens_push_retry_delay",
        "managed_tokens_report",
        "managed_tokens_schedd_constraint",
        "managed_tokens_service",
        "managed_tokens_status_fail",
        "managed_tokens_status_max_age",
        "managed_tokens_status_page",
        "managed_tokens_store_concurrency",
        "managed_tokens_store_reuse",
        "managed_tokens_store_verbose",
        "managed_tokens_take_over",
        "managed_tokens_template_dir",
        "managed_tokens_timeouts",
        "managed_tokens_token_dir",
        "managed_tokens_token_getter",
        "managed_tokens_token_host",
        "managed_tokens_uid_max_age",
        "managed_tokens_vault_ca",
        "managed_tokens_vault_server",
    }
)

# Settings of the report; they are options of the callback.
REPORT_SETTINGS = frozenset(
    {
        "managed_tokens_admin_emails",
        "managed_tokens_last_run_file",
        "managed_tokens_log_file",
        "managed_tokens_loki",
        "managed_tokens_mail_from",
        "managed_tokens_notifications_test",
        "managed_tokens_otlp_endpoint",
        "managed_tokens_ping_url",
        "managed_tokens_profile",
        "managed_tokens_pushgateway",
        "managed_tokens_pushgateway_ca",
        "managed_tokens_pushgateway_grouping",
        "managed_tokens_pushgateway_job",
        "managed_tokens_pushgateway_password",
        "managed_tokens_pushgateway_user",
        "managed_tokens_send_retries",
        "managed_tokens_send_timeout",
        "managed_tokens_slack_webhook",
        "managed_tokens_smtp_ca",
        "managed_tokens_smtp_host",
        "managed_tokens_smtp_password",
        "managed_tokens_smtp_port",
        "managed_tokens_smtp_security",
        "managed_tokens_smtp_user",
        "managed_tokens_summary",
        "managed_tokens_test_admin_emails",
        "managed_tokens_test_slack_webhook",
        "managed_tokens_textfile",
        "managed_tokens_threshold",
    }
)

# Settings of the role that schedules the runs; the runs themselves have no use for them.
CONTROLLER_SETTINGS = frozenset(
    {
        "managed_tokens_controller_ansible_playbook",
        "managed_tokens_controller_create_user",
        "managed_tokens_controller_delay",
        "managed_tokens_controller_directories",
        "managed_tokens_controller_directory",
        "managed_tokens_controller_environment",
        "managed_tokens_controller_inventory",
        "managed_tokens_controller_log_weeks",
        "managed_tokens_controller_mailto",
        "managed_tokens_controller_on_failure",
        "managed_tokens_controller_options",
        "managed_tokens_controller_push_minutes",
        "managed_tokens_controller_refresh_time",
        "managed_tokens_controller_schedule",
        "managed_tokens_controller_secrets",
        "managed_tokens_controller_state",
        "managed_tokens_controller_status_minutes",
        "managed_tokens_controller_user",
    }
)

# Settings of the alerts; they are options of the role monitoring, which reads no others.
MONITORING_SETTINGS = frozenset(
    {
        "managed_tokens_monitoring_alerts",
        "managed_tokens_monitoring_dashboards_dir",
        "managed_tokens_monitoring_interrupted_runs",
        "managed_tokens_monitoring_interval_hours",
        "managed_tokens_monitoring_labels",
        "managed_tokens_monitoring_margin_hours",
        "managed_tokens_monitoring_old_hours",
        "managed_tokens_monitoring_overlapping_runs",
        "managed_tokens_monitoring_promtool",
        "managed_tokens_monitoring_reload",
        "managed_tokens_monitoring_reload_command",
        "managed_tokens_monitoring_reload_unit",
        "managed_tokens_monitoring_reload_url",
        "managed_tokens_monitoring_rules_dir",
        "managed_tokens_monitoring_rules_file",
        "managed_tokens_monitoring_runbook_url",
        "managed_tokens_monitoring_runs",
        "managed_tokens_monitoring_state",
        "managed_tokens_monitoring_stopped_hours",
        "managed_tokens_monitoring_uids_hours",
    }
)

KNOWN_SETTINGS = STAGE_SETTINGS | REPORT_SETTINGS | CONTROLLER_SETTINGS | MONITORING_SETTINGS


def bare_name(name: str) -> str | None:
    """Give a setting's name without its prefix, also where that is misspelt; None for a name that is none of ours."""
    if name.startswith(PREFIX):
        return name.removeprefix(PREFIX)
    found = _LIKE_THE_PREFIX.fullmatch(name)
    if found is None or difflib.SequenceMatcher(None, found[1].lower(), PREFIX).ratio() < _LIKENESS:
        return None
    return found[2]
