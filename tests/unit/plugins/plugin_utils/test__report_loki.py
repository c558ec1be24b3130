# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loki gets all lines of a run in one request, and its login is never shown."""

from __future__ import annotations

import json

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_loki import push
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import (
    bad_run,
    delivery,
    good_run,
    many_failures,
    nasty_run,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import (
    closed_port,
    receiver,
    silent,
)

LOGIN = "user:hunter2"


def test_push_without_url_does_nothing() -> None:
    assert push(good_run(), ReportSettings()) == ""


def test_push_sends_all_lines_at_once_by_level() -> None:
    with receiver((204, b"")) as loki:
        settings = ReportSettings(loki=loki.url, environment="integration")
        assert push(bad_run(), settings, [delivery()]) == ""
    [posted] = loki.posted
    assert (posted.path, posted.headers["Content-Type"]) == ("/loki/api/v1/push", "application/json")
    streams = json.loads(posted.body)["streams"]
    labels = {"app": "managed-tokens", "command": "token-push", "environment": "integration"}
    assert [stream["stream"] for stream in streams] == [
        {**labels, "level": "warning"}, {**labels, "level": "error"}, {**labels, "level": "info"}
    ]  # fmt: skip
    events = [[json.loads(text)["event"] for _when, text in stream["values"]] for stream in streams]
    assert events == [["outcome"], ["outcome", "run"], ["message"]]
    assert [when for when, _text in streams[1]["values"]] == ["1790000001750000000", "1790000010000000000"]


PATHS = (
    ("/", "/loki/api/v1/push"),
    ("/logs", "/logs/loki/api/v1/push"),
    ("/loki/api/v1/push", "/loki/api/v1/push"),
    ("/x?tenant=1", "/x/loki/api/v1/push?tenant=1"),
)


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_push_completes_the_path(path: str, expected: str) -> None:
    with receiver((200, b"")) as loki:
        assert push(good_run(), ReportSettings(loki=loki.url + path)) == ""
    assert [item.path for item in loki.posted] == [expected]


def test_push_refused_says_why_without_the_login() -> None:
    with receiver((400, b"entry too far behind")) as loki:
        problem = push(good_run(), ReportSettings(loki=loki.url.replace("//", f"//{LOGIN}@")))
    assert problem == f"Loki at 127.0.0.1 port {loki.port} answered with HTTP 400 (entry too far behind)."


def test_push_to_nobody_the_silent_or_nowhere_is_one_sentence() -> None:
    port = closed_port()
    assert push(good_run(), ReportSettings(loki=f"http://{LOGIN}@127.0.0.1:{port}")) == (
        f"Loki at 127.0.0.1 port {port} cannot be reached: Connection refused."
    )
    with silent() as url:
        assert push(good_run(), ReportSettings(loki=url, send_timeout=0.2)).endswith(" did not answer within 0.2 s.")
    assert push(good_run(), ReportSettings(loki="loki:3100/hunter2")) == (
        "Loki got no lines: managed_tokens_loki is no http or https URL."
    )


def test_push_repeats_as_often_as_the_setting_says() -> None:
    with receiver((503, b"")) as loki:
        assert push(many_failures(3000), ReportSettings(loki=loki.url, send_retries=2)).endswith("HTTP 503.")
    assert len({item.body for item in loki.posted}) == 1
    assert len(loki.posted) == 3


def test_push_hostile_texts_is_json_without_tokens() -> None:
    with receiver((204, b"")) as loki:
        assert push(nasty_run(), ReportSettings(loki=loki.url, environment=CANARY)) == ""
    body = loki.posted[0].body
    assert CANARY.encode() not in body
    for stream in json.loads(body)["streams"]:
        assert all("\n" not in text and json.loads(text) for _when, text in stream["values"])
