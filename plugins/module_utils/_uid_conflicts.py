# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Stop the services whose account would have another configured account's UID. Pure.

A token's file name is made from the UID, and one of the two accounts would read the other's. As where the registry says
it (_uid_plan): where two claim a UID, neither gets it. Services of one account share its UID, and that is as it should
be.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import UidConflict
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import SETUP
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service


def stop_conflicts(services: t.Sequence[Service], own_uids: t.Collection[str]) -> list[Service]:
    """Give all configured services, those with a conflict stopped by it; `own_uids` are the configured names of those
    whose UID stands at the role."""
    holders: dict[int, dict[str, Service]] = {}
    for service in sorted(services, key=lambda item: item.config_name):
        if service.uid:
            holders.setdefault(service.uid, {}).setdefault(service.account, service)
    return [
        service.failed(SETUP, UidConflict.kind, _message(service, others, own_uids))
        if (others := [other for account, other in holders.get(service.uid, {}).items() if account != service.account])
        else service
        for service in services
    ]


def _message(service: Service, others: t.Sequence[Service], own_uids: t.Collection[str]) -> str:
    also = ", ".join(
        f"account {other.account} ({_source(other, own_uids)})"
        for other in sorted(others, key=lambda item: item.account)
    )
    return (
        f"{service.config_name}: the UID {service.uid} of account {service.account} ({_source(service, own_uids)}) is "
        f"also that of {also}; each account has to have its own."
    )


def _source(service: Service, own_uids: t.Collection[str]) -> str:
    if service.config_name in own_uids:
        return f"managed_tokens_experiments.{service.experiment}.roles.{service.role}.uid"
    return f"from the state database, for {service.config_name}"
