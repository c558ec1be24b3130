# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the values behind the status view: services with their credds and nodes, and runs."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import TOKEN_PUSH
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PUSH, STORE
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    WELL,
    RunStatus,
    ServiceStatus,
    Status,
    Target,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import Verdict, decide

NOW = 1_790_000_000.0
HOUR_S = 3600.0
MAX_AGE_S, UID_MAX_AGE_S = 3 * HOUR_S, 7 * 24 * HOUR_S
MIN_LIFE_S = 72 * HOUR_S


def target(name: str = "n1.lab.example", stage: str = PUSH, /, *, ago: float = 60.0, **changes: t.Any) -> Target:
    """Give a place that got its token so many seconds ago."""
    values: dict[str, t.Any] = {"attempted": NOW - ago, "succeeded": NOW - ago}
    return Target(name, stage, **{**values, **changes})


def failing(name: str = "n1.lab.example", stage: str = PUSH, /, **changes: t.Any) -> Target:
    """Give a place at which the last attempt, a minute ago, failed."""
    values: dict[str, t.Any] = {
        "succeeded": NOW - HOUR_S,
        "is_failure": True,
        "failing_since": NOW - 1800,
        "failures": 2,
        "kind": "connection_broken",
        "message": f"dune_production on {name}: The connection was lost.",
    }
    return target(name, stage, **{**values, **changes})


def service_status(name: str = "dune_production", /, **changes: t.Any) -> ServiceStatus:
    """Give a service that is well on a credd and two nodes."""
    values: dict[str, t.Any] = {
        "experiment": name.partition("_")[0],
        "real_name": name,
        "account": f"{name.partition('_')[0]}pro",
        "uid": 50100,
        "uid_age": HOUR_S,
        "credds": (target("credd1.lab.example", STORE),),
        "nodes": (target("n1.lab.example"), target("n2.lab.example")),
    }
    return ServiceStatus(name, **{**values, **changes})


def run_status(result: str = WELL, /, *, ago: float = 60.0, **changes: t.Any) -> RunStatus:
    """Give a run that ended so many seconds ago."""
    values: dict[str, t.Any] = {
        "id": "r1",
        "program": TOKEN_PUSH,
        "started": NOW - ago - 5,
        "ended": NOW - ago,
        "services": 1,
    }
    return RunStatus(**{**values, "result": result, **changes})


def status(*services: ServiceStatus, **changes: t.Any) -> Status:
    """Give what is known of these services after a good run a minute ago."""
    run = run_status()
    values: dict[str, t.Any] = {"recent": (run,), "last": (run,), "last_well": run.ended}
    return Status(NOW, services=services, **{**values, **changes})


def judged(found: Status) -> Verdict:
    return decide(found, max_age=MAX_AGE_S, uid_max_age=UID_MAX_AGE_S, min_life=MIN_LIFE_S)
