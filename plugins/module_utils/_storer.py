# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Run the storer (or htgettoken alone) for one service and credd so that concurrent runs share nothing.

The storer keeps a working copy at /tmp/vt_<ID>-<service>, a second one at /tmp/vt_<ID>, and a bearer token in the
runtime directory. Each of our runs has its own ID, bearer token file and runtime directory. Source:
condor_vault_storer of HTCondor 23.9 (environment variables CONDOR_VAULT_STORER_ID, BEARER_TOKEN_FILE,
XDG_RUNTIME_DIR), htgettoken 2.2.
"""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._guardian import WORKING_DIRECTORY, working_id
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    Finished,
    RunProgram,
    base_environment,
    find_program,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._requirements import STORER_NAMES
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import CONDOR, Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_files import Left, NameTaken, WorkingFiles

MOST_CLAIMS = 5


def new_mark() -> str:
    """Give what nobody can foresee of a storer run's ID."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class StorerRun:
    """One run of the storer within the run `run_id`, whose private directory is `directory`; `mark` is its own.

    `is_login`: a person may be asked to log in; `is_forced`: one is asked even if a ticket would do.
    """

    service: Service
    credd: Credd | None
    run_id: str
    directory: Path
    min_token_lifetime: str
    htgettoken_options: str = ""
    verbose: bool = False
    is_login: bool = False
    is_forced: bool = False
    mark: str = field(default_factory=new_mark)

    @property
    def id(self) -> str:
        return working_id(self.run_id, self.mark)

    @property
    def private(self) -> Path:
        return self.directory / self.id

    @property
    def working_copy(self) -> Path:
        """Where the program expects the earlier token and leaves the new one."""
        if self.service.token_getter == CONDOR:
            return WORKING_DIRECTORY / f"vt_{self.id}-{self.service.name}"
        return self.private / "vt"

    @property
    def files(self) -> WorkingFiles:
        """What the program works with."""
        if self.service.token_getter != CONDOR:
            return WorkingFiles(self.private, self.working_copy)
        stem = f"vt_{self.id}"
        return WorkingFiles(self.private, self.working_copy, WORKING_DIRECTORY / stem, stem)

    def environment(self) -> dict[str, str]:
        """Give the complete environment of the program."""
        env = base_environment()
        env |= {
            "KRB5CCNAME": self.service.ccache,
            "HTGETTOKENOPTS": self.htgettoken_arguments(),
            "XDG_RUNTIME_DIR": str(self.private),
            "BEARER_TOKEN_FILE": str(self.private / "bt"),
        }
        if self.service.token_getter == CONDOR:
            own = ["-a", self.service.vault_server, *self.login_arguments()]
            options = f"{self.service.gettoken_options} {' '.join(own)}".strip()
            env |= {"CONDOR_VAULT_STORER_ID": self.id, "_condor_SEC_CREDENTIAL_GETTOKEN_OPTS": options}
            if self.credd is not None:
                env["_condor_CREDD_HOST"] = self.credd.name
                if self.credd.collector:
                    env["_condor_COLLECTOR_HOST"] = self.credd.collector
        return env

    def htgettoken_arguments(self) -> str:
        """Give HTGETTOKENOPTS: the site's own options win over what we would add."""
        arguments = self.htgettoken_options
        if "--credkey" not in arguments:
            arguments = f"--credkey={self.service.credkey} {arguments}".strip()
        if "--vaulttokenminttl" not in arguments:
            arguments = f"--vaulttokenminttl={self.min_token_lifetime} {arguments}".strip()
        return arguments

    def login_arguments(self) -> list[str]:
        """Give the arguments of a login with a browser, which win over all others: nothing is opened or written where
        this runs, and a forced one lets no ticket do."""
        if not self.is_login:
            return []
        # Without blanks, as the storer takes them apart at blanks.
        quiet = ["--web-open-command=", f"--configdir={self.private}/config", "--nossh"]
        return [*quiet, *(["--nokerberos"] if self.is_forced else [])]

    def argv(self) -> list[str]:
        """Give the program with its arguments.

        Raises: Missing when it is not installed.
        """
        if self.service.token_getter == CONDOR:
            return [find_program(*STORER_NAMES), *(["-v"] if self.verbose else []), self.service.name]
        return [
            find_program("htgettoken"),
            *([] if self.is_login else ["--nooidc"]),
            "-a",
            self.service.vault_server,
            "-i",
            self.service.issuer,
            "-r",
            self.service.name.partition("_")[2],
            f"--vaulttokenfile={self.working_copy}",
            f"--outfile={self.private / 'bt'}",
            *self.login_arguments(),
        ]


def run_storer(storer: StorerRun, prior: bytes | None, *, run: RunProgram, timeout: float) -> tuple[Finished, Left]:
    """Run the program with a private copy of the `prior` token staged; give how it ended and what it left.

    Nothing of it is left behind on return, whatever happens. Where somebody else has one of its names in /tmp, it runs
    under other names.

    Raises: Missing, BadFile (staging), TokensError of the program runner.
    """
    storer = _claimed(storer, prior)
    output, is_good = "", False
    try:
        done = run(storer.argv(), env=storer.environment(), timeout=timeout)
        output, is_good = done.output, done.is_good
        left = storer.files.read()
    finally:
        stays = storer.files.remove(output, is_good=is_good)
    return done, replace(left, remark="; ".join(filter(None, (left.remark, stays))))


def _claimed(storer: StorerRun, prior: bytes | None) -> StorerRun:
    left = MOST_CLAIMS
    while True:
        try:
            storer.files.claim(prior)
        except NameTaken as err:
            left -= 1
            if not left:
                raise err.error from None
            storer = replace(storer, mark=new_mark())
        else:
            return storer


def describe(service: Service, credd: Credd | None) -> str:
    """Name one (service, credd) for messages."""
    return f"{service.config_name} on credd {credd.name}" if credd is not None else service.config_name


Storer = t.Callable[[StorerRun, "bytes | None"], "tuple[Finished, Left]"]
