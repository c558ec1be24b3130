# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the stage that removes the kept tokens of services that are let go."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, NotAttempted, ServiceHeld
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_removal import find_kept, remove_kept
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    KEPT_REMOVAL,
    OK,
    SKIPPED,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._stage import (
    SERVICES_SPEC,
    Context,
    services_option,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "services": SERVICES_SPEC,
    "others": {"type": "list", "elements": "dict", "default": []},
    # They are kept by vault_token_store.
    "state": {"type": "str", "choices": ["absent"], "required": True},
}


def run_stage(params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Give one outcome for every service, in a result, and the paths of the files under `removed`.

    A service whose nodes or credds were not reached loses its kept tokens all the same: a removal needs none. Only one
    that another run serves is left alone, and one that is only taken off nodes.

    Raises: BadInput, StageOrder.
    """
    services = [item for item in services_option(params) if not item.goes_on]
    others = [Service.from_dict(plain) for plain in params["others"]] + [item for item in services if _is_held(item)]
    removed: list[Path] = []
    outcomes = [_serve(service, others, removed, check_mode=context.check_mode) for service in services]
    result: dict[str, t.Any] = {
        "changed": any(outcome.status == CHANGED for outcome in outcomes),
        "outcomes": [outcome.to_dict() for outcome in outcomes],
        "removed": [str(path) for path in removed],
    }
    if context.diff:
        result["diff"] = [{"before": f"{path}: file\n", "after": f"{path}: absent\n"} for path in removed]
    return result


def _serve(service: Service, others: t.Sequence[Service], removed: list[Path], *, check_mode: bool) -> Outcome:
    watch = Stopwatch()
    if _is_held(service):
        message = f"{service.config_name}: kept tokens not touched: another run serves it."
        return record(KEPT_REMOVAL, SKIPPED, service, watch, kind=NotAttempted.kind, message=message)
    done: list[Path] = []
    errors: list[BadFile] = []
    try:
        for path in find_kept(service, others):
            try:
                if check_mode or remove_kept(path):
                    done.append(path)
            except BadFile as err:
                errors.append(err)
    except BadFile as err:
        errors.append(err)
    removed += done
    if errors:
        message = f"{service.config_name}: {errors[0].msg}"
        return record(KEPT_REMOVAL, FAILED, service, watch, kind=BadFile.kind, message=message)
    message = f"{len(done)} in {service.token_dir}" if done else ""
    return record(KEPT_REMOVAL, CHANGED if done else OK, service, watch, message=message)


def _is_held(service: Service) -> bool:
    return service.problem is not None and service.problem.kind == ServiceHeld.kind
