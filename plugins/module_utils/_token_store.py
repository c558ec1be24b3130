# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Bring one service's token up to date on one credd: look at what is kept, decide, run the storer, keep what is
better."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words, is_shorter
from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import TokenInvalid, TokensError
from ansible_collections.fife.managed_tokens.plugins.module_utils._kept_tokens import (
    KeptToken,
    checked_token,
    is_better,
    keep,
    look,
    token_text,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    FAILED,
    OK,
    STORE,
    Outcome,
    Stopwatch,
    record,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._process import Finished
from ansible_collections.fife.managed_tokens.plugins.module_utils._service import Credd, Service
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer import Storer, StorerRun, describe
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_failure import cause_of
from ansible_collections.fife.managed_tokens.plugins.module_utils._storer_files import Left
from ansible_collections.fife.managed_tokens.plugins.module_utils._vault_life import Life, LookUp

MINIMUM = "managed_tokens_min_token_lifetime"
# What gives the error behind a program that ended, for what it worked on and the seconds that it had.
Meaning = t.Callable[[Finished, str, float], TokensError]


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of one (service, credd): the outcome, the kept token's path if a usable one is there, and its life."""

    outcome: Outcome
    path: Path | None = None
    life: Life = Life()
    will_change: bool = False


def preview(service: Service, credd: Credd | None, *, minimum: float, lives: LookUp) -> Stored:
    """Say what a run would do, without doing it; `minimum` is the life in seconds below which a token is renewed."""
    watch = Stopwatch()
    kept = look(service, credd.name if credd else "")
    life = lives(service.vault_server, token_text(kept.content)) if kept.content is not None else Life()
    left = life.left(time.time())
    if kept.content is None:
        why = kept.remark or "no token is kept yet"
    elif life.refused:
        why = "the kept token is no longer accepted"
    elif life.expires is not None and left < minimum:
        why = f"the kept token has only {left / 3600:.1f} h left"
    else:
        outcome = _outcome(service, credd, OK, watch, message=life.remark, life=left)
        return Stored(outcome, kept.path, life)
    return Stored(
        _outcome(service, credd, CHANGED, watch, message=f"would obtain a new token: {why}", life=left),
        None,
        life,
        will_change=True,
    )


def store(
    storer: StorerRun,
    *,
    run_storer: Storer,
    lives: LookUp,
    timeout: float,
    minimum: float = 0.0,
    meaning: Meaning = cause_of,
) -> Stored:
    """Run the storer for its service and credd and keep the token that is the better one afterwards.

    A token that lives less than `minimum` seconds is told of. `meaning` gives the error behind a storer run that did
    not end well.
    """
    service, credd = storer.service, storer.credd
    what = describe(service, credd)
    watch = Stopwatch()
    kept = look(service, credd.name if credd else "")
    left = Left()
    try:
        done, left = run_storer(storer, kept.content)
        if not done.is_good:
            failed = _after_failure(service, credd, kept, left.content, meaning(done, what, timeout), lives, watch)
            return _remarked(failed, left.remark)
        token = checked_token(left.content, what)
        life = lives(service.vault_server, token_text(token))
        if life.refused:
            raise TokenInvalid(f"{what}: the storer ended well, but {life.remark}.")
        if token != kept.content:
            keep(kept, token)
    except TokensError as err:
        return _remarked(_failed(service, credd, kept, err, Life(), watch), left.remark)
    status = OK if token == kept.content else CHANGED
    seconds = life.left(time.time())
    outcome = _outcome(service, credd, status, watch, message=life.remark, life=seconds)
    if is_shorter(seconds, minimum):
        short = f"the token lives only {in_words(seconds)}, less than {in_words(minimum)} ({MINIMUM})"
        outcome = replace(outcome, message=short)
    return _remarked(Stored(outcome, kept.path, life), left.remark)


def _after_failure(
    service: Service,
    credd: Credd | None,
    kept: KeptToken,
    left_behind: bytes | None,
    cause: TokensError,
    lives: LookUp,
    watch: Stopwatch,
) -> Stored:
    # A storer that failed late (credd down) may have left a new token that vault does accept: worth keeping, so that
    # the next run does not have to ask for yet another one. The kept token stays unless the new one is known to live
    # longer.
    try:
        found = checked_token(left_behind, "")
    except TokenInvalid:
        return _failed(service, credd, kept, cause, Life(), watch)
    if found == kept.content:
        return _failed(service, credd, kept, cause, Life(), watch)
    before = lives(service.vault_server, token_text(kept.content)) if kept.content is not None else None
    after = lives(service.vault_server, token_text(found))
    if is_better(after, before, now=time.time()):
        try:
            keep(kept, found)
        except TokensError as err:
            return _failed(service, credd, kept, err, before or Life(), watch)
        return _failed(service, credd, KeptToken(kept.path, found), cause, after, watch)
    return _failed(service, credd, kept, cause, before or Life(), watch)


def _failed(
    service: Service, credd: Credd | None, kept: KeptToken, error: TokensError, life: Life, watch: Stopwatch
) -> Stored:
    message = error.msg if error.msg.startswith(service.config_name) else f"{describe(service, credd)}: {error.msg}"
    outcome = _outcome(service, credd, FAILED, watch, kind=error.kind, message=message, life=life.left(time.time()))
    return Stored(outcome, kept.path if kept.content is not None else None, life)


def _remarked(stored: Stored, remark: str) -> Stored:
    """Give the same with a remark added to the outcome's message, if there is one."""
    if not remark:
        return stored
    message = "; ".join(filter(None, (stored.outcome.message.rstrip("."), remark)))
    return replace(stored, outcome=replace(stored.outcome, message=message))


def _outcome(service: Service, credd: Credd | None, status: str, watch: Stopwatch, **more: t.Any) -> Outcome:
    return record(STORE, status, service, watch, credd=credd.name if credd else "", **more)


def best_token(stored: t.Sequence[Stored]) -> Stored | None:
    """Give the one whose kept token is to be pushed: of those whose storing went well the one that lives longest, by
    path where that says nothing."""
    good = [item for item in stored if item.path is not None and not item.outcome.is_failure]
    if not good:
        return None
    return min(good, key=lambda item: (-(item.life.expires or 0.0), str(item.path)))
