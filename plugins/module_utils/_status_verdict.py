# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Decide whether everything is well, and say what is not, since when, and what to do. Pure.

Green is only what is known to be well: configured services, all of whose tokens are where they belong and young enough,
after a recent good run. Nothing known is never green.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words, is_shorter
from ansible_collections.fife.managed_tokens.plugins.module_utils._kinds import KINDS, OPERATOR, VAULT, explain
from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import (
    OFFBOARDING,
    REFRESH_UIDS,
    TOKEN_PUSH,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import PUSH, SETUP, STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    BAD_RESULTS,
    INTERRUPTED,
    NOTHING,
    RunStatus,
    ServiceStatus,
    Status,
    Target,
)

GREEN, YELLOW, RED = "green", "yellow", "red"
_STAGES = {SETUP: "set-up", TICKETS: "ticket", STORE: "token store", PUSH: "push"}
# Programs whose last run counts; whoever has started another one by hand sees how it goes.
WATCHED = (TOKEN_PUSH, REFRESH_UIDS, OFFBOARDING)
LATE_ADVICE = "See whether runs still begin (cron, systemd, AWX) and reach these places: --limit leaves others out."
RUN_ADVICE = "Read what the run printed; the next run that goes well ends this."
NEVER_ADVICE = "Nothing, if it is new: the next run that serves it ends this."
LATE, NEVER, UNKNOWN = "No token for too long", "Never tried yet", "Nothing is known yet"
MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not well: where, what, since when (seconds since the epoch, 0.0 for not known), and what to
    do.

    `kind` is one of the table of kinds, or "" for what no stage has reported; `sort` says in a few words what it has in
    common with its like.
    """

    where: str
    what: str
    sort: str
    since: float = 0.0
    kind: str = ""
    advice: str = ""
    who: str = OPERATOR
    failures: int = 0
    told: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether everything is well: the colour, a title of a few words, the reasons in sentences, and every finding."""

    colour: str
    title: str
    reasons: tuple[str, ...]
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def is_green(self) -> bool:
        return self.colour == GREEN


def decide(status: Status, *, max_age: float, uid_max_age: float, min_life: float) -> Verdict:
    """Judge how things stand: `max_age` in seconds is how long ago the last success may be, `uid_max_age` how long ago
    somebody has confirmed a UID, and `min_life` how long a token lives at least when it has been stored."""
    problems = [*_of_the_database(status), *_failing(status), *_leftovers(status)]
    late, is_all_late = _late(status, max_age)
    problems += late
    # A run that failed has left what fails; by itself it counts when that is all that is known of it.
    problems += [item for run in status.last for item in _of_run(run, has_more=bool(problems))]
    warnings = [] if status.trouble else [*_unknown(status, is_all_late), *_left_out(status, max_age)]
    warnings += [*_short_lives(status, min_life), *_left_behind(status), *_old_uids(status, uid_max_age)]
    if problems:
        return Verdict(RED, counted(len(problems), "problem"), _reasons(problems), tuple(problems), tuple(warnings))
    if warnings:
        return Verdict(YELLOW, counted(len(warnings), "warning"), _reasons(warnings), (), tuple(warnings))
    pairs = sum(len(service.nodes) for service in status.services)
    sentence = (
        f"{counted(len(status.services), 'service')}, {counted(pairs, '(service, node) pair')}: "
        f"every token was brought up to date within the last {in_words(max_age)}."
    )
    return Verdict(GREEN, "all well", (sentence,))


