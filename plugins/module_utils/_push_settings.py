# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Read how nodes are to be served. Loads the ssh library."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput
from ansible_collections.fife.managed_tokens.plugins.module_utils._later_settings import check_numbers
from ansible_collections.fife.managed_tokens.plugins.module_utils._ssh import (
    SshSettings,
    check_kex_algs,
    read_known_hosts,
)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """Bounds: connections being served at once, connections to one node at once, further attempts, pause before the
    first of them (seconds)."""

    ssh: SshSettings
    concurrency: int = 40
    per_node: int = 8
    retries: int = 2
    retry_delay: float = 2.0
    check_mode: bool = False

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any], *, check_mode: bool = False) -> PushSettings:
        """Read the options in C(SERVING_SPEC), and the known_hosts files that they name.

        Raises: BadInput.
        """
        problems = check_numbers(
            {f"push_{name}": options[name] for name in ("concurrency", "per_node", "retries", "retry_delay")}
        )
        if problems:
            raise BadInput(*problems)
        return cls(
            ssh=SshSettings(read_known_hosts(options["known_hosts"]), check_kex_algs(options["kex_algorithms"])),
            concurrency=options["concurrency"],
            per_node=options["per_node"],
            retries=options["retries"],
            retry_delay=options["retry_delay"],
            check_mode=check_mode,
        )
