# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Complete the configured services with what the world says: UIDs, vault server, credds. Reads only."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    TokensError,
    UidUnknown,
    VaultServerUnknown,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool, split_vault_server
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    FAILED,
    OK,
    SETUP,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._resolve import Wanted, role_file_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_server import why_unusable

# Given the accounts without a UID of their own, says which UIDs are known.
UidSource = t.Callable[[t.Collection[str]], t.Mapping[str, int]]


def add_uids(wanted: t.Sequence[Wanted], source: UidSource) -> list[Service]:
    """Give the services with their UIDs and the file names made from them; the role's own UID wins, 0 means nobody
    knows.

    Raises: BadInput as C(role_file_of) does.
    """
    open_accounts = {item.service.account for item in wanted if item.uid is None}
    known = source(open_accounts) if open_accounts else {}
    services: list[Service] = []
    for item in wanted:
        service = replace(item.service, uid=item.uid or known.get(item.service.account, 0))
        where = f"managed_tokens_experiments.{service.experiment}.roles.{service.role}"
        path = role_file_of(service, item.default_role_file, where)
        services.append(replace(service, default_role_file=path, credds=tuple(Credd(name) for name in item.credds)))
    return services


def complete(service: Service, wanted: Wanted, pool: Pool) -> tuple[Service, Outcome]:
    """Give the service with its vault server and credds, or stopped by the problem that keeps it from having them."""
    watch = Stopwatch()
    if service.problem is not None:
        problem = service.problem
        return service, record(SETUP, FAILED, service, watch, kind=problem.kind, message=problem.message)
    try:
        if not service.uid:
            raise UidUnknown(f"{service.config_name}: account {service.account} has no UID.")
        service = with_vault_server(service, pool)
        if service.token_getter == CONDOR:
            service = replace(service, credds=credds_of(wanted, pool))
        else:
            service = replace(service, credds=())
    except TokensError as err:
        message = err.msg if err.msg.startswith(service.config_name) else f"{service.config_name}: {err.msg}"
        failure = record(SETUP, FAILED, service, watch, kind=err.kind, message=message)
        return service.failed(SETUP, err.kind, message), failure
    return service, record(SETUP, OK, service, watch)


def with_vault_server(service: Service, pool: Pool) -> Service:
    """Give the service with its vault server, and the pool's other options for htgettoken.

    Raises: VaultServerUnknown.
    """
    if service.token_getter != CONDOR:
        server, options = "", ""
    else:
        # The storer is given its options through the environment, which replaces the pool's own; so the others go
        # along.
        server, options = split_vault_server(pool.gettoken_options())
    return replace(service, vault_server=service.vault_server or condors_vault_server(server), gettoken_options=options)


def condors_vault_server(server: str) -> str:
    """Give the vault server that HTCondor's options name, `server`, if it can be used.

    Raises: VaultServerUnknown.
    """
    if not server:
        raise VaultServerUnknown(
            "no vault server is configured, neither here nor in HTCondor's SEC_CREDENTIAL_GETTOKEN_OPTS."
        )
    why = why_unusable(server)
    if why:
        raise VaultServerUnknown(f"the vault server in HTCondor's SEC_CREDENTIAL_GETTOKEN_OPTS {why}")
    return server


def credds_of(wanted: Wanted, pool: Pool) -> tuple[Credd, ...]:
    """Give the credds that are configured, or else those that the collector knows.

    Raises: CollectorUnavailable, NoCredds.
    """
    if wanted.credds:
        collector = wanted.collectors[0] if wanted.collectors else ""
        return tuple(Credd(name, collector) for name in sorted(set(wanted.credds)))
    return pool.credds(wanted.collectors, wanted.schedd_constraint)
