# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Take the values of each metric from a snapshot: label values and value of each series, or, of a histogram, of each
observation. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    PING,
    PUSH,
    REGISTRY,
    SETUP,
    STORE,
    TICKETS,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collection_version import collection_version
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_snapshot import Attempt, Snapshot
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, SERVICE_EMAIL, SLACK

# As the Go service names its stages.
STAGE_NAMES = {
    SETUP: "setup",
    TICKETS: "getKerberosTickets",
    STORE: "storeAndGetTokens",
    PING: "pingNodes",
    PUSH: "pushTokens",
    REGISTRY: "getFERRYData",
}
SERVICE_STAGES = (SETUP, TICKETS, STORE, PUSH)

Values = t.Iterable[tuple[tuple[str, ...], float]]
Take = t.Callable[[Snapshot], Values]
# What an attempt has to say, None for nothing.
Word = t.Callable[[Attempt], float | None]


def seconds_of(item: Attempt) -> float | None:
    """Give how long it took; nothing when it failed."""
    return None if item.is_failure else item.seconds


def success_of(item: Attempt) -> float | None:
    """Give when it went well last; nothing when it never did."""
    return item.succeeded or None


def failure_of(item: Attempt) -> float | None:
    """Give 1 when it failed."""
    return 1.0 if item.is_failure else None


def by_service(stage: str, word: Word, is_ours: t.Callable[[Attempt], bool] = lambda item: True) -> Take:
    """Take what the attempts of a stage say by service, of those that are `is_ours`."""
    return lambda snapshot: [
        ((item.service,), value) for item in snapshot.of(stage) if is_ours(item) and (value := word(item)) is not None
    ]


def by_target(stage: str, word: Word) -> Take:
    """Take what the attempts of a stage say by service and target."""
    # A service whose token is taken without a credd has metrics of its own.
    return lambda snapshot: [
        ((item.service, item.target), value)
        for item in snapshot.of(stage)
        if item.target and (value := word(item)) is not None
    ]


def by_node(word: Word) -> Take:
    """Take what the pings say by node."""
    return lambda snapshot: [((item.target,), value) for item in snapshot.of(PING) if (value := word(item)) is not None]


def has_no_credd(item: Attempt) -> bool:
    """Tell whether the token was taken without a credd."""
    return not item.target


def stage_seconds(snapshot: Snapshot) -> Values:
    """Give how long each stage took, by program."""
    for item in snapshot.stages:
        if item.stage in STAGE_NAMES:
            yield (item.program, STAGE_NAMES[item.stage]), item.seconds


def failed_services(snapshot: Snapshot) -> Values:
    """Count the services of which something failed when it was tried last."""
    failed = {item.configured for stage in SERVICE_STAGES for item in snapshot.of(stage) if item.is_failure}
    return [((), len(failed))]


def failing_since(snapshot: Snapshot) -> Values:
    """Give since when something of a service fails, by stage and kind."""
    for stage in SERVICE_STAGES:
        for item in snapshot.of(stage):
            if item.is_failure:
                yield (item.service, STAGE_NAMES[stage], item.kind), item.failing_since


def node_failing_since(snapshot: Snapshot) -> Values:
    """Give since when a push to a node fails, by kind."""
    return [((item.target, item.kind), item.failing_since) for item in snapshot.of(PUSH) if item.is_failure]


def setup_errors(snapshot: Snapshot) -> Values:
    """Give the counters of the stages before the push."""
    return [((name,), count) for name, count in snapshot.setup_errors.items()]


def push_errors(snapshot: Snapshot) -> Values:
    """Give the counters of the push."""
    return list(snapshot.push_errors.items())


def admin_sent(snapshot: Snapshot) -> Values:
    """Give when administrators were told last, by channel and success."""
    for item in snapshot.sent:
        if item.channel in (EMAIL, SLACK):
            yield (item.channel, str(item.is_accepted).lower()), item.sent


def admin_seconds(snapshot: Snapshot) -> Values:
    """Give how long it took to tell administrators, by channel."""
    for item in snapshot.sent:
        if item.channel in (EMAIL, SLACK) and item.is_accepted:
            yield (item.channel,), item.seconds


