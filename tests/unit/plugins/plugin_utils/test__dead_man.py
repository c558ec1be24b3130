# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch hears of start, success and failure under one run, and its URL is never shown."""

from __future__ import annotations

import typing as t
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils._dead_man import ping
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.tests.unit.plugins.builders import CANARY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import NASTY
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import (
    closed_port,
    receiver,
    silent,
)

SECRET = "6b5c0f2a-secret"


def pinged(url: str, event: str = "ok", run: str = "r1", body: str = "", **changes: t.Any) -> str:
    """Ping that URL."""
    return ping(ReportSettings(ping_url=url, **changes), event, run, body)


def test_ping_without_url_does_nothing() -> None:
    assert pinged("") == ""


PATHS: tuple[tuple[str, str, str], ...] = (
    ("/ping/x", "start", "/ping/x/start"),
    ("/ping/x/", "ok", "/ping/x"),
    ("/ping/x", "fail", "/ping/x/fail"),
    ("/ping/x?create=1", "fail", "/ping/x/fail"),
    ("", "ok", ""),
    ("", "start", "/start"),
)


@pytest.mark.parametrize(("path", "event", "expected"), PATHS)
def test_ping_tells_what_happened_in_the_path(path: str, event: str, expected: str) -> None:
    with receiver((200, b"OK")) as sink:
        assert pinged(sink.url + path, event) == ""
    parts = urlsplit(sink.posted[0].path)
    assert parts.path == (expected or "/")
    assert ("create=1" in parts.query) == ("create" in path)


def test_ping_of_one_run_has_one_uuid_and_of_another_run_another() -> None:
    with receiver((200, b"OK")) as sink:
        for event, run in (("start", "r1"), ("ok", "r1"), ("ok", "r2"), ("fail", "")):
            assert pinged(f"{sink.url}/x", event, run) == ""
    first, second, other, none = (parse_qs(urlsplit(item.path).query).get("rid", [""])[0] for item in sink.posted)
    assert first == second
    assert first != other
    assert none == ""
    assert str(uuid.UUID(first)) == first


def test_ping_cuts_and_cleans_the_body() -> None:
    with receiver((200, b"OK")) as sink:
        pinged(f"{sink.url}/x", body=f"first\n{NASTY}\n" + "line\n" * 1000)
        pinged(f"{sink.url}/x", body=NASTY.replace("\r\n", "").replace("\u2028", "") * 100_000)
    few, long = (item.body.decode() for item in sink.posted)
    assert few.startswith("first\nred\n<b>& 100% [redacted]\n? end\nline\n")
    assert len(few.splitlines()) == 40
    assert len(long) <= 200
    assert CANARY not in few + long


def test_ping_repeats_once_whatever_the_setting() -> None:
    with receiver((500, b"/secret is broken")) as sink:
        assert pinged(f"{sink.url}/secret", send_retries=7) == "The dead man's switch answered with HTTP 500."
    assert len(sink.posted) == 2


@pytest.mark.parametrize(
    "url", [f"https://{SECRET}:x", SECRET, f"http://127.0.0.1/{SECRET} x", f"http://u:{SECRET}@127.0.0.1:port/"]
)
def test_ping_to_a_bad_url_is_a_problem_without_it(url: str) -> None:
    problem = pinged(url)
    assert problem.startswith("The dead man's switch was not ")
    assert SECRET not in problem


def test_ping_to_nobody_or_the_silent_is_a_problem_without_the_url() -> None:
    assert pinged(f"http://127.0.0.1:{closed_port()}/{SECRET}") == (
        "The dead man's switch cannot be reached: Connection refused."
    )
    with silent() as url:
        problem = pinged(f"{url}/{SECRET}", send_timeout=0.2)
    assert problem == "The dead man's switch did not answer within 0.2 s."
