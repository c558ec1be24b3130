# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say for the report whom each service belongs to."""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._role_settings import as_type
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service


def contacts_of(experiments: t.Mapping[str, t.Any], services: t.Iterable[Service]) -> dict[str, dict[str, t.Any]]:
    """Give for each service, by its configured name: its experiment, that one's addresses, and whether they are told.

    The experiments have been checked already.
    """
    known = {str(name): experiment for name, experiment in experiments.items()}
    return {
        service.config_name: {
            "experiment": service.experiment,
            "emails": as_type(known[service.experiment].get("emails") or [], "list"),
            "notify": service.notify,
        }
        for service in services
    }
