# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report
type: notification
short_description: Tell people, Slack, Prometheus and files how a run went
version_added: 0.1.0
description:
  - At the end of a play that ran stages of this collection it tells the experiments' people and the administrators of
    what has failed often enough, and of what is well again; exports metrics, traces and a log; and shows a summary.
  - It reads nothing but the C(outcomes) that the stages return. Whatever goes wrong in it is a warning, and never
    changes the result of the run.
  - In check mode nothing is sent or written; the summary says what would be.
author:
  - fife.managed_tokens contributors (@fife)
requirements:
  - "enabled in the configuration: C(callbacks_enabled = fife.managed_tokens.report)"
  - requests, SQLAlchemy, prometheus-client (Python)
options:
  notify:
    description: Whether anybody is told of failures, in this run or at all. What fails is counted all the same.
    type: bool
    default: true
    env: [{name: MANAGED_TOKENS_NOTIFY}]
    ini: [{section: managed_tokens, key: notify}]
    vars: [{name: managed_tokens_notify}]
  threshold:
    description: How many runs in a row have to fail before people are told, and between reminders; V(1) tells at once.
    type: int
    default: 3
    env: [{name: MANAGED_TOKENS_THRESHOLD}]
    ini: [{section: managed_tokens, key: threshold}]
    vars: [{name: managed_tokens_threshold}]
  admin_emails:
    description: The administrators' e-mail addresses.
    type: list
    elements: str
    default: []
    env: [{name: MANAGED_TOKENS_ADMIN_EMAILS}]
    ini: [{section: managed_tokens, key: admin_emails}]
    vars: [{name: managed_tokens_admin_emails}]
  slack_webhook:
    description: Slack webhook of the administrators. A secret.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_SLACK_WEBHOOK}]
    ini: [{section: managed_tokens, key: slack_webhook}]
    vars: [{name: managed_tokens_slack_webhook}]
  test:
    description: Send what is for the administrators to O(test_admin_emails) and O(test_slack_webhook) instead, and a
      test message over each of these (or, when neither is set, to the administrators) that has nothing else to tell.
    type: bool
    default: false
    env: [{name: MANAGED_TOKENS_TEST}]
    ini: [{section: managed_tokens, key: test}]
    vars: [{name: managed_tokens_notifications_test}]
  test_admin_emails:
    description: See O(test).
    type: list
    elements: str
    default: []
    env: [{name: MANAGED_TOKENS_TEST_ADMIN_EMAILS}]
    ini: [{section: managed_tokens, key: test_admin_emails}]
    vars: [{name: managed_tokens_test_admin_emails}]
  test_slack_webhook:
    description: See O(test). A secret.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_TEST_SLACK_WEBHOOK}]
    ini: [{section: managed_tokens, key: test_slack_webhook}]
    vars: [{name: managed_tokens_test_slack_webhook}]
  template_dir:
    description:
      - Directory with templates that win over the built-in ones of the same name (C(admin.txt.j2),
        C(admin.html.j2), C(experiment.txt.j2) and C(experiment.html.j2) for mails, C(status.html.j2) for
        O(status_page)).
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_TEMPLATE_DIR}]
    ini: [{section: managed_tokens, key: template_dir}]
    vars: [{name: managed_tokens_template_dir}]
  environment:
    description: What kind of installation this is; mails and the metrics' job name others than V(production).
    type: str
    default: production
    env: [{name: MANAGED_TOKENS_ENVIRONMENT}]
    ini: [{section: managed_tokens, key: environment}]
    vars: [{name: managed_tokens_environment}]
  smtp_host:
    description: Mail server. Without it no mail is sent.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_SMTP_HOST}]
    ini: [{section: managed_tokens, key: smtp_host}]
    vars: [{name: managed_tokens_smtp_host}]
  smtp_port:
    description: Port of the mail server.
    type: int
    default: 25
    env: [{name: MANAGED_TOKENS_SMTP_PORT}]
    ini: [{section: managed_tokens, key: smtp_port}]
    vars: [{name: managed_tokens_smtp_port}]
  smtp_security:
    description: V(tls) from the beginning, V(starttls) or nothing, V(auto) for STARTTLS where it is offered, V(none).
    type: str
    choices: [none, starttls, tls, auto]
    default: auto
    env: [{name: MANAGED_TOKENS_SMTP_SECURITY}]
    ini: [{section: managed_tokens, key: smtp_security}]
    vars: [{name: managed_tokens_smtp_security}]
  smtp_ca:
    description: File or directory of CA certificates to verify the mail server with. The system's own by default.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_SMTP_CA}]
    ini: [{section: managed_tokens, key: smtp_ca}]
    vars: [{name: managed_tokens_smtp_ca}]
  smtp_user:
    description: User to log in to the mail server as.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_SMTP_USER}]
    ini: [{section: managed_tokens, key: smtp_user}]
    vars: [{name: managed_tokens_smtp_user}]
  smtp_password:
    description: Password of O(smtp_user). A secret.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_SMTP_PASSWORD}]
    ini: [{section: managed_tokens, key: smtp_password}]
    vars: [{name: managed_tokens_smtp_password}]
  mail_from:
    description: Sender of the mails; C(managed-tokens@<this host>) by default.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_MAIL_FROM}]
    ini: [{section: managed_tokens, key: mail_from}]
    vars: [{name: managed_tokens_mail_from}]
  send_timeout:
    description: How long the report may take to send everything, in seconds.
    type: float
    default: 10.0
    env: [{name: MANAGED_TOKENS_SEND_TIMEOUT}]
    ini: [{section: managed_tokens, key: send_timeout}]
    vars: [{name: managed_tokens_send_timeout}]
  send_retries:
    description: How often sending is tried again after what can pass.
    type: int
    default: 1
    env: [{name: MANAGED_TOKENS_SEND_RETRIES}]
    ini: [{section: managed_tokens, key: send_retries}]
    vars: [{name: managed_tokens_send_retries}]
  pushgateway:
    description: URL of a Prometheus Pushgateway.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_PUSHGATEWAY}]
    ini: [{section: managed_tokens, key: pushgateway}]
    vars: [{name: managed_tokens_pushgateway}]
  pushgateway_job:
    description: Job under which the metrics are pushed.
    type: str
    default: managed_tokens
    env: [{name: MANAGED_TOKENS_PUSHGATEWAY_JOB}]
    ini: [{section: managed_tokens, key: pushgateway_job}]
    vars: [{name: managed_tokens_pushgateway_job}]
  pushgateway_grouping:
    description: More labels of the group under which the metrics are pushed.
    type: dict
    default: {}
    env: [{name: MANAGED_TOKENS_PUSHGATEWAY_GROUPING}]
    ini: [{section: managed_tokens, key: pushgateway_grouping}]
    vars: [{name: managed_tokens_pushgateway_grouping}]
  pushgateway_user:
    description: User to log in to the Pushgateway as.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_PUSHGATEWAY_USER}]
    ini: [{section: managed_tokens, key: pushgateway_user}]
    vars: [{name: managed_tokens_pushgateway_user}]
  pushgateway_password:
    description: Password of O(pushgateway_user). A secret.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_PUSHGATEWAY_PASSWORD}]
    ini: [{section: managed_tokens, key: pushgateway_password}]
    vars: [{name: managed_tokens_pushgateway_password}]
  pushgateway_ca:
    description: File or directory of CA certificates to verify the Pushgateway with. The system's own by default.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_PUSHGATEWAY_CA}]
    ini: [{section: managed_tokens, key: pushgateway_ca}]
    vars: [{name: managed_tokens_pushgateway_ca}]
  textfile:
    description: File for node_exporter's textfile collector; its name has to end in C(.prom).
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_TEXTFILE}]
    ini: [{section: managed_tokens, key: textfile}]
    vars: [{name: managed_tokens_textfile}]
  otlp_endpoint:
    description:
      - URL of an OTLP/HTTP receiver of traces. Needs the Python packages opentelemetry-sdk and opentelemetry-
        exporter-otlp-proto-http.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_OTLP_ENDPOINT}]
    ini: [{section: managed_tokens, key: otlp_endpoint}]
    vars: [{name: managed_tokens_otlp_endpoint}]
  log_file:
    description: File to which each run adds JSON lines.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_LOG_FILE}]
    ini: [{section: managed_tokens, key: log_file}]
    vars: [{name: managed_tokens_log_file}]
  loki:
    description: URL of a Loki server that gets the same lines.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_LOKI}]
    ini: [{section: managed_tokens, key: loki}]
    vars: [{name: managed_tokens_loki}]
  last_run_file:
    description: File for other programs that says how the last run went, see C(docs/last_run.schema.json).
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_LAST_RUN_FILE}]
    ini: [{section: managed_tokens, key: last_run_file}]
    vars: [{name: managed_tokens_last_run_file}]
  status_page:
    description: HTML file for browsers that says whether everything is well, written by each run (C(docs/status.md)).
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_STATUS_PAGE}]
    ini: [{section: managed_tokens, key: status_page}]
    vars: [{name: managed_tokens_status_page}]
  status_max_age:
    description: How long ago the last success may be for a green O(status_page); longer than the time between two runs.
    type: str
    default: 3h
    env: [{name: MANAGED_TOKENS_STATUS_MAX_AGE}]
    ini: [{section: managed_tokens, key: status_max_age}]
    vars: [{name: managed_tokens_status_max_age}]
  uid_max_age:
    description: A UID that nobody has confirmed for longer is a warning on O(status_page), as it is in the role.
    type: str
    default: 7d
    env: [{name: MANAGED_TOKENS_UID_MAX_AGE}]
    ini: [{section: managed_tokens, key: uid_max_age}]
    vars: [{name: managed_tokens_uid_max_age}]
  min_token_lifetime:
    description: A token that lives shorter when it is stored is a warning on O(status_page); what the role asks for.
    type: str
    default: 3d
    env: [{name: MANAGED_TOKENS_MIN_TOKEN_LIFETIME}]
    ini: [{section: managed_tokens, key: min_token_lifetime}]
    vars: [{name: managed_tokens_min_token_lifetime}]
  ping_url:
    description: URL of a dead man's switch (healthchecks.io and the like), told of start and end. A secret.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_PING_URL}]
    ini: [{section: managed_tokens, key: ping_url}]
    vars: [{name: managed_tokens_ping_url}]
  summary:
    description:
      - What is shown at the end, V(table), V(quiet) for nothing when all is well and at most 20 lines when not,
        V(off).
    type: str
    choices: [table, quiet, 'off']
    default: table
    env: [{name: MANAGED_TOKENS_SUMMARY}]
    ini: [{section: managed_tokens, key: summary}]
    vars: [{name: managed_tokens_summary}]
  profile:
    description: Show at the end where the run's time went, task by task. Shown by the callback only.
    type: bool
    default: false
    env: [{name: MANAGED_TOKENS_PROFILE}]
    ini: [{section: managed_tokens, key: profile}]
    vars: [{name: managed_tokens_profile}]
  database:
    description:
      - The state database, as in the role. It has to be reachable from the machine that runs ansible-playbook.
    type: str
    default: /var/lib/managed-tokens/managed-tokens.db
    env: [{name: MANAGED_TOKENS_DATABASE}]
    ini: [{section: managed_tokens, key: database}]
    vars: [{name: managed_tokens_database}]
  database_password:
    description: Password for PostgreSQL. A secret.
    type: str
    default: ''
    env: [{name: MANAGED_TOKENS_DATABASE_PASSWORD}]
    ini: [{section: managed_tokens, key: database_password}]
    vars: [{name: managed_tokens_database_password}]
  database_timeout:
    description: How long to wait for the database, in seconds.
    type: float
    default: 10.0
    env: [{name: MANAGED_TOKENS_DATABASE_TIMEOUT}]
    ini: [{section: managed_tokens, key: database_timeout}]
    vars: [{name: managed_tokens_database_timeout}]
