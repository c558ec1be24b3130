# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message reaches Slack, or one sentence without the webhook's URL says why not."""

from __future__ import annotations

import json
import ssl
import typing as t

import pytest

from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _bounded_request as bounded_request
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _report_slack as report_slack
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import EMAIL, SLACK, Delivery, Message
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_settings import ReportSettings
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._report_slack import send
from ansible_collections.fife.managed_tokens.tests.unit.plugins.collected_runs import BEGAN, bad_run
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_receiver import (
    closed_port,
    receiver,
    saying,
    silent,
)
from ansible_collections.fife.managed_tokens.tests.unit.plugins.loopback_registry import Pki
from ansible_collections.fife.managed_tokens.tests.unit.plugins.told_messages import many, message, trouble

SECRET = "/services/T000/B000/hush_hush_hush"
OK = (200, b"ok")


def sent(url: str, told: Message | None = None, /, **changes: t.Any) -> Delivery:
    """Send to this webhook; no word of its path is in the problem."""
    values: dict[str, t.Any] = {"slack_webhook": url + SECRET, "send_timeout": 20.0, **changes}
    delivery = send(told or message(trouble()), bad_run(), ReportSettings(**values))
    assert delivery is not None
    assert not any(word in delivery.problem for word in SECRET.split("/") if word)
    return delivery


def test_send_posts_json_and_says_of_what() -> None:
    with receiver(OK) as server:
        delivery = sent(server.url)
    assert (delivery.channel, delivery.target, delivery.problem) == (SLACK, "", "")
    assert delivery.keys == (trouble().key,)
    assert delivery.started > BEGAN
    assert delivery.seconds > 0
    (posted,) = server.posted
    assert posted.path == SECRET
    assert posted.headers["Content-Type"] == "application/json"
    assert json.loads(posted.body)["blocks"][0]["type"] == "header"


def test_send_long_message_in_parts_that_all_have_to_be_taken() -> None:
    with receiver(OK) as server:
        assert sent(server.url, message(*many(3000))).problem == ""
    heads = [json.loads(posted.body)["blocks"][0]["text"]["text"] for posted in server.posted]
    assert [head[-8:] for head in heads] == [f"({part} of 5)" for part in range(1, 6)]
    with receiver(OK, OK, (400, b"invalid_blocks")) as server:
        delivery = sent(server.url, message(*many(3000)))
    assert delivery.problem == "Slack answered with HTTP 400 (invalid_blocks) (part 3 of 5)."
    assert len(server.posted) == 3


def test_send_nothing_without_a_webhook_or_for_another_channel() -> None:
    told, run = message(trouble()), bad_run()
    assert send(told, run, ReportSettings()) is None
    assert send(told, run, ReportSettings(test=True, slack_webhook="https://x")) is None
    assert send(message(trouble(), channels=(EMAIL,)), run, ReportSettings(slack_webhook="https://x")) is None


def test_send_test_goes_to_the_webhook_for_tests_only() -> None:
    with receiver(OK) as real, receiver(OK) as test:
        sent(real.url, test=True, test_slack_webhook=test.url + SECRET)
    assert (len(real.posted), len(test.posted)) == (0, 1)


# What the webhook answers, how many further attempts there may be, the problem, and how many attempts there were.
ANSWERS: tuple[tuple[list[tuple[int, bytes]], int, str, int], ...] = (
    ([(500, b"<html>"), OK], 1, "", 2),
    ([(503, b""), (502, b"bad gateway"), OK], 1, "Slack answered with HTTP 502.", 2),
    ([(429, b"rate_limited"), OK], 2, "", 2),
    ([(429, b"rate_limited"), OK], 0, "Slack answered with HTTP 429 (rate_limited).", 1),
    ([(404, b"no_service"), OK], 3, "Slack answered with HTTP 404 (no_service).", 1),
    # No other success is one.
    ([(204, b""), OK], 3, "Slack answered with HTTP 204.", 1),
    ([(302, b""), OK], 3, "Slack answered with HTTP 302.", 1),
    ([(0, b""), OK], 1, "", 2),
    ([(0, b"")], 1, "Slack closed the connection without an answer.", 2),
    # A server that repeats the address is not quoted.
    ([(403, b"no " + SECRET.encode()), OK], 0, "Slack answered with HTTP 403.", 1),
    ([(403, b"hush_hush_hush"), OK], 0, "Slack answered with HTTP 403.", 1),
    ([(403, b"\x1b[31m\n"), OK], 0, "Slack answered with HTTP 403.", 1),
)


