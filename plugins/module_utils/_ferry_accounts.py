# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Ask the registry for many accounts at once, each of them once, and keep what came of every one."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._fanout import Progress, fan_out
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_answer import Reading, read_answer
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_client import Connections
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_pacing import Pacing
from ansible_collections.fife.managed_tokens.plugins.module_utils._ferry_settings import Ferry
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Stopwatch
from ansible_collections.fife.managed_tokens.plugins.module_utils._run import Run


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for an account: a reading, or the error's kind and sentence; `started` is seconds since the
    epoch."""

    account: str
    reading: Reading | None = None
    kind: str = ""
    message: str = ""
    started: float = 0.0
    seconds: float = 0.0


def ask_all(
    accounts: t.Sequence[str],
    ferry: Ferry,
    run: Run,
    *,
    bearer: str = "",
    progress: Progress | None = None,
    pacing: Pacing | None = None,
) -> list[Asked]:
    """Give what came of each account, in their order; `bearer` is the token to ask with, "" for none.

    Never more than the settings' concurrency of connections; none is left open, also when the run is stopped.
    """
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    connections = Connections(ferry.host, ferry.port, ferry.context, headers, ferry.concurrency)
    pace = pacing or Pacing(retries=ferry.retries, remaining=run.remaining)

    def ask(account: str) -> Asked:
        watch = Stopwatch()
        path = ferry.path(account)
        try:
            answer = pace.answer_to(lambda: connections.ask(path, min(run.timeouts.ferry, run.remaining())))
            asked = Asked(account, read_answer(answer, ferry.expressions))
        except TokensError as err:
            asked = Asked(account, kind=err.kind, message=err.msg)
        return replace(asked, started=watch.started, seconds=watch.seconds)

    def end() -> None:
        pace.end()
        connections.end()

    try:
        return fan_out(
            accounts,
            ask,
            concurrency=ferry.concurrency,
            progress=progress,
            is_failure=lambda item: item.reading is None,
            at_early_end=end,
        )
    finally:
        connections.close()