"""

import os
import typing as t

from ansible.plugins.callback import CallbackBase

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._play_listener import PlayListener
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._play_settings import settings_of_play
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report import begin_report, report
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_active import ACTIVE
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_guard import guarded
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_options import Given, settings_of
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._run_profile import (
    Spent,
    TaskClock,
    lines,
    process_began,
)


class CallbackModule(CallbackBase):
    """Listen to the stages, and report at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "fife.managed_tokens.report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **keywords: t.Any) -> None:
        super().__init__(*arguments, **keywords)
        self._listener = PlayListener()
        self._clock = TaskClock()
        self._given = Given(ReportSettings())
        # Ansible's workers inherit it: so the first stage knows that somebody listens.
        os.environ[ACTIVE] = "1"

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Read the settings of configuration and environment; Ansible would leave out a callback that has a bad one."""
        self._guarded(lambda: self._take(settings_of({})))

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Read the settings as this play's variables give them."""
        self._guarded(lambda: self._take(settings_of_play(play)))

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Note which stage begins, and when."""
        self._clock.begin(task.get_name())
        if self._listener.task_begins(task):
            self._guarded(lambda: begin_report(self._given.settings, self._listener.collected))

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Take what a stage returned."""
        self._listener.result(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Take what a failed stage or node returned."""
        if not ignore_errors:
            self._listener.result(result, is_failed=True)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Count the node."""
        self._listener.result(result, is_unreachable=True)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Report, if any stage of ours ran."""
        collected = self._listener.finish(stats)
        if collected is None:
            return
        self._guarded(lambda: self._profile(collected))
        if not self._listener.is_told_by_task:
            self._guarded(lambda: report(collected, self._given.settings, self._show, self._given.problems))

    def _profile(self, collected: Collected) -> None:
        if not self._given.settings.profile:
            return
        times = {"began": process_began(), "ended": collected.ended}
        for text in lines(self._clock.marks, collected.outcomes, **times, spent=Spent.so_far()):
            self._show(text)

    def _take(self, given: Given | None) -> None:
        self._given = given or self._given

    def _show(self, text: str, *, is_warning: bool = False) -> None:
        show = self._display.warning if is_warning else self._display.display
        show(text)

    def _guarded(self, work: t.Callable[[], object]) -> None:
        guarded(work, self._display.warning, self._display.vvv)
