# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told what: rule by rule, and any sequence of runs against rules of one key and one channel."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._outcome import Outcome
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._collected import Contact, Refusal
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import (
    EMAIL,
    PUSH,
    RUN,
    SERVICE_EMAIL,
    SETUP,
    SLACK,
    Key,
    Message,
    Untold,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_policy import Decision, channels_of, decide
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_troubles import Counters, Telling, Told
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import outcome
from ansible_collections.fife.managed_tokens.tests.unit.plugins.telling_rules import (
    CALIB,
    DUNE,
    NOVA,
    SETTINGS,
    Notebook,
    Scene,
    Sent,
    collected,
    expected,
    play,
    scenes_of_runs,
)

NODE = Key(PUSH, DUNE, "n1")
SERVICE = Key(SETUP, DUNE)
BAD_PUSH, GOOD_PUSH = outcome("push", "failed", node="n1"), outcome("push", "changed", node="n1")
BAD_STORE, GOOD_STORE = outcome("store", "failed", credd="c1"), outcome("store", "ok", credd="c1")
AT_THRESHOLD = Counters({DUNE: 3}, {(DUNE, "n1"): 3})


def of(outcome: Outcome, service: str) -> Outcome:
    return replace(outcome, service=service, config_service=service)


def keys(decision: Decision) -> dict[str, list[Key]]:
    """Give the keys of each message; there is one for each group."""
    found = {message.experiment: [notice.key for notice in message.notices] for message in decision.messages}
    assert len(found) == len(decision.messages)
    return found


def told(channel: str, *told_keys: Key, since: float = 500.0) -> Told:
    return Told({channel: {key: Telling(since, "denied") for key in told_keys}})


# Outcomes, counters, settings that differ; what each group is told of, and how many troubles are below the threshold.
TROUBLES: dict[str, tuple[list[Outcome], Counters | None, dict[str, t.Any], dict[str, list[Key]], int]] = {
    "all is well": ([GOOD_STORE, GOOD_PUSH], Counters(), {}, {}, 0),
    "below": ([BAD_PUSH], Counters(push={(DUNE, "n1"): 2}), {}, {}, 1),
    "at": ([BAD_PUSH], AT_THRESHOLD, {}, {"": [NODE], "dune": [NODE]}, 0),
    "above": ([BAD_PUSH], Counters(push={(DUNE, "n1"): 9}), {}, {"": [NODE], "dune": [NODE]}, 0),
    "at once": (
        [BAD_PUSH],
        Counters(push={(DUNE, "n1"): 1}),
        {"threshold": 1},
        {"": [NODE], "dune": [NODE]},
        0,
    ),
    "no threshold": ([BAD_PUSH], Counters(), {"threshold": 0}, {}, 1),
    "negative threshold": (
        [BAD_PUSH],
        Counters(push={(DUNE, "n1"): 1}),
        {"threshold": -3},
        {"": [NODE], "dune": [NODE]},
        0,
    ),
    "no counters": ([BAD_PUSH, BAD_STORE], None, {}, {"": [SERVICE, NODE], "dune": [NODE]}, 0),
    "set-up is for administrators": ([BAD_STORE], AT_THRESHOLD, {}, {"": [SERVICE]}, 0),
    "each failed outcome of set-up": (
        [BAD_STORE, outcome("tickets", "failed"), outcome("setup", "failed")],
        AT_THRESHOLD,
        {},
        {"": [SERVICE, SERVICE, SERVICE]},
        0,
    ),
    "each pair once": ([BAD_PUSH, BAD_PUSH], AT_THRESHOLD, {}, {"": [NODE], "dune": [NODE]}, 0),
    "a service counts once below": ([BAD_STORE, outcome("tickets", "failed")], Counters({DUNE: 1}), {}, {}, 1),
    "skipped and silent": (
        [
            outcome("push", "skipped", node="n1", kind="not_attempted"),
            outcome("setup", "skipped", kind="service_held"),
            outcome("ping", "failed", service="", config_service="", node="n1"),
        ],
        AT_THRESHOLD,
        {},
        {},
        0,
    ),
    "the service is not told": (
        [of(BAD_PUSH, CALIB)],
        Counters(push={(CALIB, "n1"): 3}),
        {},
        {"": [Key(PUSH, CALIB, "n1")]},
        0,
    ),
    "no addresses": ([of(BAD_PUSH, NOVA)], Counters(push={(NOVA, "n1"): 3}), {}, {"": [Key(PUSH, NOVA, "n1")]}, 0),
    "dropped, without a contact": (
        [of(outcome("setup", "failed"), "mu2e_production"), of(BAD_PUSH, "mu2e_production")],
        Counters({"mu2e_production": 3}, {("mu2e_production", "n1"): 3}),
        {},
        {"": [Key(SETUP, "mu2e_production"), Key(PUSH, "mu2e_production", "n1")]},
        0,
    ),
    "nobody": ([BAD_PUSH, BAD_STORE], AT_THRESHOLD, {"notify": False}, {}, 0),
    "one of two is due": (
        [BAD_PUSH, outcome("push", "failed", node="n2"), BAD_STORE],
        Counters({DUNE: 1}, {(DUNE, "n1"): 3, (DUNE, "n2"): 2}),
        {},
        {"": [NODE], "dune": [NODE]},
        2,
    ),
    "nothing is set up": (
        [BAD_PUSH],
        AT_THRESHOLD,
        {"admin_emails": (), "slack_webhook": "", "smtp_host": ""},
        {"": [NODE], "dune": [NODE]},
        0,
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_decide_who_is_told_of_which_trouble(name: str) -> None:
    outcomes, counters, changes, messages, suppressed = TROUBLES[name]
    decision = decide(collected(*outcomes), counters, Told(), replace(SETTINGS, **changes))
    assert keys(decision) == messages
    assert decision.untold.below_threshold == suppressed
    assert decision.untold.notify_off == (2 if name == "nobody" else 0)
    assert not any(message.channels for message in decision.messages)


FAILURES_OF_THE_RUN = [
    outcome("state", "failed", service="", config_service="", kind="state_unavailable"),
    outcome("registry", "failed", service="", config_service="", account="dunepro", kind="registry_refused"),
]


@pytest.mark.parametrize("counters", [None, Counters(), AT_THRESHOLD])
def test_decide_failures_of_the_run_are_told_each_time_and_not_counted(counters: Counters | None) -> None:
    run = collected(*FAILURES_OF_THE_RUN, refusals=[Refusal("Read", "bad_input", "no")], program="p")
    decision = decide(run, counters, Told(), SETTINGS)
    assert [(item.key, item.kind, item.count) for item in decision.messages[0].notices] == [
        (Key(RUN, "p"), "bad_input", 0),
        (Key(RUN, "p"), "state_unavailable", 0),
        (Key(RUN, "p"), "registry_refused", 0),
    ]
    assert (len(decision.messages), decision.untold, decision.cleared) == (1, Untold(), {})


UNCOUNTED = ({"check_mode": True}, {"was_recorded": False}, {"check_mode": True, "was_recorded": False})


@pytest.mark.parametrize("changes", UNCOUNTED)
def test_decide_what_has_not_been_counted_counts_one_more(changes: dict[str, bool]) -> None:
    run = collected(BAD_PUSH, outcome("push", "failed", node="n2"), **changes)
    decision = decide(run, Counters(push={(DUNE, "n1"): 2, (DUNE, "n2"): 1}), Told(), SETTINGS)
    assert keys(decision) == {"": [NODE], "dune": [NODE]}
    assert (decision.messages[0].notices[0].count, decision.untold) == (3, Untold(below_threshold=1))
    assert decision.cleared == {NODE: 3}


def test_decide_nobody_is_told_of_an_onboarding() -> None:
    assert decide(collected(BAD_PUSH, program="onboarding"), AT_THRESHOLD, Told(), SETTINGS).messages == ()


def test_decide_notices_say_what_failed_how_often_and_since_when() -> None:
    bad = outcome("push", "failed", node="n1", started=900.0, kind="denied", message="no")
    since = {("push", DUNE, "n1"): 700.0}
    notice = decide(collected(bad), Counters({}, {(DUNE, "n1"): 3}, since), Told(), SETTINGS).messages[0].notices[0]
    assert (notice.experiment, notice.kind, notice.message, notice.count) == ("dune", "denied", "no", 3)
    assert (notice.since, notice.is_recovery) == (700.0, False)
    begun = decide(collected(bad), AT_THRESHOLD, Told(), SETTINGS).messages[0].notices[0]
    assert begun.since == 900.0
    unknown = decide(collected(bad), None, Told(), SETTINGS).messages[0].notices[0]
    assert (unknown.since, unknown.count) == (0.0, 0)


def test_decide_one_message_for_an_experiment_in_order_whatever_the_order_of_outcomes() -> None:
    pairs = [(service, node) for service in ("dune_b", DUNE, "dune_a") for node in ("n3", "n1")]
    outcomes = [of(outcome("push", "failed", node=node), service) for service, node in pairs]
    outcomes += [of(BAD_STORE, "dune_b"), of(BAD_STORE, "dune_a")]
    contacts = {
        name: Contact("dune", emails)
        for name, emails in (("dune_b", ("b@x", "a@x")), (DUNE, ("a@x",)), ("dune_a", ("c@x",)))
    }
    decision = decide(collected(*outcomes, contacts=contacts), None, Told(), SETTINGS)
    pushes = [Key(PUSH, service, node) for service in ("dune_a", "dune_b", DUNE) for node in ("n1", "n3")]
    assert keys(decision) == {"": [Key(SETUP, "dune_a"), Key(SETUP, "dune_b"), *pushes], "dune": pushes}
    assert decision.messages[1].emails == ("b@x", "a@x", "c@x")


@pytest.mark.parametrize(
    ("changes", "emails", "channels"),
    [
        ({}, ("admin@lab.example",), (EMAIL, SLACK)),
        ({"slack_webhook": ""}, ("admin@lab.example",), (EMAIL,)),
        ({"smtp_host": ""}, ("admin@lab.example",), (SLACK,)),
        ({"test": True}, (), ()),
        ({"test": True, "test_admin_emails": ("test@x",)}, ("test@x",), (EMAIL,)),
        ({"test": True, "test_slack_webhook": "https://x"}, (), (SLACK,)),
    ],
)
def test_decide_targets_of_administrators(
    changes: dict[str, t.Any], emails: tuple[str, ...], channels: tuple[str, ...]
) -> None:
    chosen = replace(SETTINGS, **changes)
    admins, dune = decide(collected(BAD_PUSH), AT_THRESHOLD, Told(), chosen).messages
    assert (admins.emails, channels_of(admins, chosen)) == (emails, channels)
    assert dune.emails == ("a@lab.example", "b@lab.example")
    assert channels_of(dune, chosen) == ((SERVICE_EMAIL,) if chosen.smtp_host else ())


def test_decide_each_message_says_how_much_was_held_back_from_its_recipients() -> None:
    more = [outcome("push", "failed", node="n2"), of(BAD_PUSH, CALIB), of(BAD_PUSH, NOVA), of(BAD_STORE, NOVA)]
    decision = decide(collected(BAD_PUSH, *more), AT_THRESHOLD, Told(), SETTINGS)
    assert [(message.experiment, message.suppressed) for message in decision.messages] == [("", 4), ("dune", 1)]
    assert decision.untold == Untold(below_threshold=4)


# -- the end of a trouble ---------------------------------------------

# Outcomes; whether what DUNE's set-up and its node n1 were told of is over.
ENDS: dict[str, tuple[list[Outcome], list[Key]]] = {
    "stored": ([outcome("tickets", "ok"), GOOD_STORE], [SERVICE]),
    "a ticket alone": ([outcome("setup", "ok"), outcome("tickets", "ok")], []),
    "one credd of two": ([GOOD_STORE, outcome("store", "failed", credd="c2")], []),
    "one credd of two, in the other order": ([outcome("store", "failed", credd="c2"), GOOD_STORE], []),
    "stored without a part of set-up": ([GOOD_STORE, outcome("setup", "failed")], []),
    "one credd reused": ([GOOD_STORE, outcome("store", "skipped", credd="c2")], [SERVICE]),
    "all credds reused": ([outcome("store", "skipped", credd="c1")], []),
    "pushed": ([GOOD_PUSH], [NODE]),
    "pushed, nothing to change": ([outcome("push", "ok", node="n1")], [NODE]),
    "not pushed": ([outcome("push", "skipped", node="n1")], []),
    "failed too": ([GOOD_PUSH, BAD_PUSH], []),
    "another node": ([outcome("push", "ok", node="n2")], []),
    "another service": ([of(GOOD_PUSH, NOVA), of(GOOD_STORE, NOVA)], []),
    "answers ping": ([outcome("ping", "ok", service="", config_service="", node="n1")], []),
    "nothing": ([], []),
    "both": ([GOOD_PUSH, GOOD_STORE], [SERVICE, NODE]),
}


@pytest.mark.parametrize("name", ENDS)
def test_decide_an_end_is_told_when_what_failed_went_well(name: str) -> None:
    outcomes, over = ENDS[name]
    decision = decide(collected(*outcomes), Counters(), told(EMAIL, SERVICE, NODE), SETTINGS)
    ends = [notice for message in decision.messages for notice in message.notices if notice.is_recovery]
    assert [notice.key for notice in ends] == over
    assert all((notice.kind, notice.since, notice.experiment) == ("denied", 500.0, "dune") for notice in ends)


EMAIL_AND_SLACK = Told({channel: {NODE: Telling(since)} for channel, since in ((EMAIL, 500.0), (SLACK, 510.0))})
TO_WHOM: tuple[tuple[Told, dict[str, t.Any], list[tuple[str, ...]]], ...] = (
    (Told(), {}, []),
    (told(EMAIL, NODE), {}, [(EMAIL,)]),
    (told(SLACK, NODE), {}, [(SLACK,)]),
    (told(SERVICE_EMAIL, NODE), {}, [(SERVICE_EMAIL,)]),
    (EMAIL_AND_SLACK, {}, [(EMAIL, SLACK)]),
    # It has to wait until there is a way to tell it.
    (EMAIL_AND_SLACK, {"slack_webhook": ""}, [(EMAIL,)]),
    (EMAIL_AND_SLACK, {"smtp_host": ""}, [(SLACK,)]),
    (told(EMAIL, NODE), {"admin_emails": ()}, []),
    (told(SERVICE_EMAIL, NODE), {"smtp_host": ""}, []),
    (told(EMAIL, NODE), {"notify": False}, []),
)


@pytest.mark.parametrize(("before", "changes", "channels"), TO_WHOM)
def test_decide_an_end_is_told_to_those_who_were_told(
    before: Told, changes: dict[str, t.Any], channels: list[tuple[str, ...]]
) -> None:
    chosen = replace(SETTINGS, **changes)
    decision = decide(collected(GOOD_PUSH), Counters(), before, chosen)
    assert [channels_of(message, chosen) for message in decision.messages] == channels


@pytest.mark.parametrize("contact", [Contact("dune"), Contact("dune", ("a@x",), notify=False)])
def test_decide_an_end_is_not_told_to_people_who_want_to_hear_nothing_now(contact: Contact) -> None:
    run = collected(GOOD_PUSH, contacts={DUNE: contact})
    assert decide(run, Counters(), told(SERVICE_EMAIL, NODE), SETTINGS).messages == ()


# -- channels that did not accept -------------------------------------

ONCE = Counters(push={(DUNE, "n1"): 1}, since={("push", DUNE, "n1"): 400.0})
MISSED: dict[str, tuple[Told, list[tuple[str, ...]]]] = {
    "nobody was told": (Told(), []),
    "only mail was": (told(EMAIL, NODE), [(SLACK,), (SERVICE_EMAIL,)]),
    "only Slack was": (told(SLACK, NODE), [(EMAIL,), (SERVICE_EMAIL,)]),
    "only the experiment was": (told(SERVICE_EMAIL, NODE), [(EMAIL, SLACK)]),
    "the experiment was not": (EMAIL_AND_SLACK, [(SERVICE_EMAIL,)]),
    "all were": (Told({channel: {NODE: Telling(500.0)} for channel in (EMAIL, SLACK, SERVICE_EMAIL)}), []),
    # Of a trouble that ended, which Slack could not be told.
    "Slack was, of an earlier one": (told(SLACK, NODE, since=300.0), []),
}


@pytest.mark.parametrize("name", MISSED)
def test_decide_a_channel_that_did_not_accept_is_told_again_below_the_threshold(name: str) -> None:
    before, channels = MISSED[name]
    decision = decide(collected(BAD_PUSH), ONCE, before, SETTINGS)
    assert [channels_of(message, SETTINGS) for message in decision.messages] == channels
    assert decision.untold == Untold(
        below_threshold=int(name in ("nobody was told", "Slack was, of an earlier one")),
        reminder_not_due=int(name == "all were"),
    )
    # The rhythm of reminders stays that of those who were told in time.
    assert decision.cleared == {}


def test_decide_when_the_two_channels_of_administrators_differ_each_has_its_message() -> None:
    other = Key(PUSH, NOVA, "n1")
    run = collected(BAD_PUSH, of(BAD_PUSH, NOVA))
    counters = Counters(push={(DUNE, "n1"): 1, (NOVA, "n1"): 3}, since=ONCE.since)
    mail, slack = decide(
        run, counters, Told({SLACK: {NODE: Telling(500.0)}, SERVICE_EMAIL: {NODE: Telling(500.0)}}), SETTINGS
    ).messages
    assert [notice.key for notice in mail.notices] == [NODE, other]
    assert [notice.key for notice in slack.notices] == [other]
    assert (mail.is_for(SLACK), slack.is_for(EMAIL), slack.emails) == (False, False, ())


# -- any sequence of runs ---------------------------------------------


@settings(max_examples=300)
@given(scenes_of_runs(20), st.integers(-1, 4))
def test_decide_any_runs_tell_what_the_rules_say(scenes: list[Scene], threshold: int) -> None:
    played = list(play(Notebook(), scenes, replace(SETTINGS, threshold=threshold)))
    assert [told for _decision, told in played] == list(expected(scenes, threshold))
    for scene, (decision, _told) in zip(scenes, played, strict=True):
        told_of = {item.key for message in decision.messages for item in message.notices if not item.is_recovery}
        untold = decision.untold.below_threshold + decision.untold.reminder_not_due
        assert len(told_of) + untold == list(scene.events.values()).count("bad")


@given(scenes_of_runs(8), st.integers(1, 3))
def test_decide_any_runs_give_messages_in_order_and_nothing_twice(scenes: list[Scene], threshold: int) -> None:
    chosen = replace(SETTINGS, threshold=threshold)
    for decision, _sent in play(Notebook(), scenes, chosen):
        groups = [message.experiment for message in decision.messages]
        assert groups == sorted(groups)
        ways = [(message.experiment, way) for message in decision.messages for way in channels_of(message, chosen)]
        assert len(ways) == len(set(ways))
        for message in decision.messages:
            assert message.notices
            told_keys = [notice.key for notice in message.notices]
            assert len(told_keys) == len(set(told_keys))
            order = [(item.is_recovery, item.key.sort == PUSH, item.key) for item in message.notices]
            assert order == sorted(order, key=lambda item: (*item[:2], item[2].service, item[2].node))


def test_expected_rules_for_one_scene_by_hand() -> None:
    """The rules themselves, on the scene that everybody asks about: mail down at the threshold, then up."""
    events = {NODE: "bad"}
    no_mail = {SLACK}
    scenes = [Scene(events), Scene(events), Scene(events, no_mail), Scene(events), Scene(events), Scene({NODE: "well"})]
    everybody: Sent = {(channel, NODE, False) for channel in (EMAIL, SLACK, SERVICE_EMAIL)}
    sent = list(expected(scenes, 3))
    assert sent[:4] == [set(), set(), everybody, everybody - {(SLACK, NODE, False)}]
    assert sent[4:] == [set(), {(channel, NODE, True) for channel in (EMAIL, SLACK, SERVICE_EMAIL)}]


def test_channels_of_a_message_without_addresses_are_none() -> None:
    assert channels_of(Message("dune", (), ()), SETTINGS) == ()
    assert channels_of(Message("", ("a@x",), ()), ReportSettings()) == ()
