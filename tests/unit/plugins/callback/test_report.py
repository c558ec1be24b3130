# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that the callback does ends in Ansible's hands, which would quote the line where a setting stands."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.plugins.loader import callback_loader
from ansible.template import trust_as_template

from ansible_collections.fife.managed_tokens.plugins.callback.report import CallbackModule
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_active import ACTIVE

CANARY = "CANARY"


class Shown:
    """Keep what the callback shows."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.details: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def vvv(self, text: str) -> None:
        self.details.append(text)


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch) -> CallbackModule:
    """Give the callback as Ansible makes it."""
    monkeypatch.setenv(ACTIVE, "as it was")  # the callback sets it for all that comes after
    made = t.cast("CallbackModule", callback_loader.get("fife.managed_tokens.report", class_only=True)())
    made._display = Shown()  # type: ignore[assignment]
    made.set_options()
    return made


def shown_by(callback: CallbackModule) -> Shown:
    return t.cast("Shown", callback._display)


def play(variables: dict[str, t.Any] | Exception, hosts: tuple[str, ...] = ("a",)) -> t.Any:
    """Give what is used of a play whose first host has these variables."""

    def get_vars(**_which: t.Any) -> dict[str, t.Any]:
        if isinstance(variables, Exception):
            raise variables
        return variables

    inventory = types.SimpleNamespace(get_hosts=lambda _pattern: list(hosts))
    manager = types.SimpleNamespace(_inventory=inventory, get_vars=get_vars)
    return types.SimpleNamespace(get_variable_manager=lambda: manager, hosts="all", _loader=None)


def test_play_start_takes_the_good_settings_and_keeps_the_others_for_the_report(callback: CallbackModule) -> None:
    secret = trust_as_template("s3{#CANARY")
    callback.v2_playbook_on_play_start(play({"managed_tokens_smtp_password": secret, "managed_tokens_threshold": 7}))
    assert callback._given.settings.threshold == 7
    assert [text.partition(" does not count")[0] for text in callback._given.problems] == [
        "managed_tokens_smtp_password"
    ]
    assert shown_by(callback).warnings == []


WITHOUT: tuple[t.Any, ...] = (play({"managed_tokens_threshold": 8}, hosts=()), play({"other": 1}))


@pytest.mark.parametrize("later", WITHOUT)
def test_play_start_without_settings_keeps_those_of_the_play_before(callback: CallbackModule, later: t.Any) -> None:
    callback.v2_playbook_on_play_start(play({"managed_tokens_threshold": 7}))
    callback.v2_playbook_on_play_start(later)
    assert callback._given.settings.threshold == 7


def test_play_start_of_a_play_whose_variables_cannot_be_had_is_one_warning(callback: CallbackModule) -> None:
    callback.v2_playbook_on_play_start(play(ValueError(CANARY)))
    shown = shown_by(callback)
    assert shown.warnings == ["The report could not be finished: ValueError. Please report this."]
    assert shown.details
    assert CANARY not in "".join(shown.details)


def test_set_options_with_a_bad_environment_leaves_nothing_out(
    callback: CallbackModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ansible would skip the callback, while the run believes that somebody listens."""
    monkeypatch.setenv("MANAGED_TOKENS_SMTP_PORT", CANARY)
    monkeypatch.setenv("MANAGED_TOKENS_THRESHOLD", "9")
    callback.set_options()
    assert callback._given.settings.threshold == 9
    assert len(callback._given.problems) == 1
