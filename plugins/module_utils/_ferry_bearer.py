# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Get the bearer token that the registry is asked with: one ticket, one run of htgettoken, nothing left behind."""

from __future__ import annotations

import contextlib
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    Missing,
    TokenInvalid,
    VaultServerUnknown,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._guardian import make_run_directory, remove_run, watch
from ansible_collections.fife.managed_tokens.plugins.module_utils._htcondor import Pool, split_vault_server
from ansible_collections.fife.managed_tokens.plugins.module_utils._kerberos import ccache_path, take_ticket, within
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_name_part, suggestion
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import read_private
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    RunProgram,
    base_environment,
    find_program,
    run_program,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_failure import cause_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_server import why_unusable

SETTING = "managed_tokens_ferry_service"

_BEARER = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose ticket and role the bearer token is got with; `vault_server` is "" when HTCondor's is to be taken."""

    name: str
    issuer: str
    role: str
    principal: str
    keytab: str
    vault_server: str = ""

    @property
    def credkey(self) -> str:
        return self.principal.rpartition("@")[0] or self.principal


def identity_of(params: t.Mapping[str, t.Any], services: t.Sequence[Service], problems: list[str]) -> Identity | None:
    """Give the identity that the settings name, or None with what is wrong in `problems`.

    One of the configured `services` lends its own; what is set for the registry wins.
    """
    name = params.get("ferry_service") or ""
    if not name:
        problems.append(f"{SETTING} is not set; it has to name the service whose token the registry is asked with.")
        return None
    service = next((item for item in services if item.config_name == name), None)
    experiment, _underscore, role = (service.name if service is not None else name).partition("_")
    if not is_name_part(experiment) or not is_name_part(role):
        problems.append(f"{SETTING} is {name!r}; it has to be named experiment_role.")
        return None
    principal = params.get("ferry_principal") or (service.principal if service is not None else "")
    keytab = params.get("ferry_keytab") or (service.keytab if service is not None else "")
    setting = "ferry_vault_server" if params.get("ferry_vault_server") or service is not None else "vault_server"
    given = params.get(setting) or ""
    if given and why_unusable(given):
        problems.append(f"managed_tokens_{setting} {why_unusable(given)}")
        return None
    # That of a service has been looked at where it is configured.
    server = given or (service.vault_server if service is not None else "")
    if not principal or not keytab:
        known = suggestion(name, [item.config_name for item in services])
        problems.append(
            f"{SETTING} names {name!r}, which is not configured{known} "
            "For another service, set managed_tokens_ferry_principal and managed_tokens_ferry_keytab too."
        )
        return None
    return Identity(name, experiment, role, principal, keytab, server)


def take_bearer(
    identity: Identity, run: Run, *, owner: int | None, vault_ca: str, program: RunProgram = run_program
) -> str:
    """Give a bearer token of `identity`. Ticket and files are gone on return, whatever happens.

    Raises: TokensError of Kerberos, of htgettoken (as for a storer), VaultServerUnknown, TokenInvalid, BadFile.
    """
    server = identity.vault_server or _condors_vault_server(program, run)
    try:
        directory = make_run_directory(run.id)
    except OSError as err:
        raise BadFile(f"Cannot make the run's private directory: {err.strerror}: {err.filename}.") from err
    try:
        watch(str(directory), run.id, owner, run.deadline)
        cache = ccache_path(directory, identity.name)
        limit = min(run.timeouts.kerberos, run.remaining())
        within(limit, "the KDC's answer", lambda: take_ticket(identity.principal, Path(identity.keytab), cache))
        return _run_htgettoken(identity, server, directory, cache, run, vault_ca, program)
    finally:
        remove_run(str(directory), run.id)


def _run_htgettoken(
    identity: Identity, server: str, directory: Path, cache: Path, run: Run, vault_ca: str, program: RunProgram
) -> str:
    bearer = directory / "bt"
    argv = [
        find_program("htgettoken"),
        # Without it, a vault server that is down and a missing log-in are told with the same words.
        "--verbose",
        "--nooidc",
        f"--vaultserver={server}",
        f"--issuer={identity.issuer}",
        f"--role={identity.role}",
        f"--credkey={identity.credkey}",
        f"--vaulttokenfile={directory / 'vt'}",
        f"--outfile={bearer}",
    ]
    if vault_ca:
        argv.append(f"--capath={vault_ca}" if Path(vault_ca).is_dir() else f"--cafile={vault_ca}")
    env = base_environment() | {
        "KRB5CCNAME": f"FILE:{cache}",
        "XDG_RUNTIME_DIR": str(directory),
        "BEARER_TOKEN_FILE": str(bearer),
    }
    limit = min(run.timeouts.store, run.remaining())
    done = program(argv, env=env, timeout=limit)
    what = f"{identity.name}, for the registry"
    if not done.is_good:
        raise cause_of(done, what, limit)
    found = (read_private(bearer) or b"").strip()
    # It becomes a header; anything else in it could become another one.
    if not _BEARER.fullmatch(found):
        raise TokenInvalid(f"{what}: htgettoken ended well, and what it left is no bearer token.")
    return found.decode("ascii")


def _condors_vault_server(program: RunProgram, run: Run) -> str:
    options = ""
    with contextlib.suppress(Missing):
        options = Pool(program, min(run.timeouts.kerberos, run.remaining())).gettoken_options()
    server = split_vault_server(options)[0]
    if not server:
        raise VaultServerUnknown(
            "No vault server is known for the registry's token; set managed_tokens_ferry_vault_server, or "
            "managed_tokens_vault_server."
        )
    why = why_unusable(server)
    if why:
        raise VaultServerUnknown(f"The vault server in HTCondor's SEC_CREDENTIAL_GETTOKEN_OPTS {why}")
    return server
