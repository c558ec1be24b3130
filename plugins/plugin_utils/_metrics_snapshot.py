# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Read from the state database, in one transaction, all that the metrics are made of.

What has left the configuration is left out here, so that its series end with it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS, TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import FAILED, PING, PUSH, STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_configured import NODE, SERVICE
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_results import push_counters, setup_counters
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_runs import ENDED, RUNNING
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_schema import schema
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_uids import known_uids
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._metrics_run_history import RunHistory, run_histories
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import SERVICE_EMAIL

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# No table says which credds and nodes a service has now. One that was not tried for so long before the service's last
# store is none of it any more: every run stores on all credds, but perhaps pushes to few nodes.
RETIRED_AFTER_S = {STORE: 86400.0, PUSH: 7 * 86400.0}
# Nobody pings any more when the probe is turned off, and what the last ones said gets old.
OLDEST_PING_S = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last attempt of a stage for a service and a target: a credd, a node, an account, or "".

    `service` is the real name, `configured` the name in the configuration; pings and accounts have neither. Times are
    seconds since the epoch, 0.0 for never; `seconds` is how long it took. Of a failure `kind` is the sort, and
    `failing_since` when the first one in a row began.
    """

    service: str
    configured: str
    target: str
    is_failure: bool
    attempted: float
    succeeded: float
    seconds: float
    expires: float
    run: str
    kind: str = ""
    failing_since: float = 0.0


@dataclass(frozen=True, slots=True)
class StageTime:
    """How many seconds a stage of a program took in the last run that reached it."""

    program: str
    stage: str
    seconds: float
    run: str


@dataclass(frozen=True, slots=True)
class LastRun:
    """When a program's last run ended (seconds since the epoch), and whether all was well."""

    ended: float
    is_well: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """The last message that a channel accepted, or did not; `target` is a configured service, "" for administrators."""

    channel: str
    target: str
    is_accepted: bool
    sent: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known at `taken` (seconds since the epoch).

    `services` are the real names by the configured ones; `attempts` stand under their stages, `runs` under their
    programs, and so do `histories`. `refreshed` is when a refresh of the UIDs was well last, 0.0 for never; `uid_ages`
    are seconds.
    """

    taken: float
    services: t.Mapping[str, str] = field(default_factory=dict)
    attempts: t.Mapping[str, t.Sequence[Attempt]] = field(default_factory=dict)
    stages: t.Sequence[StageTime] = ()
    runs: t.Mapping[str, LastRun] = field(default_factory=dict)
    histories: t.Mapping[str, RunHistory] = field(default_factory=dict)
    refreshed: float = 0.0
    setup_errors: t.Mapping[str, int] = field(default_factory=dict)
    push_errors: t.Mapping[tuple[str, str], int] = field(default_factory=dict)
    sent: t.Sequence[Sent] = ()
    uid_ages: t.Mapping[str, float] = field(default_factory=dict)

    def of(self, stage: str) -> t.Sequence[Attempt]:
        """Give the last attempts of a stage."""
        return self.attempts.get(stage, ())

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is known of any run."""
        return not (self.attempts or self.runs)


@dataclass(frozen=True, slots=True)
class _Configured:
    real_names: t.Mapping[str, str]
    gone: frozenset[tuple[str, str]]

    def has(self, stage: str, service: str, target: str) -> bool:
        return (SERVICE, service) not in self.gone and not (stage in (PUSH, PING) and (NODE, target) in self.gone)


def snapshot(db: sa.Connection, *, now: float) -> Snapshot:
    """Give what the database knows; `now` is seconds since the epoch."""
    configured = _configured(db)
    attempts = _attempts(db, configured, now)
    services = {name: real for name, real in configured.real_names.items() if (SERVICE, name) not in configured.gone}
    nodes = set()
    for stage, found in attempts.items():
        services |= {item.configured: item.service for item in found if item.configured}
        nodes |= {item.target for item in found if stage in (PUSH, PING)}
    runs, refreshed = _runs(db)
    return Snapshot(
        taken=now,
        services=services,
        attempts=attempts,
        stages=_stages(db),
        runs=runs,
        histories=run_histories(db, now=now),
        refreshed=refreshed,
        # The counters are the Go service's tables too: what has left the configuration stays in them for ever.
        setup_errors={name: count for name, count in setup_counters(db).items() if name in services},
        push_errors={
            (name, node): count
            for (name, node), count in push_counters(db).items()
            if name in services and node in nodes
        },
        sent=[item for item in _sent(db) if item.channel != SERVICE_EMAIL or item.target in services],
        uid_ages={
            name: known.age(now) for name, known in known_uids(db).items() if max(known.confirmed, known.noted) > 0
        },
    )


def _configured(db: sa.Connection) -> _Configured:
    import sqlalchemy as sa

    rows = list(db.execute(sa.select(schema().configured)))
    return _Configured(
        {row.name: row.real_name or row.name for row in rows if row.sort == SERVICE},
        frozenset((row.sort, row.name) for row in rows if row.gone > 0),
    )


def _attempts(db: sa.Connection, configured: _Configured, now: float) -> dict[str, list[Attempt]]:
    import sqlalchemy as sa

    table = schema().results
    columns = ["stage", "service", "target", "status", "attempted", "succeeded", "seconds", "expires", "run"]
    columns += ["kind", "failing_since"]
    found: dict[str, list[Attempt]] = {}
    for stage, service, target, status, *rest in db.execute(sa.select(*(table.c[name] for name in columns))):
        if configured.has(stage, service, target):
            real = configured.real_names.get(service, service)
            found.setdefault(stage, []).append(Attempt(real, service, target, status == FAILED, *rest))
    stored: dict[str, float] = {}
    for item in found.get(STORE, ()):
        stored[item.configured] = max(stored.get(item.configured, 0.0), item.attempted)
    for stage, after in RETIRED_AFTER_S.items():
        if stage in found:
            found[stage] = [item for item in found[stage] if item.attempted >= stored.get(item.configured, 0.0) - after]
    if PING in found:
        found[PING] = [item for item in found[PING] if item.attempted >= now - OLDEST_PING_S]
    return found


def _stages(db: sa.Connection) -> list[StageTime]:
    import sqlalchemy as sa

    return [StageTime(row.program, row.stage, row.seconds, row.run) for row in db.execute(sa.select(schema().stages))]


def _runs(db: sa.Connection) -> tuple[dict[str, LastRun], float]:
    """Give the last run of each program that is over, and when a refresh was well last."""
    import sqlalchemy as sa

    table = schema().runs
    columns = ("program", "state", "ended", "well", "failed", "services_failed")
    query = sa.select(*(table.c[name] for name in columns)).where(table.c.state != RUNNING).order_by(table.c.ended)
    runs: dict[str, LastRun] = {}
    refreshed = 0.0
    for row in db.execute(query):
        # A ping that was not answered fails no run; only services and accounts do. Nothing done is not well.
        failed = row.services_failed if row.program == TOKEN_PUSH else row.failed
        runs[row.program] = LastRun(row.ended, row.state == ENDED and row.well > 0 and not failed)
        if row.program == REFRESH_UIDS and runs[row.program].is_well:
            refreshed = row.ended
    return runs, refreshed


def _sent(db: sa.Connection) -> list[Sent]:
    import sqlalchemy as sa

    rows = db.execute(sa.select(schema().deliveries))
    return [Sent(row.channel, row.target, bool(row.success), row.sent, row.seconds) for row in rows]
