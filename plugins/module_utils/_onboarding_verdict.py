# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say how an onboarding went, from the outcomes alone: who is onboarded now, who was before, who is not. Pure."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import ServiceHeld
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import MOST_MESSAGES, Verdict, advise
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CHECK,
    LOGIN,
    OK,
    PING,
    PUSH,
    STORE,
    Outcome,
)

WIDTH = 76


@dataclass(frozen=True, slots=True)
class OnboardingVerdict:
    """How it went, and the lines that list it service by service, each at most 76 characters where names allow."""

    verdict: Verdict
    lines: tuple[str, ...] = ()


def of_onboarding(outcomes: t.Sequence[Outcome], *, check_mode: bool = False) -> OnboardingVerdict:
    """Judge an onboarding: it failed when any service is not onboarded, or not on all of its credds, or a node did
    not get the token that it was to get.

    A node that only would not let a service in fails nothing.
    """
    by_service: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.config_service:
            by_service.setdefault(outcome.config_service, []).append(outcome)
    lines: list[str] = []
    whole = 0
    for name, own in sorted(by_service.items()):
        is_whole, text = _service(own, check_mode)
        whole += is_whole
        lines += textwrap.wrap(
            f"{name}: {text}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    summary = f"{whole} of {len(by_service)} services {'could be ' if check_mode else ''}onboarded"
    bad = [outcome for outcome in outcomes if _is_bad(outcome)]
    if not bad:
        return OnboardingVerdict(Verdict(f"{summary}."), tuple(lines))
    said = list(dict.fromkeys(advise(outcome) for outcome in bad))
    if len(said) > MOST_MESSAGES:
        said = [*said[:MOST_MESSAGES], f"And {len(said) - MOST_MESSAGES} more."]
    return OnboardingVerdict(Verdict(f"{summary}. {' '.join(said)}", failed=True), tuple(lines))


def _is_bad(outcome: Outcome) -> bool:
    # What is left to another run is not onboarded by this one.
    return (outcome.is_failure and outcome.stage != PING) or outcome.kind == ServiceHeld.kind


def _service(outcomes: t.Sequence[Outcome], check_mode: bool) -> tuple[bool, str]:
    """Tell whether a service has all it needs, and say it in words."""
    stored = [o for o in outcomes if o.stage == STORE and not o.is_failure]
    is_whole = bool(stored) and not any(_is_bad(outcome) for outcome in outcomes if outcome.stage != PUSH)
    credds = ", ".join(outcome.credd for outcome in stored if outcome.credd)
    where = f" on {credds}" if credds else ""
    if check_mode:
        would = any(o.status == CHANGED for o in outcomes if o.stage in (STORE, LOGIN))
        is_bad = any(_is_bad(outcome) for outcome in outcomes)
        text = "would be onboarded, by a login if vault has no refresh token" if would else "is onboarded"
        return not is_bad, "cannot be onboarded" if is_bad else text
    if is_whole:
        has_logged_in = any(o.stage == LOGIN and o.status == CHANGED for o in outcomes)
        text = f"{'is onboarded now' if has_logged_in else 'was onboarded already'}, with its token{where}"
    elif stored:
        text = f"is onboarded, but has its token only{where}"
    else:
        text = "is NOT onboarded"
    return is_whole, text + _about_nodes(outcomes)


def _about_nodes(outcomes: t.Sequence[Outcome]) -> str:
    pushes = [outcome for outcome in outcomes if outcome.stage == PUSH]
    if pushes:
        return f"; {sum(o.status in (OK, CHANGED) for o in pushes)} of {len(pushes)} nodes have the token"
    shut = [outcome.node for outcome in outcomes if outcome.stage == CHECK and outcome.node and outcome.kind]
    return f"; it could not use {', '.join(shut)}" if shut else ""
