# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask HTCondor's own programs: which credds there are, and what its configuration says about vault.

Source: condor_status and condor_config_val manual pages; SEC_CREDENTIAL_GETTOKEN_OPTS in the HTCondor manual,
"credmon vault".
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import CollectorUnavailable, NoCredds
from ansible_collections.fife.managed_tokens.plugins.module_utils._names import is_daemon
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import (
    RunProgram,
    base_environment,
    find_program,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._redaction import last_words, one_line
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd

GETTOKEN_OPTIONS = "SEC_CREDENTIAL_GETTOKEN_OPTS"


class Pool:
    """Questions to HTCondor, each asked once per run; a collector that failed is not asked again. `timeout` in
    seconds per question."""

    def __init__(self, run: RunProgram, timeout: float) -> None:
        self._run = run
        self._timeout = timeout
        self._schedds: dict[tuple[str, str], list[str]] = {}
        self._dead: dict[str, str] = {}
        self._options: str | None = None

    def credds(self, collectors: t.Sequence[str], constraint: str) -> tuple[Credd, ...]:
        """Give the credds of the first collector that answers, by name; no collector means the local default pool.

        Raises: CollectorUnavailable when none answers, NoCredds when the one that does knows no matching schedd.
        """
        reasons = []
        for collector in collectors or ("",):
            try:
                names = self._names(collector, constraint)
            except CollectorUnavailable as err:
                reasons.append(err.msg)
                continue
            if not names:
                matching = f" that match {constraint!r}" if constraint else ""
                raise NoCredds(
                    f"Collector {collector or 'of the local pool'} knows no schedds{matching}, "
                    "so there is no credd to store the token on."
                )
            return tuple(Credd(name, collector) for name in names)
        raise CollectorUnavailable(" ".join(reasons))

    def _names(self, collector: str, constraint: str) -> list[str]:
        if collector in self._dead:
            raise CollectorUnavailable(self._dead[collector])
        key = (collector, constraint)
        if key not in self._schedds:
            argv = [
                find_program("condor_status"),
                *(["-pool", collector] if collector else []),
                "-schedd",
                "-autoformat",
                "Name",
            ]
            argv += ["-constraint", constraint] if constraint else []
            done = self._run(argv, env=base_environment(), timeout=self._timeout)
            if not done.is_good:
                why = (
                    f"no answer within {self._timeout:g} s"
                    if done.timed_out
                    else last_words(done.output) or f"exit status {done.status}"
                )
                self._dead[collector] = f"Collector {collector or 'of the local pool'} gave no list of schedds: {why}."
                raise CollectorUnavailable(self._dead[collector])
            names = sorted({line.strip() for line in done.output.splitlines() if line.strip()})
            # A name becomes part of the kept token's file name.
            odd = [name for name in names if not is_daemon(name)]
            if odd:
                raise CollectorUnavailable(
                    f"Collector {collector or 'of the local pool'} lists {one_line(odd[0])!r}, which is no usable name."
                )
            self._schedds[key] = names
        return self._schedds[key]

    def gettoken_options(self) -> str:
        """Give HTCondor's own options for htgettoken, "" when there are none (or no HTCondor)."""
        if self._options is None:
            done = self._run(
                [find_program("condor_config_val"), GETTOKEN_OPTIONS], env=base_environment(), timeout=self._timeout
            )
            self._options = done.output.strip() if done.is_good else ""
        return self._options


def split_vault_server(options: str) -> tuple[str, str]:
    """Split options for htgettoken into the vault server they name ("" if none) and all the others, which are kept as
    they are."""
    try:
        words = shlex.split(options)
    except ValueError:
        return "", options
    server = ""
    others: list[str] = []
    takes_value = False
    for word in words:
        if takes_value:
            server, takes_value = word, False
        elif word in ("-a", "--vaultserver"):
            takes_value = True
        elif word.startswith("--vaultserver="):
            server = word.partition("=")[2]
        elif word.startswith("-a") and not word.startswith("--") and len(word) > 2:
            server = word[2:].removeprefix("=")
        else:
            others.append(word)
    return server, shlex.join(others)
