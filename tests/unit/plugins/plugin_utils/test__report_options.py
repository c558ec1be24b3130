# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad setting is one sentence without its value, and costs no other setting."""

from __future__ import annotations

import typing as t

import pytest
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_options import (
    NO_TEMPLATE,
    UNDEFINED,
    WANTED,
    Given,
    settings_of,
)
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings

CANARY = "CANARY"


def written(value: t.Any) -> t.Any:
    """Give a value as Ansible reads it from group_vars, where every text may be a template."""
    if isinstance(value, str):
        return trust_as_template(value)
    return [written(entry) for entry in value] if isinstance(value, list) else value


def given(**variables: t.Any) -> Given:
    trusted = {f"managed_tokens_{name}": written(value) for name, value in variables.items()}
    return settings_of(trusted, Templar(DataLoader(), trusted))


GOOD: tuple[tuple[dict[str, t.Any], dict[str, t.Any]], ...] = (
    ({}, {}),
    ({"smtp_port": "465", "threshold": 2, "send_timeout": 3}, {"smtp_port": 465, "threshold": 2, "send_timeout": 3.0}),
    ({"admin_emails": ["a@b", "{{ managed_tokens_mail_from }}"], "mail_from": "c@d"}, {"admin_emails": ("a@b", "c@d")}),
    ({"admin_emails": "a@b, c@d"}, {"admin_emails": ("a@b", "c@d")}),
    ({"slack_webhook": "{{ managed_tokens_other }}", "other": "https://x"}, {"slack_webhook": "https://x"}),
    ({"notify": "no", "notifications_test": "{{ 1 == 1 }}"}, {"notify": False, "test": True}),
    ({"pushgateway_grouping": {"a": "b"}}, {"pushgateway_grouping": {"a": "b"}}),
    ({"smtp_password": None, "notify": "{{ none }}", "threshold": None}, {}),
)


@pytest.mark.parametrize(("variables", "values"), GOOD)
def test_settings_of_good_variables(variables: dict[str, t.Any], values: dict[str, t.Any]) -> None:
    found = given(**variables)
    assert found.problems == ()
    for name, value in values.items():
        assert getattr(found.settings, name) == value


BAD: tuple[tuple[str, t.Any, str], ...] = (
    ("smtp_password", "s3{#CANARY", NO_TEMPLATE),
    ("smtp_password", "s3{{CANARY", NO_TEMPLATE),
    ("smtp_password", "s3{%CANARY", NO_TEMPLATE),
    ("smtp_password", "s3{{ CANARY }}", UNDEFINED),
    ("smtp_password", "{{ 'CANARY' | no_such_filter }}", NO_TEMPLATE),
    ("smtp_password", "{{ ('CANARY' | int) / 0 }}", NO_TEMPLATE),
    ("slack_webhook", ["https://CANARY"], "it has to be a text."),
    ("ping_url", {"url": "https://CANARY"}, "it has to be a text."),
    ("database_password", ["{{ 'CANARY' }}"], "it has to be a text."),
    ("smtp_port", "CANARY", "it has to be a whole number."),
    ("threshold", 1.5, "it has to be a whole number."),
    ("send_timeout", "CANARY", "it has to be a number."),
    ("notify", "CANARY", "it has to be true or false."),
    ("admin_emails", {"CANARY": 1}, "it has to be a list."),
    ("pushgateway_grouping", "CANARY", "it has to be a dictionary."),
    ("summary", "CANARY", "it has to be one of table, quiet, off."),
)


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_settings_of_a_bad_variable_is_one_sentence_and_all_others_count(name: str, value: t.Any, words: str) -> None:
    found = given(**{name: value}, mail_from="others@count", last_run_file="/srv/last_run.json")
    assert found.problems == (f"managed_tokens_{name} does not count: {words}",)
    assert getattr(found.settings, name) == getattr(ReportSettings(), name)
    assert (found.settings.mail_from, found.settings.last_run_file) == ("others@count", "/srv/last_run.json")
    assert CANARY not in repr(found)


def test_settings_of_variables_that_are_no_settings_of_the_report_are_not_resolved() -> None:
    assert given(experiments={"dune": "{{ broken"}, ferry_request="s3{#CANARY").problems == ()


def test_settings_of_text_that_is_no_template_is_taken_as_it_is() -> None:
    """As C(!unsafe) and ansible-vault give it."""
    variables = {"managed_tokens_smtp_password": "s3{# {{ {% x"}
    found = settings_of(variables, Templar(DataLoader(), variables))
    assert (found.settings.smtp_password, found.problems) == ("s3{# {{ {% x", ())


def test_settings_of_the_environment_are_no_templates_and_each_counts_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MANAGED_TOKENS_SMTP_PASSWORD", "s3{# {{ {% x")
    monkeypatch.setenv("MANAGED_TOKENS_SMTP_PORT", CANARY)
    monkeypatch.setenv("MANAGED_TOKENS_MAIL_FROM", "environment@x")
    for found in (settings_of({}), given(threshold=1)):
        assert found.problems == (
            "MANAGED_TOKENS_SMTP_PORT (or smtp_port in ansible.cfg) does not count: it has to be a whole number.",
        )
        assert (found.settings.smtp_password, found.settings.smtp_port) == ("s3{# {{ {% x", 25)
        assert found.settings.mail_from == "environment@x"


def test_settings_of_a_bad_variable_leave_the_environment_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANAGED_TOKENS_SMTP_PORT", "465")
    assert given(smtp_port="x").settings.smtp_port == 465


def test_wanted_has_words_for_every_type_of_the_callback() -> None:
    given()
    definitions = constants.config.get_configuration_definitions("callback", "fife.managed_tokens.report")
    assert {definition["type"] for definition in definitions.values()} <= WANTED.keys()
