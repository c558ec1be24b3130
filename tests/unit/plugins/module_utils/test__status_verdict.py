# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour, and what it is for: a table of everything that can be not well."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import OFFBOARDING, REFRESH_UIDS
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import SETUP, STORE, TICKETS
from ansible_collections.fife.managed_tokens.plugins.module_utils._status import (
    FAILED,
    GOING,
    INTERRUPTED,
    NOTHING,
    Leftover,
    Status,
    Target,
)
from ansible_collections.fife.managed_tokens.plugins.module_utils._status_verdict import GREEN, RED, YELLOW
from ansible_collections.fife.managed_tokens.tests.unit.plugins.status_scenes import (
    HOUR_S,
    MAX_AGE_S,
    NOW,
    UID_MAX_AGE_S,
    failing,
    judged,
    run_status,
    service_status,
    status,
    target,
)

WELL = service_status()
CREDD = "credd1.lab.example"
LATE_S = MAX_AGE_S + 60


def living(hours: float, name: str = CREDD, **changes: t.Any) -> Target:
    """Give a credd at which a token was stored a minute ago that got so many hours, 0 for not known."""
    return target(name, STORE, expires=hours and NOW - 60 + hours * HOUR_S, **changes)


OLD = target("n1.lab.example", ago=LATE_S)
CASES: dict[str, tuple[Status, str, str]] = {
    "all well": (status(WELL), GREEN, "1 service, 2 (service, node) pairs: every token was brought up to date"),
    "a run is going on": (status(WELL, recent=(run_status(GOING), run_status())), GREEN, "1 service"),
    "a node fails": (
        status(service_status(nodes=(failing(),))),
        RED,
        "dune_production on n1.lab.example: The connection",
    ),
    "a credd fails": (
        status(service_status(credds=(failing(CREDD, STORE),))),
        RED,
        "dune_production, token store on credd1.lab.example",
    ),
    "the ticket fails": (
        status(service_status(setup=(failing("", TICKETS, ago=30),))),
        RED,
        "dune_production, ticket: ",
    ),
    "the ticket failed before the last store": (
        status(service_status(setup=(failing("", TICKETS, ago=90),))),
        GREEN,
        "1 service",
    ),
    "a node is late": (
        status(service_status(nodes=(OLD,))),
        RED,
        "dune_production: No token for longer than 3 h, on the oldest for 3 h: n1.lab.example.",
    ),
    "a node is just young enough": (status(service_status(nodes=(target(ago=MAX_AGE_S),))), GREEN, ""),
    "a credd is late": (
        status(service_status(credds=(target(CREDD, STORE, ago=LATE_S),))),
        RED,
        "No token for longer than 3 h",
    ),
    "a credd is late, and later runs left it out": (
        status(service_status(credds=(target("c2", STORE), target(CREDD, STORE, ago=LATE_S, is_left_out=True)))),
        YELLOW,
        "Later runs stored the token elsewhere",
    ),
    "a credd was left out, and is not late": (
        status(service_status(credds=(target("c2", STORE), target(CREDD, STORE, ago=90, is_left_out=True)))),
        GREEN,
        "",
    ),
    "no run was well for long": (
        status(service_status(nodes=(OLD,)), last_well=NOW - LATE_S),
        RED,
        "all runs: No run has been well for 3 h, longer than 3 h; 1 place of 1 service had no token since.",
    ),
    "no run is remembered to have been well": (status(WELL, last_well=0.0), YELLOW, "No run of token-push"),
    "the last run failed": (
        status(WELL, last=(run_status(FAILED, words="0 of 1 services well."),)),
        RED,
        "token-push, run r1: The last run failed: 0 of 1 services well.",
    ),
    "the last run was interrupted": (
        status(WELL, last=(run_status(INTERRUPTED),)),
        RED,
        "The last run was interrupted",
    ),
    "the last run did nothing": (status(WELL, last=(run_status(NOTHING),)), RED, "The last run did nothing"),
    "the last refresh failed": (status(WELL, last=(run_status(FAILED, program=REFRESH_UIDS),)), RED, "failed"),
    "a run of another program failed": (status(WELL, last=(run_status(FAILED, program="other"),)), GREEN, ""),
    "the last offboarding failed": (status(WELL, last=(run_status(FAILED, program=OFFBOARDING),)), RED, "failed"),
    "an account is not known": (
        status(WELL, leftovers=(Leftover("account x", "account_unknown", "The registry does not know x.", NOW),)),
        RED,
        "account x: The registry does not know x.",
    ),
    "the database cannot be read": (
        Status(NOW, trouble="The state database x is locked."),
        RED,
        "state database: The state database x is locked.",
    ),
    "the run was refused": (
        status(WELL, untold=(("bad_input", "No experiment x."),)),
        RED,
        "the run that has just ended: No experiment x.",
    ),
    "nothing is known": (Status(NOW), YELLOW, "No service is configured as far as the state database knows."),
    "no service": (status(), YELLOW, "No service is configured"),
    "a service was never tried": (
        status(WELL, service_status("nova_production", credds=(), nodes=())),
        YELLOW,
        "nova_production: Nobody has tried yet to store its token.",
    ),
    "a node was never tried": (
        status(service_status(nodes=(target("n1"), target("n2", attempted=0.0, succeeded=0.0)))),
        YELLOW,
        "dune_production: Never tried yet: n2.",
    ),
    "a UID is old": (
        status(service_status(uid_age=UID_MAX_AGE_S + HOUR_S)),
        YELLOW,
        "account dunepro: Nobody has confirmed the UID 50100 for 7 d, longer than 7 d.",
    ),
    "a token was given little life": (
        status(service_status(credds=(living(2),))),
        YELLOW,
        "dune_production on credd1.lab.example: Its token ends in 2 h: it got only 2 h, less than 3 d.",
    ),
    "a token was given so little life that it has ended": (
        status(service_status(credds=(living(0.01),))),
        YELLOW,
        "Its token has ended 24 s ago: it got only 36 s",
    ),
    "tokens without credds were given little life": (
        status(service_status(credds=(living(12, name=""),))),
        YELLOW,
        "dune_production: Its token ends in 12 h",
    ),
    "a token was given just enough life": (status(service_status(credds=(living(71),))), GREEN, ""),
    "nobody knows how long a token lives": (status(service_status(credds=(living(0),))), GREEN, ""),
    "a token of little life is on a credd that is left out": (
        status(service_status(credds=(target("c2", STORE), living(2, is_left_out=True)))),
        GREEN,
        "",
    ),
    "a credd fails that had a token of little life": (
        status(service_status(credds=(failing(CREDD, STORE, expires=NOW),))),
        RED,
        "The connection was lost",
    ),
    "a token was left behind": (
        status(service_status(strays=(target("n3", ago=90 * HOUR_S),))),
        YELLOW,
        "dune_production on n3: Its token is still there, although it is no longer configured for this node.",
    ),
    "a UID is not known": (status(service_status(uid=0, uid_age=None)), GREEN, ""),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_decide_gives_the_colour_and_the_reason(case: str) -> None:
    found, colour, reason = CASES[case]
    verdict = judged(found)
    assert verdict.colour == colour
    assert any(reason in sentence for sentence in verdict.reasons), verdict.reasons
    assert verdict.is_green == (not verdict.problems and not verdict.warnings)


def test_decide_what_failed_explains_the_failed_run_and_what_was_never_reached() -> None:
    late = service_status(setup=(failing("", SETUP, ago=30),), credds=(target(CREDD, STORE, ago=LATE_S),), nodes=(OLD,))
    verdict = judged(status(late, last=(run_status(FAILED),)))
    assert [(item.where, item.kind) for item in verdict.problems] == [("dune_production, set-up", "connection_broken")]
    assert verdict.title == "1 problem"


def test_decide_says_what_many_have_in_common_once() -> None:
    nodes = tuple(failing(f"n{number}", message="") for number in range(5))
    (sentence,) = judged(status(service_status(nodes=nodes))).reasons
    assert sentence == (
        "dune_production on n0; dune_production on n1; dune_production on n2 and 2 more: "
        "The ssh connection to the node was made and then lost."
    )


def test_decide_an_unknown_kind_has_an_advice() -> None:
    (item,) = judged(status(service_status(nodes=(failing(kind="of_tomorrow", message=""),)))).problems
    assert item.kind == "failed"
    assert item.advice


@given(
    st.lists(
        st.builds(
            lambda is_bad, ago, later: failing() if is_bad else target(ago=ago, is_left_out=later),
            st.booleans(),
            st.floats(0, 1e6),
            st.just(False),
        ),
        max_size=4,
    ),
    st.floats(0, 1e6),
)
def test_decide_green_is_only_what_is_known_to_be_well(nodes: list, last: float) -> None:  # type: ignore[type-arg]
    verdict = judged(status(service_status(nodes=tuple(nodes)), last_well=NOW - last))
    if verdict.is_green:
        assert last <= MAX_AGE_S
        assert all(not node.is_failure and node.succeeded >= NOW - MAX_AGE_S for node in nodes)
    elif verdict.colour == RED:
        assert verdict.problems