def counted(number: int, what: str) -> str:
    """Say how many there are of something."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _of_the_database(status: Status) -> t.Iterator[Finding]:
    if status.trouble:
        yield Finding(
            "state database",
            status.trouble,
            "The state database cannot be read",
            advice="Check managed_tokens_database and what it names.",
        )
    for kind, message in status.untold:
        yield _explained("the run that has just ended", message, kind)


def _failing(status: Status) -> t.Iterator[Finding]:
    for service in status.services:
        for target in service.failing:
            yield _explained(
                where(service, target),
                _without_place(target.message, service, target),
                target.kind,
                since=target.failing_since,
                failures=target.failures,
                told=target.told,
            )


def where(service: ServiceStatus, target: Target) -> str:
    """Say which attempt of which service it is."""
    if target.stage == PUSH:
        return f"{service.name} on {target.name}"
    if target.name:
        return f"{service.name}, {_STAGES.get(target.stage, target.stage)} on {target.name}"
    return f"{service.name}, {_STAGES.get(target.stage, target.stage)}"


def _without_place(message: str, service: ServiceStatus, target: Target) -> str:
    """Leave out what stands beside the message anyway: the stages begin theirs with service and place."""
    for name in (service.name, service.real_name):
        for beginning in (f"{name} on {target.name}: ", f"{name}: "):
            if message.startswith(beginning):
                return message.removeprefix(beginning)
    return message


def _leftovers(status: Status) -> t.Iterator[Finding]:
    for item in status.leftovers:
        yield _explained(item.what, item.message, item.kind, since=item.since)


def _late(status: Status, max_age: float) -> tuple[list[Finding], bool]:
    """Find what got no token for too long although nothing says that it fails; tell also whether that is everything,
    because no run has gone well for so long."""
    limit = status.taken - max_age
    late: dict[str, list[Target]] = {}
    for service in status.services:
        found = [
            target
            for target in service.targets
            if target.attempted and target.succeeded < limit and not target.is_failure and not target.is_left_out
        ]
        # What fails before the push says enough of the nodes that are not reached.
        if found and not any(target.stage != PUSH for target in service.failing):
            late[service.name] = found
    if status.services and status.last_well and status.last_well < limit:
        places = sum(len(found) for found in late.values())
        text = (
            f"No run has been well for {in_words(status.taken - status.last_well)}, longer than {in_words(max_age)}"
            + (f"; {counted(places, 'place')} of {counted(len(late), 'service')} had no token since." if late else ".")
        )
        return [Finding("all runs", text, LATE, status.last_well, advice=LATE_ADVICE)], True
    return [_late_service(status, name, found, max_age) for name, found in late.items()], False


def _late_service(status: Status, name: str, found: t.Sequence[Target], max_age: float) -> Finding:
    oldest = min(target.succeeded for target in found)
    names = [target.name or _STAGES.get(target.stage, target.stage) for target in found]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    text = (
        f"No token for longer than {in_words(max_age)}"
        + (f", on the oldest for {in_words(status.taken - oldest)}" if oldest else "")
        + f": {', '.join(names[:MOST_NAMES])}{more}."
    )
    return Finding(name, text, LATE, oldest, advice=LATE_ADVICE)


def _of_run(run: RunStatus, *, has_more: bool) -> t.Iterator[Finding]:
    if (
        run.program not in WATCHED
        or run.result not in BAD_RESULTS
        or (has_more and run.result not in (INTERRUPTED, NOTHING))
    ):
        return
    said = f": {run.words}" if run.words else "."
    if run.result == INTERRUPTED:
        known = explain("interrupted")
        yield Finding(
            f"{run.program}, run {run.id}",
            f"The last run was interrupted{said}",
            known.sentence,
            run.started,
            "interrupted",
            known.advice,
        )
        return
    what = "did nothing" if run.result == NOTHING else "failed"
    yield Finding(
        f"{run.program}, run {run.id}",
        f"The last run {what}{said}",
        f"The last run {what}",
        run.ended,
        advice=RUN_ADVICE,
    )


def _unknown(status: Status, is_all_late: bool) -> t.Iterator[Finding]:
    if not status.services:
        yield Finding(
            "all services",
            f"No service is configured as far as the state database {status.label}".rstrip() + " knows.",
            UNKNOWN,
            advice="Run the playbook token_push; it writes down what is configured.",
        )
        return
    if not status.last_well and not is_all_late:
        text = f"No run of {TOKEN_PUSH} that was well is remembered."
        yield Finding("all runs", text, UNKNOWN, advice="Run the playbook token_push.")
    for service in status.services:
        never = [target.name for target in service.nodes if not target.attempted]
        if not service.credds and not service.failing:
            yield Finding(service.name, "Nobody has tried yet to store its token.", NEVER, advice=NEVER_ADVICE)
        elif never and not any(target.stage != PUSH for target in service.failing):
            more = f" and {len(never) - MOST_NAMES} more" if len(never) > MOST_NAMES else ""
            text = f"Never tried yet: {', '.join(never[:MOST_NAMES])}{more}."
            yield Finding(service.name, text, NEVER, advice=NEVER_ADVICE)


def _left_out(status: Status, max_age: float) -> t.Iterator[Finding]:
    for service in status.services:
        for target in service.credds:
            if target.is_left_out and not target.is_failure and target.succeeded < status.taken - max_age:
                yield Finding(
                    f"{service.name} on {target.name}",
                    "Later runs stored the token elsewhere, and not here.",
                    "No longer among the credds",
                    target.succeeded,
                    advice="Nothing, if the credd is no longer to be used: it leaves this view within a day. Otherwise "
                    "check that it is advertised in the collector, or named in the configuration.",
                )


def _short_lives(status: Status, min_life: float) -> t.Iterator[Finding]:
    for service in status.services:
        for target in service.credds:
            life = target.expires - target.succeeded
            if target.is_failure or target.is_left_out or not is_shorter(life, min_life):
                continue
            ending = (
                f"ends in {in_words(target.expires - status.taken)}"
                if target.expires > status.taken
                else f"has ended {in_words(status.taken - target.expires)} ago"
            )
            yield Finding(
                f"{service.name} on {target.name}" if target.name else service.name,
                f"Its token {ending}: it got only {in_words(life)}, less than {in_words(min_life)}.",
                "Tokens that live too short",
                advice="Have it found out in vault which limit (max_ttl) cuts the tokens' life, or lower "
                "managed_tokens_min_token_lifetime.",
                who=VAULT,
            )


def _left_behind(status: Status) -> t.Iterator[Finding]:
    for service in status.services:
        for target in service.strays:
            yield Finding(
                f"{service.name} on {target.name}",
                "Its token is still there, although it is no longer configured for this node.",
                "Tokens left on nodes that are no longer configured",
                target.succeeded,
                advice=f"Run the playbook offboarding with managed_tokens_node={target.name}, or put the node back "
                "(docs/offboarding.md).",
            )


def _old_uids(status: Status, uid_max_age: float) -> t.Iterator[Finding]:
    accounts = {
        service.account: service
        for service in status.services
        if service.account and service.uid_age is not None and service.uid_age > uid_max_age
    }
    for account, service in sorted(accounts.items()):
        age = service.uid_age or 0.0
        text = f"Nobody has confirmed the UID {service.uid} for {in_words(age)}, longer than {in_words(uid_max_age)}."
        yield Finding(
            f"account {account}",
            text,
            "UIDs that nobody has confirmed for long",
            status.taken - age,
            advice="Run the playbook refresh_uids; a UID that is wrong puts the token into the wrong file.",
        )


def _explained(place: str, message: str, kind: str, **more: t.Any) -> Finding:
    known = explain(kind)
    return Finding(
        place,
        message or known.sentence,
        known.sentence,
        kind=kind if kind in KINDS else "failed",
        advice=known.advice,
        who=known.who,
        **more,
    )


def _reasons(findings: t.Sequence[Finding]) -> tuple[str, ...]:
    """Say in one sentence each what the findings are, those of one sort together."""
    groups: dict[str, list[Finding]] = {}
    for item in findings:
        groups.setdefault(item.sort, []).append(item)
    sentences = []
    for sort, found in groups.items():
        places = [item.where for item in found]
        more = f" and {len(places) - MOST_NAMES:,} more" if len(places) > MOST_NAMES else ""
        what = sort if len(found) > 1 else found[0].what
        sentences.append(f"{'; '.join(places[:MOST_NAMES])}{more}: {what.rstrip('.')}.")
    return tuple(sentences)
