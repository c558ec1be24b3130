# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build what the report begins with: runs as seen from outside, and messages that were sent."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._memory import REFRESH_UIDS
from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import STAGES, STATUSES, Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Collected, Contact, Refusal
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, PUSH, Delivery, Key
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY, outcome

BEGAN = 1_790_000_000.0
NASTY = f"\x1b[31mred\x1b[0m\r\n<b>&\x00 100% {CANARY} \u2028\u202e\udcff end"


def at(stage: str, status: str, /, **changes: t.Any) -> Outcome:
    """Give an outcome of dune_production that began with the run."""
    return outcome(stage, status, **{"started": BEGAN + 1.5, "seconds": 0.25, **changes})


def good_run(**changes: t.Any) -> Collected:
    """Give a run of one service on one credd and two nodes, all well."""
    outcomes = [
        at("setup", "ok"),
        at("tickets", "ok"),
        at("store", "changed", credd="credd1.lab.example", life=86400.0),
        at("ping", "ok", service="", config_service="", node="n1.lab.example"),
        at("push", "changed", node="n1.lab.example"),
        at("push", "ok", node="n2.lab.example"),
    ]
    return collected(outcomes, **changes)


def bad_run(**changes: t.Any) -> Collected:
    """Give a run in which one node of two could not be served."""
    outcomes = [
        at("tickets", "ok"),
        at("store", "ok", credd="credd1.lab.example"),
        at("ping", "failed", service="", config_service="", node="n2.lab.example", kind="ping_unanswered"),
        at("push", "ok", node="n1.lab.example"),
        at("push", "failed", node="n2.lab.example", kind="node_unreachable", message="No ssh server answered."),
    ]
    return collected(outcomes, **{"unreachable": ("n2.lab.example",), **changes})


def refused_run(**changes: t.Any) -> Collected:
    """Give a run that could not begin."""
    return collected([], run="", refusals=[Refusal("Look up services", "bad_input", "No experiment x.")], **changes)


def refresh_run(**changes: t.Any) -> Collected:
    """Give a refresh of UIDs with one account of two unknown."""
    outcomes = [
        Outcome("registry", "changed", account="dunepro", started=BEGAN, message="account dunepro has the UID 1."),
        Outcome("registry", "failed", account="novapro", started=BEGAN, kind="account_unknown", message="not known"),
    ]
    return collected(outcomes, program=REFRESH_UIDS, **changes)


def collected(outcomes: list[Outcome], /, **changes: t.Any) -> Collected:
    """Give a run of ten seconds with these outcomes."""
    values: dict[str, t.Any] = {
        "run": "0123456789ab",
        "started": BEGAN,
        "ended": BEGAN + 10,
        "outcomes": outcomes,
        "contacts": {"dune_production": Contact("dune", ("a@lab.example",))},
        "hosts": ("n1.lab.example", "n2.lab.example"),
    }
    return Collected(**{**values, **changes})


def nasty_run() -> Collected:
    """Give a run all of whose texts are hostile."""
    texts = dict.fromkeys(("service", "config_service", "node", "credd", "account", "kind", "message"), NASTY)
    long = {**texts, "message": NASTY * 20_000}
    outcomes = [at(stage, "failed", **(long if stage == "push" else texts)) for stage in STAGES]
    return collected(
        outcomes,
        program=NASTY,
        run=NASTY,
        msg=NASTY,
        contacts={},
        refusals=[Refusal(NASTY, NASTY, NASTY * 20_000)],
    )


def many_failures(pairs: int) -> Collected:
    """Give a run in which this many pairs of a service and a node failed."""
    return collected(
        [
            at(
                "push",
                "failed",
                config_service=f"service{number % 30}",
                node=f"n{number}.lab.example",
                kind="connection_broken",
                message=f"The connection to n{number}.lab.example was lost while writing /tmp/vt_u50100.",
            )
            for number in range(pairs)
        ]
    )


def delivery(problem: str = "", **changes: t.Any) -> Delivery:
    """Give a mail to the administrators that told of one trouble."""
    keys = (Key(PUSH, "dune_production", "n2.lab.example"),)
    values: dict[str, t.Any] = {
        "channel": EMAIL, "target": "", "keys": keys, "started": BEGAN + 10, "seconds": 0.5, "problem": problem
    }  # fmt: skip
    return Delivery(**{**values, **changes})


def any_outcome() -> st.SearchStrategy[Outcome]:
    """Give outcomes with any texts and any numbers, also those that no stage makes."""
    words = st.text(st.characters(), max_size=30)  # surrogates too
    names = st.sampled_from(("", "dune_production", "nova_production", "n1")) | words
    numbers = st.floats() | st.integers(-(10**400), 10**400)
    return st.builds(
        Outcome,
        stage=st.sampled_from(STAGES) | words,
        status=st.sampled_from(STATUSES) | words,
        service=names,
        config_service=names,
        node=names,
        credd=names,
        account=names,
        started=numbers,
        seconds=numbers,
        kind=st.sampled_from(("", "service_held", "node_unreachable")) | words,
        message=words,
        life=numbers,
    )


def any_run() -> st.SearchStrategy[Collected]:
    """Give any run."""
    words = st.text(st.characters(), max_size=30)
    return st.builds(
        Collected,
        program=st.text("abcXYZ\u00e4\u00df\u6f22\u5b57", min_size=1, max_size=30),
        run=words,
        started=st.floats(),
        ended=st.floats(),
        check_mode=st.booleans(),
        outcomes=st.lists(any_outcome(), max_size=6),
        contacts=st.dictionaries(words, st.builds(Contact, words), max_size=2),
        refusals=st.lists(st.builds(Refusal, words, words, words), max_size=2),
        msg=words,
    )