def service_sent(snapshot: Snapshot) -> Values:
    """Give when experiments were told last, by service and success."""
    for item in snapshot.sent:
        if item.channel == SERVICE_EMAIL:
            yield (item.target, str(item.is_accepted).lower()), item.sent


def service_mail_seconds(snapshot: Snapshot) -> Values:
    """Give how long each mail to an experiment took; one may have told of several services."""
    mails = {(item.sent, item.seconds) for item in snapshot.sent if item.channel == SERVICE_EMAIL and item.is_accepted}
    return [((), seconds) for _sent, seconds in mails]


def last_refresh(snapshot: Snapshot) -> Values:
    """Give when a refresh was well last; nothing when none was."""
    return [((), snapshot.refreshed)] if snapshot.refreshed else []


def asked_last(snapshot: Snapshot) -> list[Attempt]:
    """Give what the registry said of the accounts in the last run that asked it."""
    runs = {item.run for item in snapshot.stages if (item.program, item.stage) == (REFRESH_UIDS, REGISTRY)}
    return [item for item in snapshot.of(REGISTRY) if item.run in runs]


def registry_seconds(snapshot: Snapshot) -> Values:
    """Give how long the registry took for each account that it answered for."""
    return [((), item.seconds) for item in asked_last(snapshot) if not item.is_failure]


def registry_failures(snapshot: Snapshot) -> Values:
    """Count the accounts that failed."""
    return [((), sum(item.is_failure for item in asked_last(snapshot)))]


def token_expiry(snapshot: Snapshot) -> Values:
    """Give when the stored tokens expire, as far as it is known."""
    return [((item.service,), item.expires) for item in snapshot.of(STORE) if item.expires > 0]


def token_remaining(snapshot: Snapshot) -> Values:
    """Give how long the stored tokens live."""
    return [(labels, expires - snapshot.taken) for labels, expires in token_expiry(snapshot)]


def last_success(snapshot: Snapshot) -> Values:
    """Give for each service the oldest of the last successes on its credds and nodes."""
    oldest: dict[str, float] = {}
    for stage in (STORE, PUSH):
        for item in snapshot.of(stage):
            oldest[item.configured] = min(oldest.get(item.configured, item.succeeded), item.succeeded)
    return [((real,), oldest.get(name, 0.0)) for name, real in snapshot.services.items()]


def run_success(snapshot: Snapshot) -> Values:
    """Give 1 for each program whose last run was well, 0 for the others."""
    return [((program,), float(last.is_well)) for program, last in snapshot.runs.items()]


def run_ended(snapshot: Snapshot) -> Values:
    """Give when the last run of each program ended."""
    return [((program,), last.ended) for program, last in snapshot.runs.items()]


def interrupted_runs(snapshot: Snapshot) -> Values:
    """Count the runs that ended without a word, by program."""
    return [((program,), history.interrupted) for program, history in snapshot.histories.items()]


def overlapping_runs(snapshot: Snapshot) -> Values:
    """Count the runs that began while another was going on, by program."""
    return [((program,), history.overlapping) for program, history in snapshot.histories.items()]


def push_rate(snapshot: Snapshot) -> Values:
    """Give how many pairs the last push tried in a second."""
    pushed = Counter(item.run for item in snapshot.of(PUSH))
    return [
        ((), pushed[item.run] / item.seconds)
        for item in snapshot.stages
        if (item.program, item.stage) == (TOKEN_PUSH, PUSH) and item.seconds > 0 and pushed[item.run]
    ]


def uid_ages(snapshot: Snapshot) -> Values:
    """Give how old the UIDs are, by account."""
    return [((account,), age) for account, age in snapshot.uid_ages.items()]


def taken(snapshot: Snapshot) -> Values:
    """Give when the snapshot was taken."""
    return [((), snapshot.taken)]


def build(_snapshot: Snapshot) -> Values:
    """Give the version."""
    return [((collection_version(),), 1.0)]
