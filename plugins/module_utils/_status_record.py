# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say how everything stands in one plain value for other programs. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    RunStatus,
    ServiceStatus,
    Status,
    Target,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_times import stamp
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import Finding, Verdict

Plain = dict[str, t.Any]


def record_of(status: Status, verdict: Verdict) -> Plain:
    """Give the record; times are RFC 3339 in UTC, or null for never and not known; ages are seconds."""
    return {
        "taken": stamp(status.taken),
        "colour": verdict.colour,
        "title": verdict.title,
        "reasons": list(verdict.reasons),
        "problems": [_finding(item) for item in verdict.problems],
        "warnings": [_finding(item) for item in verdict.warnings],
        "last_well": stamp(status.last_well),
        "services": [_service(service) for service in status.services],
        "runs": [_run(run) for run in status.recent],
    }


def _finding(item: Finding) -> Plain:
    return {
        "where": item.where,
        "what": item.what,
        "since": stamp(item.since),
        "kind": item.kind,
        "advice": item.advice,
        "who": item.who,
    }


def _service(service: ServiceStatus) -> Plain:
    return {
        "service": service.name,
        "experiment": service.experiment,
        "name": service.real_name,
        "account": service.account,
        "uid": service.uid,
        "uid_age": None if service.uid_age is None else round(service.uid_age),
        "is_well": not service.failing,
        "held_by": service.held_by,
        "oldest_success": stamp(service.oldest),
        "setup": [{"stage": target.stage, **_target(target)} for target in service.setup],
        "credds": [
            {"name": target.name, **_target(target), "expires": stamp(target.expires)} for target in service.credds
        ],
        "nodes": [{"name": target.name, **_target(target), "held_by": target.held_by} for target in service.nodes],
    }


def _target(target: Target) -> Plain:
    status = "failed" if target.is_failure else "ok" if target.attempted else "never tried"
    return {
        "status": status,
        "attempted": stamp(target.attempted),
        "succeeded": stamp(target.succeeded),
        "failing_since": stamp(target.failing_since),
        "failures": target.failures,
        "kind": target.kind,
        "message": target.message,
    }


def _run(run: RunStatus) -> Plain:
    return {
        "id": run.id,
        "program": run.program,
        "started": stamp(run.started),
        "ended": stamp(run.ended),
        "result": run.result,
        "message": run.words,
        "services": run.services,
        "services_failed": run.services_failed,
    }