@pytest.mark.parametrize(("replies", "retries", "problem", "attempts"), ANSWERS)
def test_send_tries_again_what_can_pass(
    replies: list[tuple[int, bytes]], retries: int, problem: str, attempts: int
) -> None:
    with receiver(*replies) as server:
        delivery = sent(server.url, send_retries=retries)
    assert (delivery.problem, len(server.posted)) == (problem, attempts)


def test_send_waits_as_long_as_slack_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # With its own pause there would be no second attempt.
    monkeypatch.setattr(bounded_request, "PAUSE_S", 3600.0)
    limited = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    with saying(limited, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, heard):
        assert sent(url).problem == ""
    assert len(heard) == 2


@pytest.mark.parametrize("pause", ["3600", "999999999"])
def test_send_does_not_wait_longer_than_it_may_take(pause: str) -> None:
    limited = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {pause}\r\nContent-Length: 0\r\n\r\n"
    with saying(limited.encode()) as (url, heard):
        assert sent(url, send_retries=5).problem == "Slack answered with HTTP 429."
    assert len(heard) == 1


def test_send_answer_that_is_no_http() -> None:
    with saying(b"220 mail.lab.example\r\n\r\n") as (url, _heard):
        assert sent(url, send_retries=0).problem == "Slack answered with something that is no HTTP."


def test_send_over_tls_to_a_verified_server_only(
    pki: Pki, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver(OK, context=server_tls) as server:
        delivery = sent(server.url, send_retries=3)
        assert delivery.problem.startswith("Slack has a certificate that is not verified: ")
        assert server.posted == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca))
        assert sent(server.url).problem == ""
    assert len(server.posted) == 1


# The beginning of the webhook's URL, and what is wrong with it.
NO_WEBHOOKS: tuple[tuple[str, str], ...] = (
    ("ftp://127.0.0.1", "Slack got nothing: managed_tokens_slack_webhook is no http or https URL."),
    ("hooks.lab.example", "Slack got nothing: managed_tokens_slack_webhook is no http or https URL."),
    ("http://[", "Slack got nothing: managed_tokens_slack_webhook is no http or https URL."),
    ("http://127.0.0.1:1/a b", "Slack was not asked: its URL holds spaces or other characters that no URL has."),
    ("http://127.0.0.1:1/\xe9", "Slack was not asked: its URL holds spaces or other characters that no URL has."),
)


@pytest.mark.parametrize(("url", "problem"), NO_WEBHOOKS)
def test_send_to_what_is_no_webhook(url: str, problem: str) -> None:
    with receiver(OK) as server:
        assert sent(url.replace("127.0.0.1:1", f"127.0.0.1:{server.port}")).problem == problem
    assert server.posted == []


def test_send_to_nobody_and_to_somebody_silent() -> None:
    assert sent(f"http://127.0.0.1:{closed_port()}").problem == "Slack cannot be reached: Connection refused."
    assert sent("http://no.host.invalid").problem.startswith("Slack cannot be reached: ")
    with silent() as url:
        assert sent(url, send_timeout=0.2, send_retries=3).problem == "Slack did not answer within 0.2 s."


def test_send_takes_no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with receiver(OK) as server:
        assert sent(server.url).problem == ""
    assert len(server.posted) == 1


def test_send_own_mistake_is_a_problem_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> t.NoReturn:
        raise KeyError(SECRET)

    monkeypatch.setattr(report_slack, "posts_of", broken)
    delivery = sent("http://127.0.0.1:1")
    assert delivery.problem == "Slack got nothing: the message could not be written (KeyError; please report this)."
