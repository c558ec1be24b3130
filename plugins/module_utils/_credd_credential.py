# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""See whether a credd holds a service's credential, and have it removed there.

HTCondor's client answers for all sorts of failures alike; only with -d does it say, on stderr, what happened. Source:
condor_store_cred of HTCondor 23.9, tried: status 0 when a credential is stored, and 1 with "No credential is stored."
when there is none; removing one that is not there ends well.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import (
    BadFile,
    CredentialNotRemoved,
    Missing,
    TimedOut,
    TokensError,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import look as look_at_kept
from ansible_collections.fife.managed_tokens.plugins.module_utils._private_file import DIRECTORY_MODE, create_private
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    Finished,
    RunProgram,
    base_environment,
    find_program,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import last_words
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import HTGETTOKEN
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import StorerRun, describe

NOTHING_STORED = "No credential is stored"
METHODS = "SEC_CLIENT_AUTHENTICATION_METHODS"
BY_TOKEN = "SCITOKENS"
# What stands before a message of -d, and what it says whether or not anything is wrong.
_STAMP = re.compile(r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? ")
_EMPTY_WORDS = ("Account:", "CredType:", "Operation failed", "Make sure your ALLOW_WRITE", "STORE_CRED: In mode")


@dataclass(frozen=True, slots=True)
class Client:
    """HTCondor's client for one service and credd; `work` is unlike any other of the run.

    `needs_bearer` says that the pool's clients show bearer tokens; `run` and `timeout` (seconds) are for each program.
    """

    work: StorerRun
    run: RunProgram
    timeout: float
    needs_bearer: bool = False

    @property
    def what(self) -> str:
        return describe(self.work.service, self.work.credd)


@dataclass(frozen=True, slots=True)
class Removed:
    """What came of it: whether there was a credential (in check mode: is), and a remark."""

    was_there: bool
    remark: str = ""


def uses_bearer_tokens(run: RunProgram, timeout: float) -> bool:
    """Tell whether HTCondor's clients here show bearer tokens to a credd, as far as the configuration says; the
    default methods alone say nothing, as they are everything that HTCondor knows."""
    try:
        done = run([find_program("condor_config_val"), METHODS], env=base_environment(), timeout=timeout)
    except Missing:
        # Then each credd is told of by itself, and the stage goes on.
        return False
    return done.is_good and BY_TOKEN in done.output.upper()


def remove(client: Client, *, check_mode: bool) -> Removed:
    """Have the credential removed, unless there is none; in check mode only look.

    Nothing of it is left behind on this machine, whatever happens.

    Raises: CredentialNotRemoved, TimedOut, BadFile, Missing, DeadlineReached.
    """
    private = client.work.private
    try:
        private.mkdir(mode=DIRECTORY_MODE)
    except OSError as err:
        raise BadFile(f"Cannot make the directory {private}: {err.strerror}.") from err
    try:
        remark = _take_bearer(client) if client.needs_bearer else ""
        if not _is_stored(client):
            return Removed(False, remark)
        if not check_mode:
            done = _ask(client, "delete-oauth")
            if not done.is_good:
                raise _failure(client, done)
            if _is_stored(client):
                raise CredentialNotRemoved(f"{client.what}: the credd said that it removed the credential, and has it.")
        return Removed(True, remark)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _is_stored(client: Client) -> bool:
    done = _ask(client, "query-oauth")
    if done.is_good:
        return True
    if NOTHING_STORED in done.output and not done.timed_out:
        return False
    raise _failure(client, done)


def _ask(client: Client, action: str) -> Finished:
    argv = [find_program("condor_store_cred"), action, "-s", client.work.service.name, "-d"]
    return client.run(argv, env=client.work.environment(), timeout=client.timeout)


def _take_bearer(client: Client) -> str:
    """Get a bearer token as the storer would, with the kept vault token or else with the ticket; give a remark when
    there is none. Then the ticket alone has to do, as it does where the pool takes both."""
    service = client.work.service
    work = replace(client.work, service=replace(service, token_getter=HTGETTOKEN))
    kept = look_at_kept(service, client.work.credd.name if client.work.credd else "")
    try:
        if kept.content is not None:
            create_private(work.working_copy, kept.content)
        done = client.run(work.argv(), env=work.environment(), timeout=client.timeout)
        if done.is_good:
            return ""
        why = "no answer in time" if done.timed_out else last_words(done.output)
    except TokensError as err:
        why = err.msg
    return f"asked without a bearer token, which vault did not give: {why}"


def _failure(client: Client, done: Finished) -> TokensError:
    if done.timed_out:
        return TimedOut(f"{client.what}: the credd gave no answer within {client.timeout:g} s.")
    lines = [_STAMP.sub("", line.strip()) for line in done.output.splitlines()]
    words = last_words("\n".join(line for line in lines if not line.startswith(_EMPTY_WORDS)), lines=3)
    return CredentialNotRemoved(f"{client.what}: {words or f'condor_store_cred ended with status {done.status}'}")
