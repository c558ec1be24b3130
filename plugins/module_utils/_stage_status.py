# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Tell from the state database whether everything is well. Asks nobody else, and changes nothing."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import duration_of, lifetime_seconds
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import Context
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage_settings import state_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import DATABASE_SPEC
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import Status
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_lines import lines
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_look import look
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_record import record_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import Verdict, decide
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_view import view_of

MOST_NAMES = 3
ARGUMENT_SPEC: dict[str, t.Any] = {
    **DATABASE_SPEC,
    "service": {"type": "list", "elements": "str", "default": []},
    "max_age": {"type": "str", "default": "3h"},
    "uid_max_age": {"type": "str", "default": "7d"},
    "min_token_lifetime": {"type": "str", "default": "3d", "no_log": False},
    "fail": {"type": "bool", "default": False},
    "page": {"type": "str", "default": ""},
    "template_dir": {"type": "str", "default": ""},
    "environment": {"type": "str", "default": "production"},
    "width": {"type": "int", "default": 76},
}


def run_stage(params: t.Mapping[str, t.Any], _context: Context) -> dict[str, t.Any]:
    """Give the verdict, what it is made of, and the lines of a view for a terminal; of some services only, if they are
    named.

    A database that cannot be read is not well, and no error; with `fail`, whatever is not green fails the result.

    Raises: BadInput, Missing for settings that cannot be used.
    """
    ages = {
        "max_age": float(duration_of("status_max_age", params["max_age"])),
        "uid_max_age": float(duration_of("uid_max_age", params["uid_max_age"])),
        "min_life": float(lifetime_seconds(params["min_token_lifetime"])),
    }
    state = state_of(params)
    status = look(state, now=time.time())
    whole, status = status, _only(status, params["service"])
    verdict = decide(status, **ages)
    result: dict[str, t.Any] = {
        "changed": False,
        "status": record_of(status, verdict),
        "summary": lines(status, verdict, params["width"]),
        "msg": _sentence(verdict),
    }
    if params["page"]:
        # For the action, which writes the page where it runs. Whoever looks at one service leaves no page of that one.
        view = view_of(whole, decide(whole, **ages), max_age=ages["max_age"], environment=params["environment"])
        result["view"] = asdict(view)
    if params["fail"] and not verdict.is_green:
        # Ansible shows a failed result whole, and this one is long.
        del result["status"]
        result["failed"] = True
    return result


def _only(status: Status, names: t.Sequence[str]) -> Status:
    """Give the status with these services only, all when none is named.

    Raises: BadInput for a service that nobody knows.
    """
    if not names or status.trouble:
        return status
    known = {service.name for service in status.services}
    problems = [
        f"managed_tokens_service names {name!r}, which the state database does not know{suggestion(name, known)}"
        for name in names
        if name not in known
    ]
    if problems:
        raise BadInput(*problems)
    return replace(status, services=tuple(service for service in status.services if service.name in names))


def _sentence(verdict: Verdict) -> str:
    """Say the verdict in one line; the lines of the view say the rest."""
    found = [item.where for item in (verdict.problems or verdict.warnings)]
    more = f" and {len(found) - MOST_NAMES:,} more" if len(found) > MOST_NAMES else ""
    return f"{verdict.colour}: {verdict.title}" + (f": {'; '.join(found[:MOST_NAMES])}{more}." if found else ".")
