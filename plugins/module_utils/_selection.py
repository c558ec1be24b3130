# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Narrow the configured services to those of this run: by experiment, by service, and by the hosts of the play
(--limit)."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service


def select(services: t.Sequence[Service], experiments: t.Sequence[str], names: t.Sequence[str]) -> list[Service]:
    """Give the services of the named experiments together with the named services; all, if neither is given.

    Raises: BadInput naming every experiment or service that is not configured.
    """
    if not experiments and not names:
        return list(services)
    known_experiments = {service.experiment for service in services}
    known_names = {service.config_name for service in services}
    problems = [
        f"managed_tokens_experiment names {name!r}, which is not configured{suggestion(name, known_experiments)}"
        for name in experiments
        if name not in known_experiments
    ]
    problems += [
        f"managed_tokens_service names {name!r}, which is not configured{suggestion(name, known_names)}"
        for name in names
        if name not in known_names
    ]
    if problems:
        raise BadInput(*problems)
    return [service for service in services if service.experiment in experiments or service.config_name in names]


def limit_to_hosts(services: t.Sequence[Service], play_hosts: t.Collection[str]) -> list[Service]:
    """Keep of each service the nodes that are hosts of the play, and drop services without any."""
    limited = [
        replace(service, nodes=tuple(node for node in service.nodes if node.name in play_hosts)) for service in services
    ]
    return [service for service in limited if service.nodes]
