# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Say how an offboarding went, from the outcomes alone: what is gone, what was never there, and what is left. Pure."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._leaving import listed
from ansible_collections.fife.managed_tokens.plugins.module_utils._node_verdict import MOST_MESSAGES, Verdict
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import (
    CHANGED,
    CREDD_REMOVAL,
    FAILED,
    KEPT_REMOVAL,
    NODE_REMOVAL,
    OK,
    SKIPPED,
    STATE_REMOVAL,
    Outcome,
)

# What the outcome of the state says of a service of which something is left.
REMEMBERED = "what is left to do stays remembered"
WIDTH = 76
LABELS = {NODE_REMOVAL: "nodes", CREDD_REMOVAL: "credds", KEPT_REMOVAL: "kept tokens", STATE_REMOVAL: "state"}
INDENT = 2 + max(len(label) for label in LABELS.values()) + 2


@dataclass(frozen=True, slots=True)
class RemovalVerdict:
    """How it went, and the lines that list it, service by service, each at most 76 characters where names allow."""

    verdict: Verdict
    lines: tuple[str, ...] = ()


def of_removal(
    outcomes: t.Sequence[Outcome], *, check_mode: bool = False, nodes: t.Sequence[str] = ()
) -> RemovalVerdict:
    """Judge an offboarding: it failed when anything of a service that is to go is still somewhere; `nodes` are those
    that services were taken off while they go on elsewhere."""
    by_service: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.config_service:
            by_service.setdefault(outcome.config_service, []).append(outcome)
    bad = [outcome for outcome in outcomes if outcome.status in (FAILED, SKIPPED)]
    whole = [name for name, own in by_service.items() if not any(item in bad for item in own)]
    word = f"taken off {listed(nodes)}" if nodes else "gone"
    summary = f"{len(whole)} of {len(by_service)} services {'would be ' if check_mode else ''}{word}"
    lines = [line for name, own in sorted(by_service.items()) for line in _service(name, own, check_mode)]
    changed = any(outcome.status == CHANGED for outcome in outcomes)
    if not bad:
        nothing = "" if changed else ": nothing was left of them" if len(by_service) > 1 else ": nothing was left of it"
        return RemovalVerdict(Verdict(f"{summary}{nothing}."), tuple(lines))
    # A step that was not tried says why; its cause stands before it.
    causes = [outcome for outcome in bad if outcome.status == FAILED] or bad
    said = list(dict.fromkeys(f"{outcome.message.rstrip('.')}." for outcome in causes if outcome.message))
    if len(said) > MOST_MESSAGES:
        # The lines name them all.
        said = [*said[:MOST_MESSAGES], f"And {len(said) - MOST_MESSAGES} more."]
    advice = list(dict.fromkeys(explain(outcome.kind).advice for outcome in causes if outcome.kind))
    is_remembered = any(outcome.stage == STATE_REMOVAL and outcome.message == REMEMBERED for outcome in outcomes)
    again = " What is left is remembered: run it again when that is mended." if is_remembered and not check_mode else ""
    return RemovalVerdict(Verdict(f"{summary}. {' '.join([*said, *advice])}{again}", failed=True), tuple(lines))


def _service(name: str, outcomes: t.Sequence[Outcome], check_mode: bool) -> list[str]:
    lines = [name]
    for stage, label in LABELS.items():
        own = [outcome for outcome in outcomes if outcome.stage == stage]
        for text in _sentences(own, check_mode):
            lead = f"  {label:<{INDENT - 2}}"
            lines += textwrap.wrap(
                text,
                WIDTH,
                initial_indent=lead,
                subsequent_indent=" " * INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
            label = ""
    return lines


def _sentences(outcomes: t.Sequence[Outcome], check_mode: bool) -> t.Iterator[str]:
    words = (
        (CHANGED, "would be removed" if check_mode else "removed"),
        (OK, "nothing there"),
        (FAILED, "NOT REMOVED"),
        (SKIPPED, "NOT REMOVED, not tried"),
    )
    for status, word in words:
        found = [outcome for outcome in outcomes if outcome.status == status]
        if not found:
            continue
        names = ", ".join(outcome.node or outcome.credd for outcome in found if outcome.node or outcome.credd)
        remarks = [] if status in (FAILED, SKIPPED) else list(dict.fromkeys(o.message for o in found if o.message))
        yield word + (f": {names}" if names else "") + "".join(f" ({text})" for text in remarks)
